package io.daosmesh.transport.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Which frames the library gets to see. */
class FrameShapeTest {
    private static final int RESPONSE = 0x04;
    private static final int METADATA = 0x100;

    /** @param rest what is behind the header */
    private record Frame(int stream, int type, int flags, byte[] rest) {
        /** Sent as long as it says it is. */
        @Nullable
        String wrong(int restBytes) {
            ByteBuf in = Unpooled.buffer()
                    .writeMedium(6 + restBytes)
                    .writeInt(stream)
                    .writeShort(type << 10 | flags);
            return FrameShape.wrong(in.writeBytes(rest, 0, restBytes), 6 + restBytes, type);
        }

        @Nullable
        String wrong() {
            return wrong(rest.length);
        }
    }

    private static final byte[] SETUP = {0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 3, 'a', '/', 'b', 2, 'c', 'd'};

    private static final List<Frame> GOOD = List.of(
            new Frame(0, FrameGuard.SETUP, 0, SETUP),
            new Frame(1, RESPONSE, METADATA, new byte[] {0, 0, 2, 7, 7}),
            new Frame(3, FrameGuard.REQUEST_STREAM, METADATA, new byte[] {0, 0, 0, 1, 0, 0, 1, 9}),
            new Frame(3, FrameGuard.REQUEST_N, 0, new byte[4]),
            new Frame(0, FrameGuard.KEEPALIVE, 0, new byte[8]),
            new Frame(0, FrameGuard.ERROR, 0, new byte[4]));

    @Test
    void shouldLetThroughWholeFramesOnly() {
        for (Frame f : GOOD) {
            assertNull(f.wrong(), f.toString());
            for (int length = 0; length < f.rest.length; length++) assertNotNull(f.wrong(length), f + " to " + length);
        }
        assertNull(
                new Frame(1, RESPONSE, 0, new byte[0]).wrong(), "a request without metadata is refused by its reader");
    }

    @Test
    void shouldKeepEachKindOfFrameOnItsStreams() {
        for (Frame f : GOOD) {
            for (int stream : new int[] {0, 1, 2, -1, Integer.MIN_VALUE}) {
                boolean isRight = f.stream == 0 ? stream == 0 : stream == 1;
                Frame moved = new Frame(stream, f.type, f.flags, f.rest);
                assertEquals(isRight, moved.wrong() == null, moved.toString());
            }
        }
    }

    @Test
    void shouldRefuseSetupWithMoreThanTheProtocolKnows() {
        for (int flag : new int[] {METADATA, 0x80, 0x40})
            assertNotNull(new Frame(0, FrameGuard.SETUP, flag, SETUP).wrong());
    }
}
