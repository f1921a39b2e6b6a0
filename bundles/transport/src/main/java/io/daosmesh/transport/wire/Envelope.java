package io.daosmesh.transport.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.MessageLite;
import com.google.protobuf.WireFormat;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcLimit;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.FaultMessage;
import io.daosmesh.model.wire.ReplyHeader;
import io.daosmesh.model.wire.RequestHeader;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.rsocket.Payload;
import io.rsocket.util.ByteBufPayload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The envelope of every RPC: RSocket composite metadata with exactly one entry, a protobuf {@link RequestHeader} or
 * {@link ReplyHeader}; payload data are the bulk bytes. Stateless. The headers are written straight into the frame's
 * buffer (same bytes as protobuf's own), because the generated classes would copy the body twice.
 */
public final class Envelope {
    /** Content type of the one metadata entry. */
    public static final String HEADER_MIME = "application/x.daosmesh.header";

    public static final String COMPOSITE_MIME = "message/x.rsocket.composite-metadata.v0";
    public static final String DATA_MIME = "application/octet-stream";

    /** Version of envelope and messages; peers must be equal. */
    public static final int PROTOCOL = 1;

    private static final byte[] MIME_BYTES = HEADER_MIME.getBytes(StandardCharsets.US_ASCII);
    private static final int ENTRY_BYTES = 1 + MIME_BYTES.length + 3;
    private static final ByteBufAllocator ALLOCATOR = ByteBufAllocator.DEFAULT;

    private Envelope() {}

    /** An incoming request; {@code body} lies in the payload and is valid until its release. */
    public record Request(int method, int rank, long hlc, int deadlineMs, ByteBuffer body) {}

    /** An incoming reply; {@code body} lies in the payload and is valid until its release. */
    public record Reply(Optional<Fault> fault, long hlc, ByteBuffer body) {}

    /** Where a request goes and how long it may take. */
    public record Route(RpcMethod method, int rank, long hlc, int deadlineMs) {}

    /** Takes the message's data over; on a fault nothing was taken. */
    public static Payload request(Route route, Outgoing message) {
        RpcLimit limit = RpcLimit.of(route.method());
        checkSizes(message, limit.bodyBytes(), limit.dataBytes());
        MessageLite body = message.message().body();
        int bodyBytes = body.getSerializedSize();
        int size = CodedOutputStream.computeUInt32Size(
                        RequestHeader.METHOD_FIELD_NUMBER, route.method().number())
                + CodedOutputStream.computeSInt32Size(RequestHeader.RANK_FIELD_NUMBER, route.rank())
                + CodedOutputStream.computeFixed64Size(RequestHeader.HLC_FIELD_NUMBER, route.hlc())
                + CodedOutputStream.computeUInt32Size(RequestHeader.DEADLINE_MS_FIELD_NUMBER, route.deadlineMs())
                + fieldBytes(RequestHeader.BODY_FIELD_NUMBER, bodyBytes);
        ByteBuf metadata = entry(size, out -> {
            out.writeUInt32(RequestHeader.METHOD_FIELD_NUMBER, route.method().number());
            out.writeSInt32(RequestHeader.RANK_FIELD_NUMBER, route.rank());
            out.writeFixed64(RequestHeader.HLC_FIELD_NUMBER, route.hlc());
            out.writeUInt32(RequestHeader.DEADLINE_MS_FIELD_NUMBER, route.deadlineMs());
            writeBody(out, RequestHeader.BODY_FIELD_NUMBER, body, bodyBytes);
        });
        return ByteBufPayload.create(message.takeData(), metadata);
    }

    /** Takes the message's data over; on a fault nothing was taken. */
    public static Payload reply(long hlc, Outgoing message) {
        checkSizes(message, RpcLimit.BODY_BYTES_MAX, RpcLimit.DATA_BYTES_MAX);
        MessageLite body = message.message().body();
        int bodyBytes = body.getSerializedSize();
        int size = CodedOutputStream.computeFixed64Size(ReplyHeader.HLC_FIELD_NUMBER, hlc)
                + fieldBytes(ReplyHeader.BODY_FIELD_NUMBER, bodyBytes);
        ByteBuf metadata = entry(size, out -> {
            out.writeFixed64(ReplyHeader.HLC_FIELD_NUMBER, hlc);
            writeBody(out, ReplyHeader.BODY_FIELD_NUMBER, body, bodyBytes);
        });
        return ByteBufPayload.create(message.takeData(), metadata);
    }

    public static Payload refusal(long hlc, Fault fault) {
        ReplyHeader header = ReplyHeader.newBuilder()
                .setFault(fault.toWire())
                .setHlc(hlc)
                .setBody(Empty.getDefaultInstance().toByteString())
                .build();
        return ByteBufPayload.create(Unpooled.EMPTY_BUFFER, entry(header.getSerializedSize(), header::writeTo));
    }

    /** PROTO when the metadata is not what this release sends. */
    public static Request readRequest(Payload payload) {
        int method = 0;
        int rank = 0;
        long hlc = 0;
        int deadlineMs = 0;
        ByteBuffer header = header(payload);
        ByteBuffer body = header.slice(0, 0);
        try {
            CodedInputStream in = CodedInputStream.newInstance(header);
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                switch (WireFormat.getTagFieldNumber(tag)) {
                    case RequestHeader.METHOD_FIELD_NUMBER -> method = in.readUInt32();
                    case RequestHeader.RANK_FIELD_NUMBER -> rank = in.readSInt32();
                    case RequestHeader.HLC_FIELD_NUMBER -> hlc = in.readFixed64();
                    case RequestHeader.DEADLINE_MS_FIELD_NUMBER -> deadlineMs = in.readUInt32();
                    case RequestHeader.BODY_FIELD_NUMBER -> body = slice(header, in);
                    default -> in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw broken("its header cannot be read: " + e.getMessage());
        }
        return new Request(method, rank, hlc, deadlineMs, body);
    }

    /** PROTO when the metadata is not what this release sends. */
    public static Reply readReply(Payload payload) {
        Optional<Fault> fault = Optional.empty();
        long hlc = 0;
        ByteBuffer header = header(payload);
        ByteBuffer body = header.slice(0, 0);
        try {
            CodedInputStream in = CodedInputStream.newInstance(header);
            for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
                switch (WireFormat.getTagFieldNumber(tag)) {
                    case ReplyHeader.FAULT_FIELD_NUMBER -> {
                        ByteString bytes = in.readBytes();
                        fault = Optional.of(Fault.fromWire(FaultMessage.parseFrom(bytes)));
                    }
                    case ReplyHeader.HLC_FIELD_NUMBER -> hlc = in.readFixed64();
                    case ReplyHeader.BODY_FIELD_NUMBER -> body = slice(header, in);
                    default -> in.skipField(tag);
                }
            }
        } catch (IOException e) {
            throw broken("its header cannot be read: " + e.getMessage());
        }
        return new Reply(fault, hlc, body);
    }

    private static void checkSizes(Outgoing message, int bodyBytesMax, int dataBytesMax) {
        checkSize("message of %d bulk bytes", message.dataBytes(), dataBytesMax);
        checkSize("message body of %d bytes", message.message().body().getSerializedSize(), bodyBytesMax);
    }

    /** OVERFLOW when a request is larger than its method allows; nothing of it has been parsed yet. */
    public static void checkSizes(RpcMethod method, int bodyBytes, int dataBytes) {
        RpcLimit limit = RpcLimit.of(method);
        checkSize("request of %d bulk bytes", dataBytes, limit.dataBytes());
        checkSize("request body of %d bytes", bodyBytes, limit.bodyBytes());
    }

    private static void checkSize(String what, int bytes, int most) {
        if (bytes > most)
            throw Fault.of(FaultCode.OVERFLOW, what, bytes).with("max", most).asException();
    }

    private static int fieldBytes(int number, int length) {
        return CodedOutputStream.computeTagSize(number) + CodedOutputStream.computeUInt32SizeNoTag(length) + length;
    }

    private static void writeBody(CodedOutputStream out, int number, MessageLite body, int length) throws IOException {
        out.writeTag(number, WireFormat.WIRETYPE_LENGTH_DELIMITED);
        out.writeUInt32NoTag(length);
        body.writeTo(out);
    }

    private interface HeaderWriter {
        void writeTo(CodedOutputStream out) throws IOException;
    }

    private static ByteBuf entry(int headerBytes, HeaderWriter writer) {
        ByteBuf buffer = ALLOCATOR.directBuffer(ENTRY_BYTES + headerBytes);
        try {
            buffer.writeByte(MIME_BYTES.length - 1).writeBytes(MIME_BYTES).writeMedium(headerBytes);
            CodedOutputStream out = CodedOutputStream.newInstance(buffer.nioBuffer(ENTRY_BYTES, headerBytes));
            writer.writeTo(out);
            out.flush();
            out.checkNoSpaceLeft();
            return buffer.writerIndex(ENTRY_BYTES + headerBytes);
        } catch (IOException | RuntimeException e) {
            buffer.release();
            throw new IllegalStateException("header cannot be written", e);
        }
    }

    private static ByteBuffer header(Payload payload) {
        if (!payload.hasMetadata()) throw broken("it has no header");
        ByteBuf metadata = payload.sliceMetadata();
        if (metadata.readableBytes() < ENTRY_BYTES || metadata.readByte() != MIME_BYTES.length - 1) {
            throw broken("its metadata is not a header");
        }
        for (byte expected : MIME_BYTES) {
            if (metadata.readByte() != expected) throw broken("its metadata is not a header");
        }
        int length = metadata.readUnsignedMedium();
        if (length > metadata.readableBytes()) throw broken("its header is cut off");
        return metadata.nioBuffer(metadata.readerIndex(), length).slice();
    }

    private static ByteBuffer slice(ByteBuffer header, CodedInputStream in) throws IOException {
        int length = in.readRawVarint32();
        int from = in.getTotalBytesRead();
        in.skipRawBytes(length);
        return header.slice(from, length);
    }

    private static RuntimeException broken(String what) {
        return Fault.of(FaultCode.PROTO, "message of another protocol: " + what).asException();
    }
}
