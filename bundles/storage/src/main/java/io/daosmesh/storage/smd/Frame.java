package io.daosmesh.storage.smd;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Function;
import java.util.zip.CRC32C;

/**
 * The envelope of every structure on disk, little endian: magic u64, layout version u32, payload length u32, CRC32C of
 * the payload u32, CRC32C of all before it u32 (zero where an older release has written none), payload. Stateless.
 */
public final class Frame {
    public static final int HEADER_BYTES = 24;
    /** What the second checksum covers: a damaged version must not look like that of another release. */
    private static final int HEAD_BYTES = 20;

    private static final int PAYLOAD_BYTES_MAX = 64 << 20;

    private Frame() {}

    /**
     * What is framed.
     *
     * @param name for the operator, e.g. {@code superblock of engine 0}
     * @param oldest version that is read
     * @param version the newest that is read, and what is written
     */
    public record Kind(String name, long magic, int oldest, int version) {
        public Kind(String name, long magic, int version) {
            this(name, magic, version, version);
        }
    }

    public static byte[] encode(Kind kind, byte[] payload) {
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(kind.magic).putInt(kind.version).putInt(payload.length);
        out.putInt(checksum(payload, payload.length));
        out.putInt(checksum(out.array(), HEAD_BYTES)).put(payload);
        return out.array();
    }

    /** The payload. DF_INVAL when damaged or of another kind, DF_INCOMPT when of a version this release does not know. */
    public static ByteBuffer decode(Kind kind, byte[] bytes) {
        if (bytes.length < HEADER_BYTES) throw damaged(kind, "only " + bytes.length + " bytes long");
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (in.getLong() != kind.magic) throw damaged(kind, "wrong magic number");
        int head = in.getInt(HEAD_BYTES);
        if (head != 0 && head != checksum(bytes, HEAD_BYTES))
            throw damaged(kind, "checksum of its head does not match");
        int version = in.getInt();
        if (version < kind.oldest || version > kind.version)
            throw Fault.of(
                            FaultCode.DF_INCOMPT,
                            "%s has layout version %d not in [%d, %d]",
                            kind.name,
                            version,
                            kind.oldest,
                            kind.version)
                    .asException();
        int length = in.getInt();
        int checksum = in.getInt();
        if (length < 0 || length > PAYLOAD_BYTES_MAX || length > bytes.length - HEADER_BYTES)
            throw damaged(kind, "truncated: " + (bytes.length - HEADER_BYTES) + " of " + length + " bytes");
        byte[] payload = new byte[length];
        in.position(HEADER_BYTES).get(payload);
        if (checksum(payload, length) != checksum) throw damaged(kind, "checksum does not match");
        return ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** What the payload says. DF_INVAL also when it is not what its kind holds, for all that its checksum is right. */
    public static <T> T decode(Kind kind, byte[] bytes, Function<ByteBuffer, T> reader) {
        ByteBuffer in = decode(kind, bytes);
        try {
            return reader.apply(in);
        } catch (BufferUnderflowException e) {
            throw damaged(kind, "it ends early");
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw damaged(kind, String.valueOf(e.getMessage()));
        }
    }

    private static RuntimeException damaged(Kind kind, String how) {
        return Fault.of(FaultCode.DF_INVAL, "%s is damaged: %s", kind.name, how).asException();
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
