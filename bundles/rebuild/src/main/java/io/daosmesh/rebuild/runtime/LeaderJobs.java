package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.RebuildFinishRequest;
import io.daosmesh.model.wire.RebuildPrepareReply;
import io.daosmesh.model.wire.RebuildPrepareRequest;
import io.daosmesh.model.wire.RebuildRankStatus;
import io.daosmesh.model.wire.RebuildScanRequest;
import io.daosmesh.model.wire.RebuildStatusRequest;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.RebuildEffects;
import io.daosmesh.rebuild.plan.RebuildJob;
import io.daosmesh.rebuild.plan.RebuildJob.Phase;
import io.daosmesh.rebuild.plan.Session;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Rebuild jobs of the pools whose service this node leads, at most one a pool. Owner: rebuild loop. */
final class LeaderJobs implements PoolServices.LeaderListener, RebuildProgress {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderJobs.class);
    private static final Duration TICK = Duration.ofMillis(50);

    /** A fence waits for operations under way, which have deadlines of their own of a few seconds. */
    private static final Duration PREPARE_MAX = Duration.ofSeconds(20);

    private static final Duration ASK_MAX = Duration.ofSeconds(3);
    private static final Duration RETRY_MAX = Duration.ofSeconds(10);

    private final Parts parts;
    private final Map<UUID, PoolLead> leads = new HashMap<>();
    private final Map<UUID, RebuildStatus> progress = new ConcurrentHashMap<>();
    /** Pools whose rebuild is being committed. */
    private final Set<UUID> finishing = ConcurrentHashMap.newKeySet();
    /** A tick is coming, as long as a job is under way. */
    private boolean isTicking;

    /** What the jobs work with. */
    record Parts(Loop loop, Rpc rpc, Maps maps, PoolServices pools, Hlc hlc, String address, RasRelay ras) {}

    LeaderJobs(Parts parts) {
        this.parts = parts;
    }

    @Override
    public RebuildStatus status(UUID pool) {
        return progress.getOrDefault(pool, RebuildStatus.NEVER);
    }

    @Override
    public boolean isFinishing(UUID pool) {
        return finishing.contains(pool);
    }

    @Override
    public void onLeading(PoolMap map, long term) {
        parts.loop().run(() -> lead(map, term));
    }

    @Override
    public void onNotLeading(UUID pool) {
        parts.loop().run(() -> {
            PoolLead lead = leads.remove(pool);
            if (lead != null) lead.drop();
            if (lead != null && lead.job != null) progress.put(pool, left(lead.job));
            else progress.remove(pool);
            finishing.remove(pool);
        });
    }

    /** How far it has come: who has stopped it wants to know. Whether a person has, the pool's service says. */
    private static RebuildStatus left(RebuildJob job) {
        RebuildStatus s = job.status(System.nanoTime());
        return new RebuildStatus(
                RebuildStatus.State.IDLE,
                0,
                s.mapVersion(),
                s.operation(),
                s.objectsTotal(),
                s.objects(),
                s.records(),
                s.bytes(),
                0,
                s.startedHlc(),
                s.durationMs());
    }

    private void lead(PoolMap map, long term) {
        PoolLead known = leads.get(map.pool());
        if (known != null && known.term == term && known.map.version() >= map.version()) return;
        PoolLead lead = new PoolLead(map, term);
        leads.put(map.pool(), lead);
        if (known != null) known.drop();
        if (map.needsRebuild() && !RebuildJob.participants(map).isEmpty()) lead.begin();
        else if (known == null) progress.remove(map.pool());
    }

    private void tickLater() {
        if (isTicking) return;
        isTicking = true;
        parts.loop().runAfter(TICK, this::onTick);
    }

    private void onTick() {
        isTicking = false;
        for (PoolLead lead : leads.values()) {
            RebuildJob job = lead.job;
            if (job == null) continue;
            job.onTick(System.nanoTime(), lead);
            progress.put(lead.map.pool(), job.status(System.nanoTime()));
            if (job.isUnderWay()) tickLater();
        }
    }

    /** One pool at one map version under this node's lead. */
    private final class PoolLead implements RebuildEffects {
        private final PoolMap map;
        private final long term;
        private @Nullable RebuildJob job;
        private boolean isDropped;
        private int attempts;

        PoolLead(PoolMap map, long term) {
            this.map = map;
            this.term = term;
        }

        void begin() {
            parts.pools()
                    .nextGeneration(map.pool())
                    .publishOn(parts.loop().scheduler())
                    .subscribe(this::begin, e -> failed(FaultException.faultOf(e)));
        }

        private void begin(long generation) {
            if (isDropped) return;
            String operation = RebuildJob.operation(map);
            Session s = new Session(map.pool(), map.version(), generation, term, parts.address(), operation);
            LOG.info("Rebuild [started] (pool {} ver={} gen={} op={})", brief(), map.version(), generation, operation);
            if (attempts == 0) ras(RasId.POOL_REBUILD_STARTED, Severity.NOTICE, "Pool rebuild started.");
            RebuildJob started = new RebuildJob(s, map, parts.hlc().now(), System.nanoTime());
            job = started;
            tickLater();
            started.onTick(System.nanoTime(), this);
        }

        void drop() {
            isDropped = true;
            if (job != null) job.abort(System.nanoTime(), this);
        }

        @Override
        public void sendPrepare(int rank) {
            RebuildPrepareRequest m =
                    RebuildPrepareRequest.newBuilder().setSession(session()).build();
            this.<RebuildPrepareReply>ask(
                    rank,
                    RpcMethod.REBUILD_PREPARE,
                    RpcMessage.of(m),
                    r -> RebuildPrepareReply.parseFrom(r.body()),
                    reply -> current().onPrepared(rank, reply.getHlc(), System.nanoTime(), this));
        }

        @Override
        public void sendScan(int rank, long stableEpoch) {
            RebuildScanRequest m = RebuildScanRequest.newBuilder()
                    .setSession(session())
                    .setStableEpoch(stableEpoch)
                    .build();
            this.<Boolean>ask(
                    rank,
                    RpcMethod.REBUILD_SCAN,
                    RpcMessage.of(m),
                    r -> true,
                    ok -> current().onScanStarted(rank, System.nanoTime()));
        }

        @Override
        public void sendStatus(int rank) {
            RebuildStatusRequest m =
                    RebuildStatusRequest.newBuilder().setSession(session()).build();
            this.<RankStatus>ask(
                    rank,
                    RpcMethod.REBUILD_STATUS,
                    RpcMessage.of(m),
                    r -> RankStatus.fromWire(RebuildRankStatus.parseFrom(r.body())),
                    status -> current().onStatus(rank, status, System.nanoTime(), this));
        }

        @Override
        public void commit() {
            RebuildJob asked = current();
            finishing.add(map.pool());
            parts.pools()
                    .completeRebuild(map.pool(), map.version())
                    .publishOn(parts.loop().scheduler())
                    .doOnTerminate(() -> finishing.remove(map.pool()))
                    .subscribe(
                            done -> asked.onCommitted(System.nanoTime(), this),
                            e -> asked.onCommitFailed(FaultException.faultOf(e), System.nanoTime(), this));
        }

        @Override
        public void finish(boolean isAborted) {
            RebuildJob over = current();
            RebuildStatus s = over.status(System.nanoTime());
            show(over, s);
            LOG.info(
                    "Rebuild [{}] (pool {} ver={} toberb_obj={} rb_obj={} rec={} bytes={} duration={} ms)",
                    isAborted ? "aborted" : "completed",
                    brief(),
                    map.version(),
                    s.objectsTotal(),
                    s.objects(),
                    s.records(),
                    s.bytes(),
                    s.durationMs());
            if (over.phase() == Phase.DONE) ras(RasId.POOL_REBUILD_FINISHED, Severity.NOTICE, "Pool rebuild finished.");
            RebuildFinishRequest m = RebuildFinishRequest.newBuilder()
                    .setSession(over.session().toWire())
                    .setAborted(isAborted)
                    .setNewMapVersion(isAborted ? map.version() : map.version() + 1)
                    .build();
            for (int rank : over.ranks()) {
                call(rank, RpcMethod.REBUILD_FINISH, RpcMessage.of(m), ASK_MAX, r -> true)
                        .subscribe(
                                ok -> {}, e -> LOG.debug("rank {} was not told of the end: {}", rank, e.getMessage()));
            }
        }

        /** A replaced job may still end well: shown unless a newer one runs. If it does not, it is nothing to show. */
        private void show(RebuildJob over, RebuildStatus status) {
            PoolLead now = leads.get(map.pool());
            if (now == this || (now != null && now.job == null && over.phase() == Phase.DONE)) {
                progress.put(map.pool(), status);
            } else if (now != null && now.job == null) {
                progress.remove(map.pool());
            }
        }

        @Override
        public void failed(Fault reason) {
            if (isDropped) return;
            attempts++;
            Duration pause = Duration.ofMillis(500L << Math.min(attempts, 5));
            Duration wait = pause.compareTo(RETRY_MAX) > 0 ? RETRY_MAX : pause;
            LOG.warn("rebuild of pool {} failed: {}; again in {} ms", brief(), reason.message(), wait.toMillis());
            ras(
                    RasId.POOL_REBUILD_FAILED,
                    Severity.ERROR,
                    "Pool rebuild failed: " + reason.code().label() + ".");
            parts.loop().runAfter(wait, () -> {
                if (!isDropped) begin();
            });
        }

        /** Asks a rank and brings the answer back to the loop, unless another attempt has begun meanwhile. */
        private <T> void ask(
                int rank, RpcMethod method, RpcMessage message, RpcReply.Decoder<T> decoder, Consumer<T> onAnswer) {
            RebuildJob asked = current();
            Duration deadline = method == RpcMethod.REBUILD_PREPARE ? PREPARE_MAX : ASK_MAX;
            call(rank, method, message, deadline, decoder)
                    .publishOn(parts.loop().scheduler())
                    .subscribe(
                            answer -> {
                                if (job == asked) onAnswer.accept(answer);
                            },
                            e -> {
                                if (job != asked) return;
                                asked.onRankFailed(rank, FaultException.faultOf(e), System.nanoTime(), this);
                            });
        }

        private <T> Mono<T> call(
                int rank, RpcMethod method, RpcMessage message, Duration deadline, RpcReply.Decoder<T> decoder) {
            return Mono.defer(() -> {
                Member member = parts.maps()
                        .groupMap()
                        .member(rank)
                        .orElseThrow(() -> Fault.of(FaultCode.OOG, "rank %d is not in the group map", rank)
                                .asException());
                return parts.rpc().call(Endpoint.rank(member.address(), rank), method, message, deadline, decoder);
            });
        }

        private io.daosmesh.model.wire.RebuildSession session() {
            return current().session().toWire();
        }

        private RebuildJob current() {
            RebuildJob j = job;
            if (j == null) throw new IllegalStateException("no rebuild job");
            return j;
        }

        private String brief() {
            return map.pool().toString().substring(0, 8);
        }

        private void ras(RasId id, Severity severity, String message) {
            parts.ras()
                    .raise(
                            id,
                            severity,
                            message,
                            Map.of(
                                    "pool",
                                    map.pool().toString(),
                                    "data",
                                    "ver=" + map.version() + " op=" + RebuildJob.operation(map)));
        }
    }
}
