package io.daosmesh.transport.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;

/**
 * Cuts the stream of a server, which is trusted, into RSocket frames, each with its length before it. Owner: the connection's event
 * loop.
 */
public final class FrameCutter extends ByteToMessageDecoder {
    private static final int LENGTH_BYTES = 3;

    private final FrameRoom room;

    public FrameCutter(FrameRoom room) {
        this.room = room;
        setCumulator(room);
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < LENGTH_BYTES) return;
        int whole = LENGTH_BYTES + in.getUnsignedMedium(in.readerIndex());
        if (in.readableBytes() >= whole) out.add(in.readRetainedSlice(whole));
        else room.expect(ctx, in, whole);
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        room.leave();
    }
}
