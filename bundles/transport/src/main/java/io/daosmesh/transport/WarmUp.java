package io.daosmesh.transport;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.rsocket.core.RSocketConnector;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;
import reactor.netty.tcp.TcpClient;

/** Loads what the first connection of a process will need: TLS and its key exchange, buffers, the pipeline. */
final class WarmUp {
    private WarmUp() {}

    /** Effects none but loaded classes. A failure here is told by the connection that needs the same. */
    static void run() {
        try {
            clientHello();
            SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .protocols("TLSv1.3")
                    .trustManager(List.of())
                    .build()
                    .newHandler(PooledByteBufAllocator.DEFAULT)
                    .engine();
            TcpClient.create();
            RSocketConnector.create();
        } catch (GeneralSecurityException | SSLException | RuntimeException e) {
            return; // nobody asked for this: it never writes on a tool's terminal
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
