package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Role;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.transport.wire.Identity;
import io.daosmesh.transport.wire.Sockets;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.OptionalSslHandler;
import io.netty.handler.ssl.SslContext;
import io.rsocket.core.RSocketServer;
import io.rsocket.frame.decoder.PayloadDecoder;
import io.rsocket.transport.netty.RSocketLengthCodec;
import io.rsocket.transport.netty.TcpDuplexConnection;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.netty.Connection;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/**
 * The one listening port of a node. Owner: the event loops; open and close by the owner of the transport. A connection
 * shows by its first bytes whether it speaks TLS; one without is let in only in insecure mode, or with a session token
 * for data.
 */
public final class Listener {
    /** Accepted connections; a peer of ours opens two. */
    public static final int CONNECTIONS_MAX = 8192;

    private static final Duration FIRST_FRAME = Duration.ofSeconds(5);
    private static final Duration BIND = Duration.ofSeconds(5);
    private static final int TLS_HANDSHAKE_BYTE = 0x16;
    private static final Logger log = LoggerFactory.getLogger(Listener.class);

    private final Settings settings;
    private final Responder.Parts parts;
    private final SessionTokens tokens;
    private final Consumer<String> onServerGone;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private @Nullable DisposableServer server;

    /**
     * @param tls absent in insecure mode
     * @param trust refuses certificates of agents that are not the system's; absent in insecure mode
     * @param clearData whether data connections may come without TLS
     */
    public record Settings(
            Identity identity,
            InetSocketAddress bindTo,
            Optional<SslContext> tls,
            Optional<Consumer<X509Certificate>> trust,
            boolean clearData,
            LoopResources loops) {}

    /** Services of the process that answering needs. */
    public record Services(
            HandlerTable handlers,
            io.daosmesh.model.time.Hlc hlc,
            reactor.core.scheduler.Scheduler deadlines,
            io.daosmesh.transport.metric.TransportCounters counters,
            SessionTokens tokens) {}

    /** @param onServerGone told the control address of a server whose connection to us ended; on an event loop */
    public Listener(Settings settings, Services services, Consumer<String> onServerGone) {
        this.settings = settings;
        this.parts =
                new Responder.Parts(services.handlers(), services.hlc(), services.deadlines(), services.counters());
        this.tokens = services.tokens();
        this.onServerGone = onServerGone;
    }

    /** Blocks until bound; BUSY when the port is in use, INVAL when the address is not ours. Returns the real port. */
    public int open() {
        try {
            DisposableServer bound = TcpServer.create()
                    .runOn(settings.loops(), true)
                    .bindAddress(settings::bindTo)
                    .option(ChannelOption.SO_REUSEADDR, true)
                    .option(ChannelOption.SO_BACKLOG, 1024)
                    .childOption(ChannelOption.TCP_NODELAY, true)
                    .childOption(Sockets.receiveBufferOption(), Sockets.receiveBuffer())
                    .doOnChannelInit((observer, channel, remote) -> onChannel(channel))
                    .doOnConnection(this::onConnection)
                    .bindNow(BIND);
            server = bound;
            return ((InetSocketAddress) bound.address()).getPort();
        } catch (RuntimeException e) {
            throw bindFault(e).asException();
        }
    }

    /** Stops listening and closes what was accepted. */
    public void close() {
        DisposableServer s = server;
        if (s != null) s.disposeNow(Duration.ofSeconds(3));
        open.forEach(Connection::dispose);
    }

    private Fault bindFault(Throwable e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            String text = String.valueOf(t.getMessage());
            // epoll and NIO have their own exceptions, the words are the kernel's
            if (text.contains("in use")) {
                return Fault.of(
                                FaultCode.BUSY,
                                "port %d is in use",
                                settings.bindTo().getPort())
                        .with("address", settings.bindTo())
                        .remedy("stop the other program, or set another port");
            }
        }
        return Fault.of(FaultCode.INVAL, "cannot listen on %s: %s", settings.bindTo(), String.valueOf(e.getMessage()))
                .remedy("set bind_address and port to an address of this host");
    }

    private void onChannel(Channel channel) {
        ChannelHandler first = settings.tls().isPresent()
                ? new OptionalSslHandler(settings.tls().get())
                : new RefuseTls();
        channel.pipeline().addFirst("daosmesh.first", first);
    }

    private void onConnection(Connection c) {
        if (open.size() >= CONNECTIONS_MAX) {
            log.warn(
                    "more than {} connections: refused one of {}",
                    CONNECTIONS_MAX,
                    c.channel().remoteAddress());
            c.dispose();
            return;
        }
        open.add(c);
        parts.counters().connectionsIn.increment();
        Admission admission = new Admission(c, this);
        c.onDispose(() -> {
            open.remove(c);
            parts.counters().connectionsIn.decrement();
            admission
                    .peer()
                    .filter(p -> p.role() == Role.SERVER && !p.address().isEmpty())
                    .ifPresent(p -> onServerGone.accept(p.address()));
        });
        c.addHandlerLast(new RSocketLengthCodec());
        RSocketServer.create((setup, sender) -> admission.admit(setup))
                .payloadDecoder(PayloadDecoder.ZERO_COPY)
                .maxTimeToFirstFrame(FIRST_FRAME)
                .asConnectionAcceptor()
                .apply(new TcpDuplexConnection("server", c))
                .onErrorResume(e -> {
                    log.debug("connection of {} ended: {}", c.channel().remoteAddress(), e.toString());
                    return Mono.empty();
                })
                .then(Mono.<Void>never())
                .subscribe(c.disposeSubscriber());
    }

    Settings settings() {
        return settings;
    }

    Responder.Parts parts() {
        return parts;
    }

    SessionTokens tokens() {
        return tokens;
    }

    /** RPCs that travel on data connections, the only ones that a clear channel carries. */
    public static Set<RpcMethod> dataMethods() {
        Set<RpcMethod> data = EnumSet.noneOf(RpcMethod.class);
        for (RpcMethod m : RpcMethod.values()) {
            if (List.of("OBJECT", "SHARD", "REBUILD").contains(m.name().replaceAll("_.*", ""))) data.add(m);
        }
        return data;
    }

    /** In insecure mode a peer that starts a TLS handshake is cut off at once: its side names the likely reason. */
    private static final class RefuseTls extends ByteToMessageDecoder {
        @Override
        protected void decode(ChannelHandlerContext ctx, io.netty.buffer.ByteBuf in, List<Object> out) {
            if (in.getUnsignedByte(in.readerIndex()) == TLS_HANDSHAKE_BYTE) {
                in.skipBytes(in.readableBytes());
                log.warn(
                        "{} speaks TLS, but allow_insecure is true here",
                        ctx.channel().remoteAddress());
                ctx.close();
            } else {
                ctx.pipeline().remove(this);
            }
        }
    }
}
