package io.daosmesh.management.pool.service;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.management.raft.RaftHost;
import io.daosmesh.management.raft.Replica;
import io.daosmesh.management.raft.Voter;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.JoinRules;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolServiceStartRequest;
import io.daosmesh.model.wire.PoolServiceStopRequest;
import io.daosmesh.model.wire.RebuildSession;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** The pool services that have a replica on this node. Any thread; listeners are called on the management loop. */
public final class PoolHost implements PoolServices, PoolService.Leadership {
    private static final Logger LOG = LoggerFactory.getLogger(PoolHost.class);

    private final NodeContext node;
    private final MapsKeeper maps;
    private final LeaderCaller system;
    private final KnownServers servers;
    private final Map<UUID, PoolService> services = new ConcurrentHashMap<>();
    private final List<LeaderListener> listeners = new CopyOnWriteArrayList<>();
    private volatile @Nullable RaftHost host;

    public PoolHost(NodeContext node, MapsKeeper maps, LeaderCaller system, KnownServers servers) {
        this.node = node;
        this.maps = maps;
        this.system = system;
        this.servers = servers;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.POOL_SERVICE_START, PoolServiceStartRequest.parser(), this::start);
        r.onFrom(RpcMethod.POOL_SERVICE_STOP, PoolServiceStopRequest.parser(), this::stop);
    }

    /** State machine of a group that is being opened. */
    public Replica<?> replicaOf(UUID pool) {
        return services.computeIfAbsent(pool, p -> new PoolService(node, maps, system, p, this))
                .replica();
    }

    /** Blocks. The groups found on disk are open by now. */
    public void open(RaftHost raft, UUID system) {
        host = raft;
        for (UUID g : raft.groups()) {
            PoolService s = services.get(g);
            if (!g.equals(system) && s != null) s.attach(raft.group(g));
        }
    }

    public void close() {
        host = null;
    }

    public List<PoolService> services() {
        return List.copyOf(services.values());
    }

    /** By UUID or label; NOTREPLICA when it is not on this node. */
    public PoolService service(String idOrLabel) {
        return services.values().stream()
                .filter(s -> s.isCalled(idOrLabel))
                .findFirst()
                .orElseThrow(() -> Fault.of(FaultCode.NOTREPLICA, "the service of pool '%s' is not here", idOrLabel)
                        .asException());
    }

    public Optional<PoolService> service(UUID pool) {
        return Optional.ofNullable(services.get(pool));
    }

    /** The leader of a pool's service has a replica begin here. Blocks. */
    public void onBegun(UUID pool) {
        RaftHost raft = host;
        PoolService s = services.get(pool);
        if (raft == null || s == null) throw Fault.of(FaultCode.UNINIT).asException();
        maps.welcome(pool);
        s.attach(raft.group(pool));
    }

    /** A pool is made by the management service. */
    private Mono<Empty> start(PoolServiceStartRequest r, RpcCall.Peer peer) {
        servers.requireReplica(peer);
        return Mono.fromCallable(() -> {
                    RaftHost raft = host;
                    if (raft == null) throw Fault.of(FaultCode.UNINIT).asException();
                    UUID pool = Ids.uuid(r.getPool());
                    List<Voter> voters = voters(r);
                    check(r, pool);
                    maps.welcome(pool);
                    RaftGroup g = raft.add(pool, identity(voters), voters);
                    PoolService s = services.get(pool);
                    if (s == null)
                        throw Fault.of(FaultCode.AGAIN, "the pool service is being removed")
                                .asException();
                    s.begin(PoolInitMessage.newBuilder()
                            .setEntry(r.getEntry())
                            .setMap(r.getMap())
                            .build());
                    s.attach(g);
                    return Empty.getDefaultInstance();
                })
                .subscribeOn(node.loop().blocking());
    }

    private static List<Voter> voters(PoolServiceStartRequest r) {
        r.getPeersList().forEach(JoinRules::checkAddress);
        // a leader of the release before names none
        boolean isWithout = r.getIdentitiesCount() == 0;
        if (!isWithout && r.getIdentitiesCount() != r.getPeersCount())
            throw Fault.of(FaultCode.INVAL, "%d identities of %d replicas", r.getIdentitiesCount(), r.getPeersCount())
                    .asException();
        return IntStream.range(0, r.getPeersCount())
                .mapToObj(i -> new Voter(r.getPeers(i), isWithout ? "" : r.getIdentities(i)))
                .toList();
    }

    private String identity(List<Voter> voters) {
        return voters.stream()
                .filter(v -> v.address().equals(node.address()))
                .map(Voter::identity)
                .findFirst()
                .orElseThrow(() -> Fault.of(FaultCode.INVAL, "no replica of the pool's service is to be here")
                        .asException());
    }

    /** Before a group exists that could not begin. */
    private static void check(PoolServiceStartRequest r, UUID pool) {
        boolean isOfPool = PoolMap.fromWire(r.getMap()).pool().equals(pool)
                && Ids.uuid(r.getEntry().getPool()).equals(pool);
        if (!isOfPool)
            throw Fault.of(FaultCode.INVAL, "entry or map is not of pool %s", pool)
                    .asException();
        RaftGroup.checkSize(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(r.getEntry()).setMap(r.getMap()))
                .build());
    }

    /** As for the start. */
    private Mono<Empty> stop(PoolServiceStopRequest r, RpcCall.Peer peer) {
        if (r.getTerm() == 0) servers.requireReplica(peer);
        else servers.requireMember(peer);
        return Mono.fromCallable(() -> {
                    UUID pool = Ids.uuid(r.getPool());
                    if (r.getTerm() == 0) remove(pool, r.getDeleteData());
                    else retire(pool, r.getTerm());
                    return Empty.getDefaultInstance();
                })
                .subscribeOn(node.loop().blocking());
    }

    /** Blocks for the disk. */
    public void remove(UUID pool, boolean deleteData) {
        drop(pool, deleteData);
        if (deleteData) maps.gone(pool);
    }

    private void drop(UUID pool, boolean deleteData) {
        RaftHost raft = host;
        if (raft == null) throw Fault.of(FaultCode.UNINIT).asException();
        raft.remove(pool, deleteData);
        if (services.remove(pool) != null) node.loop().run(() -> onNotLeading(pool));
    }

    /** The service has moved away while this node was out; the pool lives on. A late request must not hit a newer replica. */
    private void retire(UUID pool, long term) {
        PoolService s = services.get(pool);
        if (s != null && s.term() > term) {
            throw Fault.of(FaultCode.STALE, "the replica of pool %s serves in term %d", pool, s.term())
                    .asException();
        }
        LOG.info("pool {}: its service has moved away, the replica here goes", pool);
        drop(pool, true);
    }

    public void review() {
        services.values().forEach(PoolService::review);
    }

    @Override
    public AutoCloseable listen(LeaderListener listener) {
        node.loop().run(() -> {
            listeners.add(listener);
            for (PoolService s : services.values()) {
                if (s.isLeader() && s.replica().read(db -> db.isMade()) && s.mayRebuild())
                    tell(listener, s.replica().read(db -> db.map()), s.term());
            }
        });
        return () -> {
            listeners.remove(listener);
            node.loop().run(() -> listeners.remove(listener));
        };
    }

    @Override
    public void onLeading(PoolMap map, long term) {
        listeners.forEach(l -> tell(l, map, term));
    }

    @Override
    public void onNotLeading(UUID pool) {
        for (LeaderListener l : listeners) {
            try {
                l.onNotLeading(pool);
            } catch (RuntimeException e) {
                LOG.warn("a listener of pool leadership failed", e);
            }
        }
    }

    private static void tell(LeaderListener l, PoolMap map, long term) {
        try {
            l.onLeading(map, term);
        } catch (RuntimeException e) {
            LOG.warn("a listener of pool leadership failed", e);
        }
    }

    @Override
    public Mono<PoolMap> completeRebuild(UUID pool, int version) {
        return led(pool)
                .flatMap(s -> s.propose(LogCommand.newBuilder().setRebuildDone(version)))
                .map(reply -> {
                    try {
                        return PoolMap.fromWire(PoolMapMessage.parseFrom(reply.getBody()));
                    } catch (InvalidProtocolBufferException e) {
                        throw Replies.damaged("the reply to the end of a rebuild", e);
                    }
                });
    }

    @Override
    public Mono<Long> nextGeneration(UUID pool) {
        return led(pool)
                .flatMap(s -> s.propose(LogCommand.newBuilder().setNextGeneration(true)))
                .map(reply -> {
                    try {
                        return RebuildSession.parseFrom(reply.getBody()).getGeneration();
                    } catch (InvalidProtocolBufferException e) {
                        throw Replies.damaged("the reply to a generation request", e);
                    }
                });
    }

    private Mono<PoolService> led(UUID pool) {
        PoolService s = services.get(pool);
        if (s == null) return Mono.error(new FaultException(Fault.of(FaultCode.NOTLEADER)));
        return Mono.just(s);
    }
}
