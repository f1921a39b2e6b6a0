package io.daosmesh.transport;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.Slf4JLoggerFactory;
import io.rsocket.core.RSocketConnector;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.tcp.TcpClient;

/**
 * Loads what the first connection of a process will need. Effects none but loaded classes; a failure here is told by the
 * connection that needs the same: nobody asked for this, so it never writes on a tool's terminal.
 */
final class WarmUp {
    static {
        // else netty, where slf4j is silent, looks for another logging and starts that of the JDK
        InternalLoggerFactory.setDefaultFactory(Slf4JLoggerFactory.INSTANCE);
    }

    private WarmUp() {}

    /** TLS, its key exchange and its place in the pipeline. */
    static void tls() {
        try {
            clientHello();
            SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .trustManager(List.of())
                    .build()
                    .newHandler(ByteBufAllocator.DEFAULT)
                    .engine();
        } catch (GeneralSecurityException | SSLException | RuntimeException e) {
            return;
        }
    }

    /** A channel, what opens it, and what speaks over it. */
    static void channels() {
        try {
            TcpClient.create(ConnectionProvider.newConnection());
            RSocketConnector.create();
            new NioSocketChannel().unsafe().closeForcibly();
        } catch (RuntimeException e) {
            return;
        }
    }

    private static void clientHello() throws GeneralSecurityException, SSLException {
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(null, new TrustManager[0], null);
        SSLEngine engine = context.createSSLEngine();
        engine.setUseClientMode(true);
        engine.wrap(
                Unpooled.EMPTY_BUFFER.nioBuffer(),
                ByteBuffer.allocate(engine.getSession().getPacketBufferSize()));
    }
}
