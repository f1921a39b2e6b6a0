package io.daosmesh.management.node;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.KnownServers;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Registrations;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.JoinReply;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.RankActionRequest;
import io.daosmesh.model.wire.SystemActionRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * Brings the engines of this node into the system: each whose storage is ready joins, again after every exclusion, until it
 * is told to stop. Owner: management loop; identities are published and withdrawn on a thread of their own, in order.
 */
final class RankJoiner implements Maps.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(RankJoiner.class);
    private static final Duration ONE_TRY = Duration.ofSeconds(2);
    private static final Duration ALL_TRIES = Duration.ofSeconds(10);
    /** A refusal that only an administrator can lift, and a rank that was just excluded, ask again at this pace. */
    private static final Duration REFUSED_PAUSE = Duration.ofSeconds(2);

    /** Nobody was there to ask, or not yet. */
    private static final Duration MISSED_PAUSE = Duration.ofMillis(100);

    private final NodeContext node;
    private final LeaderCaller leaders;
    private final MapsKeeper maps;
    private final RankPublisher publisher;
    private final KnownServers servers;
    private final Scheduler publications = Schedulers.newBoundedElastic(1, 64, "daosmesh-management-ranks", 30, true);
    private final Map<Integer, Engine> engines = new ConcurrentHashMap<>();

    private enum Phase {
        /** Storage is not ready, or nobody has asked yet. */
        IDLE,
        JOINING,
        JOINED,
        /** By an administrator; until told to start. */
        STOPPED
    }

    private static final class Engine {
        final StorageAdmin storage;
        volatile Phase phase = Phase.IDLE;
        int rank = -1;
        long incarnation;
        /** The last complaint, so that the same one is logged once. */
        String complaint = "";

        volatile @Nullable AutoCloseable identity;

        @Nullable
        AutoCloseable listening;

        Engine(StorageAdmin storage) {
            this.storage = storage;
        }
    }

    RankJoiner(NodeContext node, LeaderCaller leaders, MapsKeeper maps, RankPublisher publisher, KnownServers servers) {
        this.node = node;
        this.leaders = leaders;
        this.maps = maps;
        this.publisher = publisher;
        this.servers = servers;
    }

    void register(Registrations r) {
        r.onFrom(RpcMethod.RANK_ACTION, RankActionRequest.parser(), this::action);
    }

    /** @param onReady runs on storage's thread when the storage is ready for use */
    void add(StorageAdmin storage, Runnable onReady) {
        Engine e = new Engine(storage);
        engines.put(storage.engineIndex(), e);
        e.listening = storage.listen(new StorageAdmin.Listener() {
            @Override
            public void onState(StorageAdmin.State state) {
                if (state != StorageAdmin.State.READY) return;
                onReady.run();
                node.loop().run(() -> start(e));
            }
        });
        if (storage.state() == StorageAdmin.State.READY) {
            onReady.run();
            node.loop().run(() -> start(e));
        }
    }

    void remove(StorageAdmin storage) {
        Engine e = engines.get(storage.engineIndex());
        if (e == null || e.storage != storage) return;
        engines.remove(storage.engineIndex());
        closeQuietly(e.listening);
        node.loop().run(() -> {
            e.phase = Phase.STOPPED;
            withdraw(e).subscribe(ok -> {}, x -> Loop.drop("withdraw rank", x));
        });
    }

    /** Engines whose rank is known here, for {@link Orphans}. */
    List<StorageAdmin> joined() {
        return engines.values().stream()
                .filter(e -> e.phase == Phase.JOINED)
                .map(e -> e.storage)
                .toList();
    }

    /** Engines whose storage is formatted and ready. */
    List<StorageAdmin> ready() {
        return engines.values().stream()
                .map(e -> e.storage)
                .filter(s -> s.state() == StorageAdmin.State.READY)
                .toList();
    }

    private void start(Engine e) {
        if (e.phase != Phase.IDLE) return;
        e.phase = Phase.JOINING;
        e.incarnation = node.hlc().now();
        join(e);
    }

    private void join(Engine e) {
        if (e.phase != Phase.JOINING || engines.get(e.storage.engineIndex()) != e) return;
        leaders.call(RpcMethod.JOIN, request(e), JoinReply.parser(), ONE_TRY, ALL_TRIES)
                .flatMap(reply -> e.storage.assignRank(reply.getRank()).thenReturn(reply))
                .publishOn(node.loop().scheduler())
                .subscribe(reply -> onReply(e, reply), error -> onRefused(e, FaultException.faultOf(error)));
    }

    private JoinRequest request(Engine e) {
        NodeConfig.Engine c = node.config().engines().stream()
                .filter(x -> x.index() == e.storage.engineIndex())
                .findFirst()
                .orElseThrow();
        UUID uuid = e.storage.engineUuid().orElseThrow();
        return JoinRequest.newBuilder()
                .setSystem(node.config().system())
                .setUuid(Ids.bytes(uuid))
                .setWantedRank(e.storage.rank().orElse(-1))
                .setAddress(node.address())
                .setFaultDomain(node.config().faultDomain())
                .setIncarnation(e.incarnation)
                .setTargetCount(c.targetCount())
                .setEngineIndex(c.index())
                .build();
    }

    private void onReply(Engine e, JoinReply reply) {
        maps.offer(reply.getGroupMap());
        if (e.phase != Phase.JOINING) return;
        if (reply.getState() != MemberMessage.State.JOINED) {
            // This life has been excluded or stopped while the answer was on its way: a new one joins.
            e.incarnation = node.hlc().now();
            later(e, MISSED_PAUSE);
            return;
        }
        e.phase = Phase.JOINED;
        e.rank = reply.getRank();
        e.complaint = "";
        RankIdentity identity = new RankIdentity(
                e.storage.engineIndex(),
                e.rank,
                e.storage.engineUuid().orElseThrow(),
                node.address(),
                node.config().faultDomain(),
                request(e).getTargetCount(),
                e.incarnation);
        LOG.info(
                "engine {} joined as rank {}, incarnation {}",
                identity.engineIndex(),
                e.rank,
                Long.toHexString(e.incarnation));
        publications.schedule(() -> {
            if (e.phase == Phase.JOINED && e.identity == null) e.identity = publisher.publish(identity);
        });
    }

    private void onRefused(Engine e, Fault f) {
        if (!f.code().name().equals(e.complaint)) {
            e.complaint = f.code().name();
            LOG.warn("engine {} cannot join yet: {} ({})", e.storage.engineIndex(), f.message(), f.remedy());
            if (isFinal(f.code())) {
                node.ras()
                        .raise(
                                RasId.ENGINE_JOIN_FAILED,
                                Severity.ERROR,
                                "DAOS engine " + e.storage.engineIndex() + " failed to join: " + f.message(),
                                Map.of());
            }
        }
        if (f.code() == FaultCode.STALE || f.code() == FaultCode.EXCLUDED)
            e.incarnation = node.hlc().now();
        later(e, isFinal(f.code()) ? REFUSED_PAUSE : MISSED_PAUSE);
    }

    private static boolean isFinal(FaultCode c) {
        return switch (c) {
            case ID_MISMATCH, MISMATCH, INVAL, EXCLUDED, OVERFLOW, NO_PERM, BAD_CERT, PROTO -> true;
            default -> false;
        };
    }

    private void later(Engine e, Duration pause) {
        Mono.delay(pause, node.loop().scheduler()).subscribe(x -> join(e), x -> Loop.drop("join later", x));
    }

    @Override
    public void onGroupMap(GroupMap map) {
        for (Engine e : engines.values()) {
            if (e.phase != Phase.JOINED) continue;
            Member m = map.member(e.rank).orElse(null);
            if (m == null || m.incarnation() != e.incarnation) continue;
            if (m.state() == MemberState.EXCLUDED || m.state() == MemberState.ADMIN_EXCLUDED) onExcluded(e, m);
        }
    }

    /** The others have given this life up: its engine must not serve any more, a new life may join. */
    private void onExcluded(Engine e, Member m) {
        LOG.warn("rank {} has been excluded ({}): stops serving and joins anew", e.rank, m.info());
        node.ras()
                .raise(
                        RasId.ENGINE_SELF_TERMINATED,
                        Severity.ERROR,
                        "excluded rank self terminated detected",
                        Map.of("rank", String.valueOf(e.rank), "inc", Long.toHexString(e.incarnation)));
        e.phase = Phase.JOINING;
        withdraw(e)
                .publishOn(node.loop().scheduler())
                .subscribe(
                        ok -> {
                            e.incarnation = node.hlc().now();
                            later(e, REFUSED_PAUSE);
                        },
                        x -> Loop.drop("withdraw rank", x));
    }

    private Mono<Boolean> withdraw(Engine e) {
        return Mono.fromCallable(() -> {
                    AutoCloseable identity = e.identity;
                    e.identity = null;
                    closeQuietly(identity);
                    return true;
                })
                .subscribeOn(publications);
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
                    if (isStop) {
                        e.phase = Phase.STOPPED;
                    } else if (e.phase == Phase.STOPPED) {
                        e.phase = Phase.IDLE;
                        start(e);
                    }
                    return true;
                })
                .subscribeOn(node.loop().scheduler())
                .flatMap(x -> isStop ? withdraw(e) : Mono.just(true))
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
            e.phase = Phase.STOPPED;
            closeQuietly(e.listening);
            closeQuietly(e.identity);
            e.identity = null;
        }
        engines.clear();
        publications.dispose();
    }
}
