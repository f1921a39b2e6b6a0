package io.daosmesh.model.id;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.UUID;

/** UUIDs as 16 bytes on the wire. */
public final class Ids {
    private Ids() {}

    public static ByteString bytes(UUID id) {
        ByteBuffer b = ByteBuffer.allocate(16);
        b.putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .flip();
        return ByteString.copyFrom(b);
    }

    /** Refuses anything but 16 bytes. */
    public static UUID uuid(ByteString bytes) {
        if (bytes.size() != 16) {
            throw io.daosmesh.model.fault.Fault.of(
                            io.daosmesh.model.fault.FaultCode.INVAL, "a UUID has 16 bytes, not %d", bytes.size())
                    .asException();
        }
        ByteBuffer b = bytes.asReadOnlyByteBuffer();
        return new UUID(b.getLong(), b.getLong());
    }
}
