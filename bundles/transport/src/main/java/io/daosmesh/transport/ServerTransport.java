package io.daosmesh.transport;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.EventLoops;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DataSessionReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.server.HandlerTable;
import io.daosmesh.transport.server.Listener;
import io.daosmesh.transport.server.Sessions;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.Sweep;
import io.daosmesh.transport.wire.Identity;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledExecutorService;
import reactor.core.publisher.Mono;

/** The transport of a node: listens, and calls its peers. Any thread. Used by the node's component and by tests. */
public final class ServerTransport implements AutoCloseable {
    private final Machinery machinery;
    private final Listener listener;
    private final HandlerTable handlers;
    private final Sessions sessions = new Sessions(System::nanoTime);
    private final boolean isClearData;

    private ServerTransport(ServerSettings settings, Machinery machinery) {
        this.machinery = machinery;
        this.isClearData = settings.tls().clearData() && !settings.tls().allowInsecure();
        this.handlers = new HandlerTable(machinery.identity::address, System::nanoTime);
        this.listener = new Listener(
                new Listener.Settings(
                        machinery.identity,
                        new InetSocketAddress(settings.bindHost(), settings.port()),
                        machinery.tls.map(t -> t::server),
                        machinery.tls.map(t -> t::material),
                        isClearData,
                        machinery.loops),
                new Listener.Services(handlers, machinery.hlc, machinery.deadlines, machinery.counters, sessions),
                machinery.client::onClosedByPeer);
        new Registrations(handlers, Endpoint.NODE, MessageLimits.of(0, 0))
                .onFrom(RpcMethod.DATA_SESSION, Empty.parser(), (q, peer) -> openSession(peer));
        machinery.tls.ifPresent(t -> t.listen(new LiveTls.Watcher() {
            @Override
            public void onRevoked(Sweep sweep) {
                listener.end(sweep);
            }
        }));
    }

    /** Listens when it returns. BUSY when the port is in use; NO_CERT or BAD_CERT for certificates. */
    public static ServerTransport open(ServerSettings settings) {
        Identity identity = new Identity(Role.SERVER, settings.system(), settings.address());
        NodeConfig.Tls tls = settings.tls();
        // certificates first: when they are wrong nothing has to be stopped
        Optional<LiveTls> live = tls.allowInsecure()
                ? Optional.empty()
                : Optional.of(LiveTls.load(tls, Role.SERVER, material -> material.checkAddress(settings.host())));
        Machinery machinery = new Machinery(identity, live, tls.clearData(), true, settings.loops());
        try {
            ServerTransport transport = new ServerTransport(settings, machinery);
            int port = transport.listener.open();
            if (settings.address().isEmpty()) identity.address(settings.bindHost() + ":" + port);
            machinery.watchCertificates();
            return transport;
        } catch (RuntimeException e) {
            machinery.close(0);
            throw e;
        }
    }

    public Rpc rpc() {
        return machinery.client;
    }

    public RpcServer server() {
        return handlers;
    }

    /** Refuses work once the transport is closed. */
    public EventLoops loops() {
        List<ScheduledExecutorService> all = new ArrayList<>();
        machinery.loops.onServer(true).forEach(all::add);
        return index -> all.get(index % all.size());
    }

    public Hlc hlc() {
        return machinery.hlc;
    }

    /** Empty in insecure mode. */
    public Optional<LiveTls> certificates() {
        return machinery.tls;
    }

    /** What its connections hold of the node's limits. */
    Listener.Held held() {
        return listener.held();
    }

    public MetricSource metrics() {
        return sink -> {
            machinery.counters.collect(sink);
            machinery.tls.ifPresent(t -> t.collect(sink));
        };
    }

    /** Keys of clear data channels; visible to tests. */
    Sessions sessions() {
        return sessions;
    }

    /** Control address {@code host:port} with the real port. */
    public String address() {
        return machinery.identity.address();
    }

    /** What connections opened from now on say about this node; -1 and 0 before an engine has joined. */
    public void rank(int rank, long incarnation) {
        machinery.identity.rank(rank, incarnation);
    }

    /** Listener and accepted connections, connections to peers, threads; blocks for at most about 6 s. */
    @Override
    public void close() {
        listener.close();
        machinery.close(50);
    }

    private Mono<DataSessionReply> openSession(RpcCall.Peer peer) {
        if (!isClearData) {
            return Mono.error(Fault.of(FaultCode.NOTSUPPORTED, "data channels of this node use TLS")
                    .asException());
        }
        return Mono.fromSupplier(() -> {
            Sessions.Session session = sessions.issue(peer);
            return DataSessionReply.newBuilder()
                    .setSession(ByteString.copyFrom(session.id()))
                    .setKey(ByteString.copyFrom(session.key()))
                    .build();
        });
    }
}
