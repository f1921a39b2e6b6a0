package io.daosmesh.transport.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.rsocket.RSocketErrorException;
import io.rsocket.frame.ErrorFrameCodec;
import io.rsocket.frame.FrameLengthCodec;
import io.rsocket.internal.BaseDuplexConnection;
import java.net.SocketAddress;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;

/**
 * RSocket's frames on a connection, each with its length before it. Owner: the event loop. RSocket's own
 * {@code TcpDuplexConnection} leaves a failed write to Reactor, which shows it as an error of the node with its stack: here
 * it ends the connection, whose owner learns it from that.
 */
public final class FrameConnection extends BaseDuplexConnection {
    private static final Logger log = LoggerFactory.getLogger(FrameConnection.class);

    private final Connection connection;

    public FrameConnection(Connection connection) {
        this.connection = connection;
        connection
                .outbound()
                .send(sender)
                .then()
                .doFinally(s -> connection.dispose())
                .subscribe(
                        v -> {}, e -> log.debug("{} took not all that it was owed: {}", remoteAddress(), e.toString()));
    }

    @Override
    public ByteBufAllocator alloc() {
        return connection.channel().alloc();
    }

    @Override
    public SocketAddress remoteAddress() {
        return connection.channel().remoteAddress();
    }

    @Override
    protected void doOnClose() {
        connection.dispose();
    }

    @Override
    public Mono<Void> onClose() {
        return Mono.whenDelayError(super.onClose(), connection.onTerminate());
    }

    @Override
    public void sendErrorAndClose(RSocketErrorException e) {
        sender.tryEmitFinal(measured(ErrorFrameCodec.encode(alloc(), 0, e)));
    }

    @Override
    public Flux<ByteBuf> receive() {
        return connection.inbound().receive().map(FrameLengthCodec::frame);
    }

    @Override
    public void sendFrame(int streamId, ByteBuf frame) {
        super.sendFrame(streamId, measured(frame));
    }

    private ByteBuf measured(ByteBuf frame) {
        return FrameLengthCodec.encode(alloc(), frame.readableBytes(), frame);
    }
}
