package io.daosmesh.model.fuzz;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.io.OutputStream;

/** Bytes sent in the place of a message. Immutable. */
public record RawBody(ByteString bytes) implements MessageLite {
    public static RawBody of(byte[] bytes) {
        return new RawBody(ByteString.copyFrom(bytes));
    }

    @Override
    public void writeTo(CodedOutputStream out) throws IOException {
        out.writeRawBytes(bytes);
    }

    @Override
    public int getSerializedSize() {
        return bytes.size();
    }

    @Override
    public ByteString toByteString() {
        return bytes;
    }

    @Override
    public byte[] toByteArray() {
        return bytes.toByteArray();
    }

    @Override
    public void writeTo(OutputStream out) throws IOException {
        bytes.writeTo(out);
    }

    @Override
    public boolean isInitialized() {
        return true;
    }

    @Override
    public MessageLite getDefaultInstanceForType() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void writeDelimitedTo(OutputStream out) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Parser<? extends MessageLite> getParserForType() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Builder newBuilderForType() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Builder toBuilder() {
        throw new UnsupportedOperationException();
    }
}
