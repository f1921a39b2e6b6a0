package io.daosmesh.transport.client;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Sweep;
import io.daosmesh.transport.wire.Envelope;
import io.daosmesh.transport.wire.FrameConnection;
import io.daosmesh.transport.wire.FrameCutter;
import io.daosmesh.transport.wire.FrameRoom;
import io.daosmesh.transport.wire.Identity;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.rsocket.DuplexConnection;
import io.rsocket.RSocket;
import io.rsocket.core.RSocketConnector;
import io.rsocket.frame.decoder.PayloadDecoder;
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
    private final TransportCounters counters;
    private final TcpClient base;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();

    /** @param tls for each new connection anew; absent in insecure mode */
    public Connector(
            Identity identity,
            Optional<Supplier<SslContext>> tls,
            boolean isClearData,
            LoopResources loops,
            boolean isNativePreferred,
            TransportCounters counters) {
        this.identity = identity;
        this.tls = tls;
        this.isClearData = isClearData;
        this.counters = counters;
        this.base = TcpClient.create(ConnectionProvider.newConnection())
                // before the loops: else a resolver of DNS is made for them and thrown away
                .resolver(DefaultAddressResolverGroup.INSTANCE)
                .runOn(loops, isNativePreferred)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MS)
                .option(ChannelOption.TCP_NODELAY, true)
                .doOnChannelInit((observer, channel, remote) -> FrameRoom.install(channel));
    }

    /** Whether data connections go without TLS, after a key has been obtained over TLS. */
    boolean isClearData() {
        return isClearData && tls.isPresent();
    }

    Mono<RSocket> connect(String host, int port) {
        TcpClient client = base.host(host).port(port);
        if (tls.isPresent()) {
            SslContext context = tls.get().get();
            client = client.secure(spec -> spec.sslContext(context).handshakeTimeout(HANDSHAKE));
        }
        Mono<Connection> connected = client.connect().map(c -> c);
        if (tls.isEmpty()) return connect(connected.map(Connector::framed), identity.setup());
        return connect(
                connected
                        .onErrorMap(ClosedChannelException.class, Connector::closedInHandshake)
                        .map(c -> checked(c, host))
                        .map(Connector::framed),
                identity.setup());
    }

    /** A data connection without TLS, proven with a key that came over TLS. */
    Mono<RSocket> connectClear(String host, int port, ClearHello.Session session) {
        Mono<Connection> connected = base.host(host)
                .port(port)
                .connect()
                .flatMap(c -> Mono.<Connection>create(ready ->
                                c.addHandlerLast(new ClearHello(session, c, counters.framesDamaged::increment, ready)))
                        .doOnCancel(c::dispose));
        // what TLS has said about us is not said again in the clear
        return connect(connected, identity.setup().clearCredential());
    }

    /** Ends connections that must not stay. */
    public void end(Sweep sweep) {
        for (Connection c : open) {
            c.channel().eventLoop().execute(() -> {
                if (sweep.mustEnd(c.channel())) c.dispose();
            });
        }
    }

    private Mono<RSocket> connect(Mono<Connection> connected, SetupMessage.Builder setup) {
        return RSocketConnector.create()
                .metadataMimeType(Envelope.COMPOSITE_MIME)
                .dataMimeType(Envelope.DATA_MIME)
                .payloadDecoder(PayloadDecoder.ZERO_COPY)
                .keepAlive(KEEP_ALIVE, KEEP_ALIVE_LIFE)
                .setupPayload(Mono.fromSupplier(
                        () -> ByteBufPayload.create(setup.build().toByteArray())))
                .connect(() -> transport(connected));
    }

    private io.rsocket.transport.ClientTransport transport(Mono<Connection> connected) {
        return new io.rsocket.transport.ClientTransport() {
            @Override
            public Mono<DuplexConnection> connect() {
                return connected.map(c -> {
                    open.add(c);
                    c.onDispose(() -> open.remove(c));
                    return new FrameConnection(c);
                });
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

    private static Connection framed(Connection c) {
        return c.addHandlerLast(new FrameCutter(FrameRoom.of(c.channel())));
    }

    private static Connection checked(Connection c, String host) {
        try {
            checkServer(c, host);
            return c;
        } catch (RuntimeException e) {
            c.dispose();
            throw e;
        }
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
