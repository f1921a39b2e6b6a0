package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.rank.EngineJoin;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.JoinReply;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.SystemActionRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Brings the engines of this node into the system, each as {@link EngineJoin} decides. Owner: management loop; identities are
 * published and withdrawn on a thread of their own, in order.
 */
final class RankJoiner implements Maps.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(RankJoiner.class);
    private static final Duration ONE_TRY = Duration.ofSeconds(2);
    private static final Duration ALL_TRIES = Duration.ofSeconds(10);
    private static final long ERASED_PAUSE_MS = 1_000;

    private final NodeContext node;
    private final LeaderCaller leaders;
    private final MapsKeeper maps;
    private final RankPublisher publisher;
    private final KnownServers servers;
    private final Erasure erasure;
    private final Scheduler publications = Schedulers.newBoundedElastic(1, 64, "daosmesh-management-ranks", 30, true);
    private final Map<Integer, Engine> engines = new ConcurrentHashMap<>();

    /** One engine and what is done for it. */
    private final class Engine implements EngineJoin.Effects {
        final StorageAdmin storage;
        final EngineJoin join = new EngineJoin();
        volatile @Nullable AutoCloseable identity;

        @Nullable
        AutoCloseable listening;

        Engine(StorageAdmin storage) {
            this.storage = storage;
        }

        @Override
        public long newLife() {
            return node.hlc().now();
        }

        @Override
        public void join(long incarnation) {
            if (engines.get(storage.engineIndex()) != this) return;
            if (erasure.isMarked() || storage.state() != StorageAdmin.State.READY) {
                wake(ERASED_PAUSE_MS);
                return;
            }
            leaders.call(RpcMethod.JOIN, request(storage, incarnation), JoinReply.parser(), ONE_TRY, ALL_TRIES)
                    .flatMap(reply -> storage.assignRank(reply.getRank()).thenReturn(reply))
                    .publishOn(node.loop().scheduler())
                    .subscribe(
                            reply -> {
                                maps.offer(reply.getGroupMap());
                                join.onReply(reply, this);
                            },
                            e -> join.onRefused(FaultException.faultOf(e), this));
        }

        @Override
        public void wake(long pauseMs) {
            Mono.delay(Duration.ofMillis(pauseMs), node.loop().scheduler())
                    .subscribe(x -> join.onWake(this), x -> Loop.drop("join later", x));
        }

        @Override
        public void publish(int rank, long incarnation) {
            RankIdentity joined = new RankIdentity(
                    storage.engineIndex(),
                    rank,
                    storage.engineUuid().orElseThrow(),
                    node.address(),
                    node.config().faultDomain(),
                    request(storage, incarnation).getTargetCount(),
                    incarnation);
            LOG.info(
                    "engine {} joined as rank {}, incarnation {}",
                    joined.engineIndex(),
                    rank,
                    Long.toHexString(incarnation));
            publications.schedule(() -> {
                boolean isWanted = join.phase() == EngineJoin.Phase.JOINED && !erasure.isMarked();
                if (isWanted && identity == null) identity = publisher.publish(joined);
            });
        }

        @Override
        public void withdraw() {
            withdrawn()
                    .publishOn(node.loop().scheduler())
                    .subscribe(ok -> join.onWithdrawn(this), x -> Loop.drop("withdraw rank", x));
        }

        Mono<Boolean> withdrawn() {
            return Mono.fromCallable(() -> {
                        AutoCloseable published = identity;
                        identity = null;
                        closeQuietly(published);
                        return true;
                    })
                    .subscribeOn(publications);
        }

        @Override
        public void complain(Fault why, boolean isFinal) {
            int index = storage.engineIndex();
            LOG.warn("engine {} cannot join yet: {} ({})", index, why.message(), why.remedy());
            if (!isFinal) return;
            String rank = storage.rank().map(String::valueOf).orElse("");
            String message = "DAOS engine " + index + (rank.isEmpty() ? "" : " (rank " + rank + ")")
                    + " was not allowed to join the system";
            Map<String, String> fields =
                    rank.isEmpty() ? Map.of("data", why.message()) : Map.of("rank", rank, "data", why.message());
            node.ras().raise(RasId.ENGINE_JOIN_FAILED, Severity.ERROR, message, fields);
        }

        @Override
        public void tellExcluded(int rank, long incarnation, String info) {
            LOG.warn("rank {} has been excluded ({}): stops serving and joins anew", rank, info);
            node.ras()
                    .raise(
                            RasId.ENGINE_SUICIDE,
                            Severity.ERROR,
                            "excluded rank self terminated detected",
                            Map.of("rank", String.valueOf(rank), "inc", Long.toHexString(incarnation)));
        }
    }

    RankJoiner(NodeContext node, LeaderCaller leaders, MapsKeeper maps, RankPublisher publisher, Erasure erasure) {
        this.node = node;
        this.leaders = leaders;
        this.maps = maps;
        this.publisher = publisher;
        this.servers = maps.servers();
        this.erasure = erasure;
    }

    void register(Registrations r) {
        r.onFrom(RpcMethod.RANK_ACTION, RankActionRequest.parser(), this::action);
    }

    /** @param onReady runs on storage's thread when the storage is ready for use */
    void add(StorageAdmin storage, Runnable onReady) {
        Engine e = new Engine(storage);
        if (erasure.keepsStopped()) e.join.onStop();
        engines.put(storage.engineIndex(), e);
        StorageAdmin.Listener listener = new StorageAdmin.Listener() {
            @Override
            public void onState(StorageAdmin.State state) {
                if (state != StorageAdmin.State.READY) return;
                onReady.run();
                node.loop().run(() -> e.join.onReady(e));
            }
        };
        e.listening = storage.listen(listener);
        listener.onState(storage.state());
    }

    void remove(StorageAdmin storage) {
        Engine e = engines.get(storage.engineIndex());
        if (e == null || e.storage != storage) return;
        engines.remove(storage.engineIndex());
        closeQuietly(e.listening);
        node.loop().run(() -> {
            e.join.onStop();
            e.withdraw();
        });
    }

    /** Engines whose rank is known here, for {@link Orphans}. */
    List<StorageAdmin> joined() {
        return engines.values().stream()
                .filter(e -> e.join.phase() == EngineJoin.Phase.JOINED)
                .map(e -> e.storage)
                .toList();
    }

    List<StorageAdmin> storages() {
        return engines.values().stream().map(e -> e.storage).toList();
    }

    /** A storage of this node has a rank, or replaces one that had; empty while one is still being opened. */
    Optional<Boolean> isOfSystem() {
        List<StorageAdmin> all = storages();
        if (all.stream().anyMatch(s -> s.state() == StorageAdmin.State.STARTING)) return Optional.empty();
        return Optional.of(all.stream().anyMatch(s -> s.rank().isPresent() || s.isReplacement()));
    }

    /** Engines whose storage is formatted and ready. */
    List<StorageAdmin> ready() {
        return engines.values().stream()
                .map(e -> e.storage)
                .filter(s -> s.state() == StorageAdmin.State.READY)
                .toList();
    }

    private JoinRequest request(StorageAdmin storage, long incarnation) {
        NodeConfig.Engine c = node.config().engines().stream()
                .filter(x -> x.index() == storage.engineIndex())
                .findFirst()
                .orElseThrow();
        UUID uuid = storage.engineUuid().orElseThrow();
        return JoinRequest.newBuilder()
                .setSystem(node.config().system())
                .setUuid(Ids.bytes(uuid))
                .setWantedRank(storage.rank().orElse(-1))
                .setAddress(node.address())
                .setFaultDomain(node.config().faultDomain())
                .setIncarnation(incarnation)
                .setTargetCount(c.targetCount())
                .setEngineIndex(c.index())
                .setReplace(storage.isReplacement())
                .build();
    }

    @Override
    public void onGroupMap(GroupMap map) {
        engines.values().forEach(e -> e.join.onGroupMap(map, e));
    }

    private Mono<Empty> action(RankActionRequest r, RpcCall.Peer peer) {
        servers.requireReplica(peer);
        Engine e = engines.values().stream()
                .filter(x -> x.storage.rank().filter(k -> k == r.getRank()).isPresent())
                .findFirst()
                .orElseThrow(() -> Fault.of(FaultCode.OOG, "rank %d is not on this node", r.getRank())
                        .asException());
        boolean isStop = r.getAction() == SystemActionRequest.Action.STOP;
        if (!isStop && r.getAction() != SystemActionRequest.Action.START)
            throw Fault.of(FaultCode.INVAL, "unknown rank action %s", Integer.toUnsignedString(r.getActionValue()))
                    .asException();
        return Mono.fromCallable(() -> {
                    if (!isStop) erasure.releaseForStart();
                    if (isStop) e.join.onStop();
                    else e.join.onStart(e);
                    return true;
                })
                .subscribeOn(node.loop().scheduler())
                .flatMap(x -> isStop ? e.withdrawn() : Mono.just(true))
                .thenReturn(Empty.getDefaultInstance());
    }

    private static void closeQuietly(@Nullable AutoCloseable c) {
        if (c == null) return;
        try {
            c.close();
        } catch (Exception x) {
            LOG.warn("did not close cleanly: {}", x.toString());
        }
    }

    /** Withdraws every rank. Blocks while the other bundles let go. */
    void close() {
        for (Engine e : engines.values()) {
            e.join.onStop();
            closeQuietly(e.listening);
            closeQuietly(e.identity);
            e.identity = null;
        }
        engines.clear();
        publications.dispose();
    }
}
