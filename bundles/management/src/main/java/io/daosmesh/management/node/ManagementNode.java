package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.RequestLimits;
import io.daosmesh.management.maps.MapSubscriptions;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.service.AccessHandlers;
import io.daosmesh.management.pool.service.PoolHandlers;
import io.daosmesh.management.pool.service.PoolHost;
import io.daosmesh.management.pool.service.PoolQueries;
import io.daosmesh.management.pool.service.UpkeepHandlers;
import io.daosmesh.management.raft.RaftHost;
import io.daosmesh.management.raft.RatisNode;
import io.daosmesh.management.raft.Replica;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.service.DeathReports;
import io.daosmesh.management.system.service.PoolClient;
import io.daosmesh.management.system.service.PoolMaker;
import io.daosmesh.management.system.service.PoolRemover;
import io.daosmesh.management.system.service.Replacements;
import io.daosmesh.management.system.service.StateEventHandler;
import io.daosmesh.management.system.service.SystemActions;
import io.daosmesh.management.system.service.SystemEraser;
import io.daosmesh.management.system.service.SystemHandlers;
import io.daosmesh.management.system.service.SystemReplicas;
import io.daosmesh.management.system.service.SystemService;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.port.StateEvents;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Management of one node, wired together; runs in a container and in a plain JVM alike. Any thread. */
final class ManagementNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ManagementNode.class);
    /** Maps are pushed; this only bounds how long a lost push can matter. */
    private static final Duration TICK = Duration.ofSeconds(1);

    /** A system begins in a few steps; nothing to be done costs nothing. */
    private static final Duration REPLICA_TICK = Duration.ofMillis(100);

    private static final Duration ORPHAN_TICK = Duration.ofSeconds(10);
    private static final Duration PULL_MAX = Duration.ofMillis(900);

    private final NodeContext node;
    private final Registrations registrations;
    private final LeaderCaller leaders;
    private final MapsKeeper maps;
    private final KnownServers servers;
    private final PoolClient poolClient;
    private final SystemService system;
    private final PoolHost pools;
    private final PoolMaker maker;
    private final Erasure erasure;
    private final RankJoiner joiner;
    private final Membership.Listener deaths;
    private final ManagementMetrics metrics;
    private final StateEventSender stateEvents;
    private final AtomicBoolean opening = new AtomicBoolean();
    private final AtomicBoolean pulling = new AtomicBoolean();
    private volatile boolean closed;
    private volatile @Nullable RaftHost raft;
    private int nextReplica;

    ManagementNode(NodeContext node, RankPublisher publisher, Supplier<Optional<RebuildProgress>> rebuild) {
        this.node = node;
        leaders = new LeaderCaller(
                node.rpc(), node.loop(), () -> Mono.just(node.config().replicas()));
        poolClient = new PoolClient(node, leaders);
        maps = new MapsKeeper(node.config(), node.loop(), poolClient::map);
        servers = maps.servers();
        system = new SystemService(node, maps, leaders);
        pools = new PoolHost(node, maps, leaders, servers);
        PoolRemover remover = new PoolRemover(node, system, poolClient, maps);
        maker = new PoolMaker(node, system, poolClient, remover);
        erasure = new Erasure(node, servers, ownEngines());
        joiner = new RankJoiner(node, leaders, maps, publisher, erasure);
        DeadReporter reporter = new DeadReporter(node, leaders);
        LeaderDeaths leaderDeaths = new LeaderDeaths(node, () -> raft);
        deaths = new Deaths(List.of(leaderDeaths, reporter));
        system.onLeading(reporter::onLeading);
        stateEvents = new StateEventSender(node, leaders);
        PoolHandlers handlers = new PoolHandlers(node, pools, maps, new PoolQueries(node, maps, rebuild), leaders);
        metrics = new ManagementMetrics(system, pools, handlers);
        Orphans orphans = new Orphans(node, poolClient, pools, maps, joiner);
        maps.listen(joiner);
        maps.listen(leaderDeaths);
        maps.listen(reporter);
        maps.listen(new Maps.Listener() {
            @Override
            public void onGroupMap(GroupMap map) {
                pools.review();
            }
        });
        registrations = new Registrations(node.server(), Endpoint.NODE, RequestLimits.ALL);
        new SystemHandlers(node, system, maps, leaders, servers, new Replacements(system, poolClient))
                .register(registrations);
        new DeathReports(node, system).register(registrations);
        new StateEventHandler(system).register(registrations);
        new SystemActions(node, system).register(registrations);
        new SystemEraser(node, system, erasure).register(registrations);
        erasure.register(registrations);
        new MapSubscriptions(node, maps, leaders, servers).register(registrations);
        maker.register(registrations);
        remover.register(registrations);
        pools.register(registrations);
        handlers.register(registrations);
        new AccessHandlers(pools).register(registrations);
        new UpkeepHandlers(pools, rebuild).register(registrations);
        joiner.register(registrations);
        SystemReplicas replicas = new SystemReplicas(node, system, ownReplica());
        node.loop().every(REPLICA_TICK, replicas::look);
        node.loop().every(TICK, this::tick);
        node.loop().every(ORPHAN_TICK, orphans::look);
    }

    private Erasure.Engines ownEngines() {
        return new Erasure.Engines() {
            @Override
            public List<StorageAdmin> storages() {
                return joiner.storages();
            }

            @Override
            public List<StorageAdmin> joined() {
                return joiner.joined();
            }

            @Override
            public void closeRaft() {
                ManagementNode.this.closeRaft();
            }
        };
    }

    private SystemReplicas.Here ownReplica() {
        return new SystemReplicas.Here() {
            @Override
            public @Nullable RaftHost raft() {
                return raft;
            }

            @Override
            public Optional<Boolean> isOfSystem() {
                return joiner.isOfSystem();
            }
        };
    }

    MapsKeeper maps() {
        return maps;
    }

    PoolServices poolServices() {
        return pools;
    }

    MetricSource metrics() {
        return metrics;
    }

    StateEvents stateEvents() {
        return stateEvents;
    }

    Membership.Listener deaths() {
        return deaths;
    }

    SystemService system() {
        return system;
    }

    PoolHost pools() {
        return pools;
    }

    /** Nothing of the system starts here, see {@link Erasure}. */
    boolean isErasing() {
        return erasure.isMarked();
    }

    /** @param action starts management anew on a thread of its own: what is in memory is of a system that is no more */
    void onRestart(Runnable action) {
        erasure.onRestart(action);
    }

    void addStorage(StorageAdmin storage) {
        joiner.add(storage, this::openSoon);
    }

    void removeStorage(StorageAdmin storage) {
        joiner.remove(storage);
    }

    /** Raft opens once the first storage of the node is formatted: before that the node has no identity to vote with. */
    private void openSoon() {
        if (raft == null && !closed && !erasure.isMarked() && opening.compareAndSet(false, true)) {
            Mono.fromRunnable(this::open)
                    .subscribeOn(node.loop().blocking())
                    .doFinally(s -> opening.set(false))
                    .subscribe(
                            ok -> {}, e -> LOG.error("management cannot start: {}", text(FaultException.faultOf(e))));
        }
    }

    private static String text(Fault fault) {
        return fault.message() + "; " + fault.remedy();
    }

    private void open() {
        if (raft != null || closed || erasure.isMarked()) return;
        Path dir = node.config().metadataDir().resolve("raft");
        RatisNode opened = new RatisNode(dir, node, ownGroups(), servers);
        raft = opened;
        try {
            pools.open(opened, system.id());
            if (node.config().isReplica() && opened.holds(system.id())) system.attach(opened.group(system.id()));
        } finally {
            if (closed || erasure.isMarked()) closeRaft();
        }
    }

    private RatisNode.Replicas ownGroups() {
        return new RatisNode.Replicas() {
            @Override
            public Replica<?> of(UUID group) {
                return group.equals(system.id()) ? system.replica() : pools.replicaOf(group);
            }

            @Override
            public void onBegun(UUID group) {
                RaftHost opened = raft;
                if (opened == null) throw Fault.of(FaultCode.UNINIT).asException();
                if (group.equals(system.id())) system.attach(opened.group(group));
                else pools.onBegun(group);
            }
        };
    }

    private void tick() {
        erasure.onTick();
        system.review();
        pools.review();
        if (system.isLeader()) maker.takeOver();
        else pull();
        if (raft == null && !joiner.ready().isEmpty()) openSoon();
    }

    /** Asks the leader, or a replica in turn, for a newer group map. */
    private void pull() {
        List<String> replicas = node.config().replicas();
        String from = leaders.leader().orElseGet(() -> replicas.get(Math.floorMod(nextReplica++, replicas.size())));
        if (from.equals(node.address()) || !pulling.compareAndSet(false, true)) return;
        GroupMapRequest request = GroupMapRequest.newBuilder()
                .setKnownVersion(maps.groupMap().version())
                .build();
        node.rpc()
                .call(
                        Endpoint.node(from),
                        RpcMethod.GROUP_MAP,
                        RpcMessage.of(request),
                        PULL_MAX,
                        r -> GroupMapMessage.parseFrom(r.body()))
                .filter(m -> m.getVersion() > request.getKnownVersion())
                .doFinally(s -> pulling.set(false))
                .subscribe(maps::offer, e -> Loop.drop("group map from " + from, e));
    }

    private void closeRaft() {
        RaftHost r = raft;
        raft = null;
        system.close();
        pools.close();
        if (r != null) r.close();
    }

    @Override
    public void close() {
        closed = true;
        registrations.close();
        joiner.close();
        closeRaft();
        node.loop().close();
    }
}
