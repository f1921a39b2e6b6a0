package io.daosmesh.transport.wire;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A socket by hand: buffers are taken, filled and passed on as a channel does it. */
@SuppressWarnings("deprecation") // of netty: not for handlers
class FrameRoomTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final SplittableRandom random = new SplittableRandom(1);
    private RecvByteBufAllocator.Handle reads;

    @BeforeEach
    void install() {
        FrameRoom.install(channel);
        channel.pipeline().addLast(new FrameCutter(FrameRoom.of(channel)));
        reads = channel.config().getRecvByteBufAllocator().newHandle();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    private byte[] frame(int bytes) {
        byte[] frame = new byte[3 + bytes];
        random.nextBytes(frame);
        Unpooled.wrappedBuffer(frame).setMedium(0, bytes);
        return frame;
    }

    /** One read of the socket: as much as its buffer takes of what is there, up to {@code most}. */
    private int read(byte[] from, int at, int most) {
        ByteBuf into = reads.allocate(channel.alloc());
        int n = Math.min(most, Math.min(into.writableBytes(), from.length - at));
        into.writeBytes(from, at, n);
        if (n == 0) into.release();
        else channel.writeInbound(into);
        return n;
    }

    private static byte[] take(ByteBuf frame) {
        byte[] bytes = new byte[frame.readableBytes()];
        frame.readBytes(bytes);
        frame.release();
        return bytes;
    }

    @Test
    void shouldReadTheRestOfALargeFrameToWhereItBelongs() {
        byte[] sent = frame(1 << 20);
        int at = read(sent, 0, 20_000);

        ByteBuf rest = reads.allocate(channel.alloc());
        assertEquals(sent.length - at, rest.writableBytes());
        rest.writeBytes(sent, at, sent.length - at);
        long address = rest.memoryAddress();
        channel.writeInbound(rest);

        ByteBuf whole = channel.readInbound();
        assertEquals(address, whole.memoryAddress() + at, "not copied");
        assertArrayEquals(sent, take(whole));
    }

    @Test
    void shouldCutWhateverTheSocketGives() {
        List<byte[]> frames = new ArrayList<>();
        int total = 0;
        for (int i = 0; i < 60; i++) {
            byte[] frame = frame(random.nextInt(1, i % 3 == 0 ? 2 << 20 : 90_000));
            frames.add(frame);
            total += frame.length;
        }
        byte[] sent = new byte[total];
        int end = 0;
        for (byte[] f : frames) {
            System.arraycopy(f, 0, sent, end, f.length);
            end += f.length;
        }

        // nothing at times, as with edge-triggered polls
        for (int at = 0; at < total; ) at += read(sent, at, random.nextInt(4) == 0 ? 0 : random.nextInt(1, 700_000));

        for (byte[] f : frames) assertArrayEquals(f, take(channel.readInbound()));
        assertTrue(channel.inboundMessages().isEmpty());
    }

    @Test
    void shouldGiveABegunFrameBackWhenTheConnectionEnds() {
        byte[] sent = frame(1 << 20);
        read(sent, 0, 20_000);
        ByteBuf rest = reads.allocate(channel.alloc());
        ByteBuf frame = rest.unwrap();
        rest.writeBytes(sent, 20_000, 5);
        channel.writeInbound(rest);

        channel.finishAndReleaseAll();

        assertEquals(0, frame.refCnt());
    }
}
