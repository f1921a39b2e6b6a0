package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.transport.metric.TransportCounters;
import io.daosmesh.transport.tls.Sweep;
import io.daosmesh.transport.tls.TlsMaterial;
import io.daosmesh.transport.wire.FrameConnection;
import io.daosmesh.transport.wire.FrameRoom;
import io.daosmesh.transport.wire.Identity;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.handler.ssl.SslContext;
import io.rsocket.core.RSocketServer;
import io.rsocket.frame.decoder.PayloadDecoder;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;
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
 * shows by its first bytes whether it speaks TLS; one without is let in only in insecure mode, or for data
 * after it has proven that it holds a key that came over TLS.
 */
public final class Listener {
    static final String GUARD = "daosmesh.guard";

    private static final Duration BIND = Duration.ofSeconds(5);
    private static final Logger log = LoggerFactory.getLogger(Listener.class);

    private final Settings settings;
    private final Responder.Parts parts;
    private final Gates gates;
    private final Consumer<String> onServerGone;
    private final Set<Connection> open = ConcurrentHashMap.newKeySet();
    private @Nullable DisposableServer server;

    /**
     * @param tls for each new connection anew; absent in insecure mode
     * @param trust what certificates are measured by at this moment; absent in insecure mode
     * @param clearData whether data connections may come without TLS
     */
    public record Settings(
            Identity identity,
            InetSocketAddress bindTo,
            Optional<Supplier<SslContext>> tls,
            Optional<Supplier<TlsMaterial>> trust,
            boolean clearData,
            LoopResources loops) {}

    /** Services of the process that answering needs. */
    public record Services(
            HandlerTable handlers,
            io.daosmesh.model.time.Hlc hlc,
            reactor.core.scheduler.Scheduler deadlines,
            TransportCounters counters,
            Sessions sessions) {}

    /** What keeps all connections of a node within their limits. */
    record Gates(
            Door door, Map<Role, Budget> budgets, Sessions sessions, Refusals refusals, TransportCounters counters) {
        Budget budget(Role role) {
            return Objects.requireNonNull(budgets.get(role), "every role has one");
        }
    }

    /** @param onServerGone told the control address of a server whose connection to us ended; on an event loop */
    public Listener(Settings settings, Services services, Consumer<String> onServerGone) {
        this.settings = settings;
        this.parts = new Responder.Parts(
                services.handlers(),
                services.hlc(),
                services.deadlines(),
                services.counters(),
                new Audit(System::nanoTime));
        this.gates = new Gates(
                new Door(Door.Limits.USUAL, System::nanoTime),
                budgets(),
                services.sessions(),
                new Refusals(System::nanoTime),
                services.counters());
        this.onServerGone = onServerGone;
    }

    /**
     * Requests under way and answers not taken yet. Together below what a node may have in direct buffers (384 MiB), with room for
     * those that grow in steps while a large request comes in over TLS.
     */
    private static Map<Role, Budget> budgets() {
        return Map.of(
                Role.SERVER, new Budget(128L << 20),
                Role.AGENT, new Budget(96L << 20),
                Role.ADMIN, new Budget(16L << 20));
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
                    .doOnBound(s -> s.channel().pipeline().addFirst("daosmesh.porter", new Porter(gates)))
                    .doOnChannelInit((observer, channel, remote) -> onChannel(channel))
                    .doOnConnection(this::onConnection)
                    .bindNow(BIND);
            server = bound;
            return ((InetSocketAddress) bound.address()).getPort();
        } catch (RuntimeException e) {
            throw bindFault(e).asException();
        }
    }

    /** What connections hold at this moment of the limits of the node. */
    public record Held(int connections, int waiting, int accounts, long bytes) {
        public static final Held NOTHING = new Held(0, 0, 0, 0);
    }

    /** A look from outside; the parts are not of exactly one moment. */
    public Held held() {
        return new Held(
                gates.door().inside(),
                gates.door().waiting(),
                gates.budgets().values().stream().mapToInt(Budget::accounts).sum(),
                gates.budgets().values().stream().mapToLong(Budget::used).sum());
    }

    /** Stops listening and closes what was accepted. */
    public void close() {
        DisposableServer s = server;
        if (s != null) s.disposeNow(Duration.ofSeconds(3));
        open.forEach(Connection::dispose);
    }

    /**
     * Ends what has been let in and must not stay: those with TLS first, then keys not used yet, then the clear channels, so that
     * nobody asks for a key on a connection that is about to end.
     */
    public void end(Sweep sweep) {
        List<Connection> now = List.copyOf(open);
        AtomicInteger left = new AtomicInteger(now.size() + 1);
        Runnable then = () -> {
            if (left.decrementAndGet() > 0 || !sweep.isClearToo()) return;
            gates.sessions().forgetAll();
            open.forEach(c -> c.channel().eventLoop().execute(() -> end(c, sweep)));
        };
        for (Connection c : now) {
            c.channel().eventLoop().execute(() -> {
                end(c, sweep.withTls());
                then.run();
            });
        }
        then.run();
    }

    /** On the event loop of the connection. */
    private static void end(Connection c, Sweep sweep) {
        if (!sweep.mustEnd(c.channel())) return;
        log.warn("closed the connection of {}: {}", c.channel().remoteAddress(), sweep.reason());
        Guest.of(c.channel()).guard().close();
        c.dispose();
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
        FrameRoom.install(channel);
        channel.pipeline().addFirst("daosmesh.first", new FirstBytes(new Guest(channel, gates), settings));
    }

    private void onConnection(Connection c) {
        Guest guest = Guest.of(c.channel());
        open.add(c);
        parts.counters().connectionsIn.increment();
        c.onDispose(() -> {
            open.remove(c);
            parts.counters().connectionsIn.decrement();
            guest.leave();
            guest.peer()
                    .filter(p -> p.role() == Role.SERVER && !p.address().isEmpty())
                    .ifPresent(p -> onServerGone.accept(p.address()));
        });
        guest.enter();
        c.addHandlerLast(GUARD, guest.guard());
        c.addHandlerLast("daosmesh.backlog", guest.backlog());
        RSocketServer.create((setup, sender) -> new Admission(c, guest, this).admit(setup))
                .payloadDecoder(PayloadDecoder.ZERO_COPY)
                .asConnectionAcceptor()
                .apply(new FrameConnection(c))
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

    /** RPCs that travel on data connections, the only ones that a clear channel carries. */
    public static Set<RpcMethod> dataMethods() {
        Set<RpcMethod> data = EnumSet.noneOf(RpcMethod.class);
        for (RpcMethod m : RpcMethod.values()) {
            if (List.of("OBJECT", "SHARD", "REBUILD").contains(m.name().replaceAll("_.*", ""))) data.add(m);
        }
        return data;
    }
}
