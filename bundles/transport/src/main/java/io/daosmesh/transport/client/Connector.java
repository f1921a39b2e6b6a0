package io.daosmesh.transport.client;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Role;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Sweep;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.Identity;
import io.daosmesh.transport.wire.Sockets;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.rsocket.DuplexConnection;
import io.rsocket.RSocket;
import io.rsocket.core.RSocketConnector;
import io.rsocket.frame.decoder.PayloadDecoder;
import io.rsocket.transport.netty.RSocketLengthCodec;
import io.rsocket.transport.netty.TcpDuplexConnection;
import io.rsocket.util.ByteBufPayload;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.resources.ConnectionProvider;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpClient;

/** Opens RSocket connections with this process's identity. Any thread. */
public final class Connector {
    private static final int CONNECT_MS = 1000;
    private static final Duration HANDSHAKE = Duration.ofSeconds(3);
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(5);

    // A peer that is stopped for seconds keeps its connections; SWIM decides earlier whether it is dead.
    private static final Duration KEEP_ALIVE_LIFE = Duration.ofSeconds(20);

    private static final int RSOCKET_FRAME_BYTES_MAX = 0xFFFFFF;

    private final Identity identity;
    private final Optional<Supplier<SslContext>> tls;
    private final boolean isClearData;
    private final TcpClient base;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();

    /** @param tls for each new connection anew; absent in insecure mode */
    public Connector(
            Identity identity,
            Optional<Supplier<SslContext>> tls,
            boolean isClearData,
            LoopResources loops,
            boolean isNativePreferred) {
        this.identity = identity;
        this.tls = tls;
        this.isClearData = isClearData;
        this.base = TcpClient.create(ConnectionProvider.newConnection())
                // before the loops: else a resolver of DNS is made for them and thrown away
                .resolver(DefaultAddressResolverGroup.INSTANCE)
                .runOn(loops, isNativePreferred)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(Sockets.receiveBufferOption(), Sockets.receiveBuffer());
    }

    /** Whether data connections go without TLS, after a token has been obtained over TLS. */
    boolean isClearData() {
        return isClearData && tls.isPresent();
    }

    Mono<RSocket> connect(String host, int port) {
        TcpClient client = base.host(host).port(port);
        if (tls.isPresent()) {
            SslContext context = tls.get().get();
            client = client.secure(spec -> spec.sslContext(context).handshakeTimeout(HANDSHAKE));
        }
        return connect(client, ByteString.EMPTY, tls.isPresent() ? host : "");
    }

    /** A data connection without TLS. */
    Mono<RSocket> connectClear(String host, int port, ByteString token) {
        return connect(base.host(host).port(port), token, "");
    }

    /** Ends connections that must not stay. */
    public void end(Sweep sweep) {
        for (Connection c : open) {
            c.channel().eventLoop().execute(() -> {
                if (sweep.mustEnd(c.channel())) c.dispose();
            });
        }
    }

    /** @param certified host that the certificate must be for; empty without TLS */
    private Mono<RSocket> connect(TcpClient client, ByteString token, String certified) {
        return RSocketConnector.create()
                .metadataMimeType(Envelope.COMPOSITE_MIME)
                .dataMimeType(Envelope.DATA_MIME)
                .payloadDecoder(PayloadDecoder.ZERO_COPY)
                .keepAlive(KEEP_ALIVE, KEEP_ALIVE_LIFE)
                .setupPayload(Mono.fromSupplier(() -> ByteBufPayload.create(
                        identity.setup().setSessionToken(token).build().toByteArray())))
                .connect(() -> transport(client, certified));
    }

    private io.rsocket.transport.ClientTransport transport(TcpClient client, String certified) {
        return new io.rsocket.transport.ClientTransport() {
            @Override
            public Mono<DuplexConnection> connect() {
                Mono<Connection> connected = client.connect().map(c -> c);
                boolean isTls = !certified.isEmpty();
                if (isTls) connected = connected.onErrorMap(ClosedChannelException.class, Connector::closedInHandshake);
                return connected.map(c -> duplex(c, certified));
            }

            @Override
            public int maxFrameLength() {
                return RSOCKET_FRAME_BYTES_MAX;
            }
        };
    }

    private static Throwable closedInHandshake(ClosedChannelException e) {
        return Fault.of(FaultCode.UNREACH, "the connection was closed in the TLS handshake")
                .remedy("check that the node runs and has the same allow_insecure")
                .asException();
    }

    private DuplexConnection duplex(Connection c, String certified) {
        if (!certified.isEmpty()) {
            try {
                checkServer(c, certified);
            } catch (RuntimeException e) {
                c.dispose();
                throw e;
            }
        }
        open.add(c);
        c.onDispose(() -> open.remove(c));
        c.addHandlerLast(new RSocketLengthCodec());
        return new TcpDuplexConnection("client", c);
    }

    /** Before anything but our certificate has been sent. */
    private static void checkServer(Connection c, String host) {
        SslHandler handler = c.channel().pipeline().get(SslHandler.class);
        PeerCertificate shown = Optional.ofNullable(handler)
                .flatMap(PeerCertificate::shown)
                .orElseThrow(() -> Fault.of(FaultCode.BAD_CERT, "%s shows no certificate", c.address())
                        .asException());
        if (shown.role().filter(r -> r == Role.SERVER).isEmpty()) {
            throw Fault.of(FaultCode.BAD_CERT, "%s shows a certificate for '%s'", c.address(), shown.name())
                    .remedy("give that node a certificate for 'server'")
                    .asException();
        }
        shown.refusal(host).ifPresent(f -> {
            throw f.with("peer", c.address()).asException();
        });
    }
}
