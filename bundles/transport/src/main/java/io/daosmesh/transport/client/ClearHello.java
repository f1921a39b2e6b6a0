package io.daosmesh.transport.client;

import io.daosmesh.transport.wire.ClearChannel;
import io.daosmesh.transport.wire.FrameChecksum;
import io.daosmesh.transport.wire.FrameCutter;
import io.daosmesh.transport.wire.FrameRoom;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import reactor.core.publisher.MonoSink;
import reactor.netty.Connection;

/**
 * The client's side of the proof with which a data channel without TLS starts ({@link ClearChannel}); then its place is taken by the
 * handlers of frames. Owner: the connection's event loop.
 */
final class ClearHello extends ByteToMessageDecoder {
    private final Session session;
    private final Connection connection;
    private final Runnable onDamage;
    private final MonoSink<Connection> ready;

    /** As the server has given it over TLS. */
    record Session(byte[] id, byte[] key) {}

    ClearHello(Session session, Connection connection, Runnable onDamage, MonoSink<Connection> ready) {
        this.session = session;
        this.connection = connection;
        this.onDamage = onDamage;
        this.ready = ready;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ByteBuf hello = ctx.alloc().buffer(Integer.BYTES + ClearChannel.ID_BYTES);
        ctx.writeAndFlush(hello.writeInt(ClearChannel.MAGIC).writeBytes(session.id()));
        ctx.read();
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < ClearChannel.NONCE_BYTES) return;
        byte[] nonce = new byte[ClearChannel.NONCE_BYTES];
        in.readBytes(nonce);
        byte[] proof = ClearChannel.proof(session.key(), session.id(), nonce);
        ctx.writeAndFlush(ctx.alloc().buffer(proof.length).writeBytes(proof));
        connection.addHandlerLast(new FrameCutter(FrameRoom.of(ctx.channel())));
        connection.addHandlerLast(new FrameChecksum(onDamage));
        ctx.pipeline().remove(this);
        ready.success(connection);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        ready.error(new ClosedChannelException());
        ctx.fireChannelInactive();
    }
}
