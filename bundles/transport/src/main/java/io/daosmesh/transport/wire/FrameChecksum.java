package io.daosmesh.transport.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * Puts a CRC32C behind each RSocket frame of a clear channel and checks it on the other side. Owner: the connection's event loop. It
 * finds what wires, cards and drivers damage; it does not keep anybody from changing frames on purpose: whoever fears that uses TLS.
 */
public final class FrameChecksum extends ChannelDuplexHandler {
    private static final int LENGTH_BYTES = 3;
    /** Behind each frame, counted by its length. */
    public static final int SUM_BYTES = 4;

    private final Runnable onDamage;

    /** @param onDamage counts it; the connection is closed */
    public FrameChecksum(Runnable onDamage) {
        this.onDamage = onDamage;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
        if (!(msg instanceof ByteBuf frame) || frame.readableBytes() < LENGTH_BYTES) {
            ctx.write(msg, promise);
            return;
        }
        ByteBuf sum = sum(frame);
        ctx.write(frame);
        ctx.write(sum, promise);
    }

    /** Makes room for the sum in the frame's length; the sum itself is to follow. */
    private static ByteBuf sum(ByteBuf frame) {
        int at = frame.readerIndex();
        int length = frame.getUnsignedMedium(at);
        int sum = sum(frame, at + LENGTH_BYTES, length);
        frame.setMedium(at, length + SUM_BYTES);
        return frame.alloc().buffer(SUM_BYTES).writeInt(sum);
    }

    /** A frame with its sum, for one that does not pass a handler. */
    public static ByteBuf seal(ByteBuf frame) {
        ByteBuf sum = sum(frame);
        return frame.alloc().compositeBuffer(2).addComponents(true, frame, sum);
    }

    /** Whole frames only: it stands behind the decoder. */
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ByteBuf frame = (ByteBuf) msg;
        int at = frame.readerIndex();
        int length = frame.readableBytes() - LENGTH_BYTES - SUM_BYTES;
        boolean isWhole =
                length >= 0 && sum(frame, at + LENGTH_BYTES, length) == frame.getInt(at + LENGTH_BYTES + length);
        if (!isWhole) {
            frame.release();
            onDamage.run();
            ctx.close();
            return;
        }
        frame.setMedium(at, length);
        ctx.fireChannelRead(frame.writerIndex(frame.writerIndex() - SUM_BYTES));
    }

    private static int sum(ByteBuf frame, int from, int length) {
        CRC32C crc = new CRC32C();
        if (length > 0) {
            for (ByteBuffer part : frame.nioBuffers(from, length)) crc.update(part);
        }
        return (int) crc.getValue();
    }
}
