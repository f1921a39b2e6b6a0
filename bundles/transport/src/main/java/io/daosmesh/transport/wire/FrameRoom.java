package io.daosmesh.transport.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.AttributeKey;
import io.netty.util.UncheckedBooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets the rest of a large frame be read from the socket to where it belongs: into one buffer of the frame's size. Netty's own way
 * copies what has come whenever it outgrows its buffer, three times for 1 MiB. Owner: the connection's event loop; one
 * for each connection without TLS (with TLS frames come out of another buffer anyway).
 */
public final class FrameRoom implements ByteToMessageDecoder.Cumulator {
    /** Up to 512 KiB a read: netty's default of 64 KiB costs a factor of 20 with many 64 KiB messages in flight. */
    private static final int READ_BYTES_MAX = 512 << 10;

    /** Shorter frames mostly come with one read. */
    private static final int LARGE_BYTES_MIN = 64 << 10;

    // netty's default allocator gives buffers above 1 MiB back to the system and has new ones filled with zeros
    private static final ByteBufAllocator LARGE = new PooledByteBufAllocator(true, 0, 1, 8192, 11, 0, 0, false);

    private static final AttributeKey<FrameRoom> KEY = AttributeKey.valueOf("daosmesh.room");

    /** Begun frame, with a reference of its own; what has been read of it lies there. */
    private @Nullable ByteBuf frame;
    /** Its unread part, which the channel reads into; gone when the socket had nothing. */
    private @Nullable ByteBuf rest;

    private FrameRoom() {}

    /** Before the channel reads for the first time. */
    public static void install(Channel channel) {
        FrameRoom room = new FrameRoom();
        channel.attr(KEY).set(room);
        channel.config().setRecvByteBufAllocator(new Reads(room));
    }

    /** The room of a channel where {@link #install} was. */
    public static FrameRoom of(Channel channel) {
        return channel.attr(KEY).get();
    }

    /**
     * The decoder has seen how long a frame will be and waits for its rest.
     *
     * @param in what the decoder holds: the beginning of the frame and nothing else
     */
    public void expect(ChannelHandlerContext ctx, ByteBuf in, int frameBytes) {
        if (frame != null || frameBytes < LARGE_BYTES_MIN || ctx.pipeline().get(SslHandler.class) != null) return;
        ByteBufAllocator from = frameBytes <= READ_BYTES_MAX ? ctx.alloc() : LARGE;
        frame = from.directBuffer(frameBytes, frameBytes).writeBytes(in, in.readerIndex(), in.readableBytes());
    }

    private @Nullable ByteBuf takeRest() {
        ByteBuf f = frame;
        if (f == null) return null;
        ByteBuf r = f.retainedSlice(f.writerIndex(), f.writableBytes()).clear();
        rest = r;
        return r;
    }

    @Override
    public ByteBuf cumulate(ByteBufAllocator alloc, ByteBuf cumulation, ByteBuf in) {
        ByteBuf f = frame;
        if (f == null || in != rest) {
            leave();
            return ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(alloc, cumulation, in);
        }
        f.writerIndex(f.writerIndex() + in.readableBytes());
        in.release();
        rest = null;
        // the decoder has either the beginning, which is a part of this, or this
        if (cumulation != f) {
            cumulation.release();
            f.retain();
        }
        if (!f.isWritable()) leave();
        return f;
    }

    /** The frame is whole, or nobody wants it. */
    public void leave() {
        ByteBuf f = frame;
        frame = null;
        rest = null;
        if (f != null) f.release();
    }

    /** Netty wants the buffers of a channel's reads from such a thing. */
    private static final class Reads implements RecvByteBufAllocator {
        private final AdaptiveRecvByteBufAllocator usual = new AdaptiveRecvByteBufAllocator(512, 65536, READ_BYTES_MAX);
        private final FrameRoom room;

        Reads(FrameRoom room) {
            this.room = room;
        }

        @Override
        @SuppressWarnings("deprecation")
        public Handle newHandle() {
            return new Chosen(room, (ExtendedHandle) usual.newHandle());
        }
    }

    @SuppressWarnings("deprecation")
    private static final class Chosen extends RecvByteBufAllocator.DelegatingHandle
            implements RecvByteBufAllocator.ExtendedHandle {
        private final FrameRoom room;
        private final RecvByteBufAllocator.ExtendedHandle usual;

        Chosen(FrameRoom room, RecvByteBufAllocator.ExtendedHandle usual) {
            super(usual);
            this.room = room;
            this.usual = usual;
        }

        @Override
        public ByteBuf allocate(ByteBufAllocator alloc) {
            ByteBuf rest = room.takeRest();
            return rest != null ? rest : super.allocate(alloc);
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier mayBeMore) {
            return usual.continueReading(mayBeMore);
        }
    }
}
