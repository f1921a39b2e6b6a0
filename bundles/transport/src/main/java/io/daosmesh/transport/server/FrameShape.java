package io.daosmesh.transport.server;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Whether a whole RSocket frame holds what its header says, before the library reads it: there a frame that does not ends in an
 * exception, a long text in the log and, before admission, a buffer that nobody releases. Stateless. Source: RSocket protocol 1.0,
 * "Framing".
 */
final class FrameShape {
    private static final int LENGTH_BYTES = 3;
    private static final int HEADER_BYTES = 6;
    private static final int FLAG_METADATA = 0x100;
    private static final int FLAG_RESUME = 0x80;
    private static final int FLAG_LEASE = 0x40;

    /** Version, time between keep-alives, life without one. */
    private static final int SETUP_FIXED_BYTES = 12;

    private FrameShape() {}

    /**
     * @param in at the frame's length
     * @param length without the length itself, and without a checksum behind it
     */
    static @Nullable String wrong(ByteBuf in, int length, int type) {
        int flags = in.getUnsignedShort(in.readerIndex() + LENGTH_BYTES + 4);
        if (!isOnItsStream(in.getInt(in.readerIndex() + LENGTH_BYTES), type))
            return "a frame of type " + type + " is on a stream of another kind";
        if (type == FrameGuard.SETUP) {
            if ((flags & (FLAG_METADATA | FLAG_RESUME | FLAG_LEASE)) != 0)
                return "SETUP asks for what is not part of the protocol";
            return isSetupWhole(in, length) ? null : "SETUP ends early";
        }
        int fixed = HEADER_BYTES
                + switch (type) {
                    case FrameGuard.REQUEST_STREAM, FrameGuard.REQUEST_N, FrameGuard.ERROR -> 4;
                    case FrameGuard.KEEPALIVE -> 8;
                    default -> 0;
                };
        boolean hasMetadata = FrameGuard.isRequest(type) && (flags & FLAG_METADATA) != 0;
        int left = length - fixed - (hasMetadata ? LENGTH_BYTES : 0);
        boolean isWhole =
                left >= 0 && (!hasMetadata || in.getUnsignedMedium(in.readerIndex() + LENGTH_BYTES + fixed) <= left);
        return isWhole ? null : "a frame of type " + type + " ends early";
    }

    /** Streams that a client opens are odd; what belongs to the connection is on stream 0. */
    private static boolean isOnItsStream(int stream, int type) {
        boolean isOfConnection = type == FrameGuard.SETUP || type == FrameGuard.KEEPALIVE || type == FrameGuard.ERROR;
        return isOfConnection ? stream == 0 : stream > 0 && stream % 2 == 1;
    }

    private static boolean isSetupWhole(ByteBuf in, int length) {
        int at = HEADER_BYTES + SETUP_FIXED_BYTES;
        // types of metadata and data, each with its length
        for (int i = 0; i < 2; i++) {
            if (at >= length) return false;
            at += 1 + in.getUnsignedByte(in.readerIndex() + LENGTH_BYTES + at);
        }
        return at <= length;
    }
}
