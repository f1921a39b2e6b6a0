package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.model.wire.RebuildPullRequest;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.util.retry.Retry;

/** One rebuild attempt on one rank: its scan, its pulls, its numbers. Owner: rebuild loop. */
final class RankSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankSession.class);

    /** Objects named in one message to a new home. */
    static final int BATCH_MAX = 256;

    /** Batches of records that a source may send ahead; each is at most 1 MiB. */
    private static final int PULL_AHEAD = 2;

    private static final Duration SEND_MAX = Duration.ofSeconds(5);

    /** One batch of records must arrive in this time, else the source counts as lost. */
    private static final Duration BATCH_DEADLINE = Duration.ofSeconds(10);

    private final Session session;
    private final EngineMigration engine;
    private final Parts parts;
    private final PullQueue queue = new PullQueue();
    /** Works under way whose destination holds nothing older any more. */
    private final Set<Work> cleared = new HashSet<>();
    /** Fails everything under way when the session ends: a cancelled pull is an error, never a success (trap RB-02). */
    private final Sinks.Empty<Object> ended = Sinks.empty();

    private boolean isClosed;
    private final Map<Integer, Long> batches = new HashMap<>();
    private @Nullable PoolMap map;
    private long stableEpoch;
    private boolean isScanDone;
    private long objectsFound;
    private int scanStatus;
    private String scanDetail = "";

    /** What sessions work with. */
    record Parts(Loop loop, Rpc rpc, Maps maps) {}

    RankSession(Session session, EngineMigration engine, Parts parts) {
        this.session = session;
        this.engine = engine;
        this.parts = parts;
    }

    Session session() {
        return session;
    }

    RankStatus status() {
        boolean isFailed = scanStatus != 0 || queue.status() != 0;
        return new RankStatus(
                isScanDone && !isFailed,
                queue.isDone() && !isFailed,
                objectsFound,
                queue.received(),
                queue.pulled(),
                queue.records(),
                queue.bytes(),
                scanStatus != 0 ? scanStatus : queue.status(),
                scanStatus != 0 ? scanDetail : queue.detail());
    }

    /** Starts once; asked again it changes nothing. */
    void startScan(PoolMap atVersion, long epoch) {
        if (map != null) return;
        map = atVersion;
        stableEpoch = epoch;
        Flux<Work> works = Flux.fromIterable(Scan.scanned(atVersion, engine.rank()))
                .concatMap(t -> engine.scan(session.pool(), t.index())
                        .concatMapIterable(o -> Scan.works(atVersion, t.id(), o.container(), o.oid())));
        works.buffer(BATCH_MAX)
                .takeUntilOther(ended.asMono())
                .publishOn(parts.loop().scheduler())
                .concatMap(this::send, 1)
                .subscribe(sent -> objectsFound += sent, this::onScanFailed, () -> isScanDone = true);
        pump();
    }

    private void onScanFailed(Throwable e) {
        Fault f = FaultException.faultOf(e);
        scanStatus = f.code().number();
        scanDetail = f.text();
        LOG.warn("rebuild scan on rank {} failed: {}", engine.rank(), f.message());
    }

    /** Sends works to their new homes, rank by rank; each batch is repeated until it is acknowledged. */
    private Mono<Integer> send(List<Work> works) {
        PoolMap m = currentMap();
        Map<Integer, List<Work>> byRank = works.stream()
                .collect(Collectors.groupingBy(
                        w -> m.target(w.destination()).rank(), TreeMap::new, Collectors.toList()));
        return Flux.fromIterable(byRank.entrySet())
                .concatMap(e -> sendTo(e.getKey(), e.getValue()))
                .reduce(0, Integer::sum);
    }

    private Mono<Integer> sendTo(int rank, List<Work> works) {
        long batch = batches.merge(rank, 1L, Long::sum);
        RebuildObjectsRequest request = RebuildObjectsRequest.newBuilder()
                .setSession(session.toWire())
                .setFromRank(engine.rank())
                .setBatch(batch)
                .addAllObjects(works.stream().map(Work::toWire).toList())
                .build();
        return Mono.defer(() -> parts.rpc()
                        .call(
                                endpoint(rank),
                                RpcMethod.REBUILD_OBJECTS,
                                RpcMessage.of(request),
                                SEND_MAX,
                                r -> works.size()))
                .retryWhen(Retry.backoff(100, Duration.ofMillis(100))
                        .maxBackoff(Duration.ofSeconds(2))
                        .scheduler(parts.loop().scheduler())
                        .filter(RankSession::mayRepeat)
                        .onRetryExhaustedThrow((spec, signal) -> signal.failure()))
                .publishOn(parts.loop().scheduler());
    }

    /** A full queue or a lost connection: again. A lost session or map: the leader starts afresh. */
    private static boolean mayRepeat(Throwable e) {
        FaultCode code = FaultException.faultOf(e).code();
        return code != FaultCode.NONEXIST && code != FaultCode.STALE && code != FaultCode.PROTO;
    }

    void accept(int fromRank, long batch, List<Work> works) {
        queue.accept(fromRank, batch, works);
        pump();
    }

    private void pump() {
        if (map == null || isClosed) return;
        for (Optional<PullQueue.Attempt> a = queue.next(); a.isPresent(); a = queue.next()) pull(a.get());
    }

    private void pull(PullQueue.Attempt attempt) {
        long[] moved = new long[2];
        Mono<Void> pulled = Mono.defer(() -> clear(attempt.work()))
                .thenMany(Flux.defer(() -> records(source(attempt))))
                .concatMap(
                        b -> {
                            moved[0] += b.records().size();
                            moved[1] += b.data().remaining();
                            return store(attempt.work(), b);
                        },
                        PULL_AHEAD)
                .then();
        pulled.takeUntilOther(ended.asMono())
                .publishOn(parts.loop().scheduler())
                .subscribe(
                        nothing -> {},
                        e -> {
                            LOG.info("pull of {} failed: {}", attempt.work(), e.getMessage());
                            queue.onPullFailed(attempt, FaultException.faultOf(e));
                            parts.loop().runAfter(Duration.ofMillis(200), this::pump);
                        },
                        () -> {
                            cleared.remove(attempt.work());
                            queue.onPulled(moved[0], moved[1]);
                            pump();
                        });
    }

    /** Once for each work: what an earlier stay of the group has left here could come to light again. */
    private Mono<Void> clear(Work w) {
        if (cleared.contains(w)) return Mono.empty();
        int target = currentMap().target(w.destination()).index();
        var group = new EngineMigration.StoredGroup(w.container(), w.oid(), w.group());
        return engine.clearGroup(session.pool(), target, group, session.version(), stableEpoch)
                .publishOn(parts.loop().scheduler())
                .doOnSuccess(done -> cleared.add(w));
    }

    /** After a failure another holder, if there is one: a record may be damaged at the first. */
    private Work source(PullQueue.Attempt attempt) {
        Work w = attempt.work();
        List<Integer> holders =
                Placement.group(currentMap(), w.oid(), w.group()).settled();
        int first = holders.indexOf(w.source());
        if (first < 0) return w;
        return w.from(holders.get((first + attempt.tries()) % holders.size()));
    }

    /** Records of a work with their bytes, copied out of the network's buffers. */
    private record Records(List<MigratedRecordMessage> records, ByteBuffer data) {}

    private Flux<Records> records(Work w) {
        RebuildPullRequest request = RebuildPullRequest.newBuilder()
                .setSession(session.toWire())
                .setObject(w.toWire())
                .setStableEpoch(stableEpoch)
                .build();
        int source = currentMap().target(w.source()).rank();
        return parts.rpc().stream(endpoint(source), RpcMethod.REBUILD_PULL, RpcMessage.of(request), reply -> {
                    MigrationBatchMessage m = MigrationBatchMessage.parseFrom(reply.body());
                    ByteBuffer copy = ByteBuffer.allocate(reply.data().remaining());
                    copy.put(reply.data().duplicate()).flip();
                    return new Records(m.getRecordsList(), copy);
                })
                .timeout(BATCH_DEADLINE, parts.loop().scheduler());
    }

    private Mono<Void> store(Work w, Records b) {
        PoolTarget destination = currentMap().target(w.destination());
        return engine.importBatch(session.pool(), destination.index(), w.container(), w.oid(), b.records(), b.data());
    }

    /** After a finished rebuild: deletes what no longer belongs here at the new map. */
    void reclaim(int newVersion) {
        UUID pool = session.pool();
        parts.maps()
                .poolMap(pool, newVersion)
                .flatMapMany(m -> Flux.fromIterable(Scan.scanned(m, engine.rank()))
                        .concatMap(t -> engine.scan(pool, t.index()).concatMap(o -> {
                            var foreign = Scan.foreignGroups(m, t.id(), o.oid());
                            if (foreign.isEmpty()) return Mono.<Void>empty();
                            return engine.reclaim(pool, t.index(), o.container(), o.oid(), foreign, m.version());
                        })))
                .subscribe(nothing -> {}, e -> LOG.info("reclaim of pool {}: {}", pool, e.getMessage()));
    }

    private Endpoint endpoint(int rank) {
        Member member = parts.maps()
                .groupMap()
                .member(rank)
                .orElseThrow(() -> Fault.of(FaultCode.OOG, "rank %d is not in the group map", rank)
                        .asException());
        return Endpoint.rank(member.address(), rank);
    }

    private PoolMap currentMap() {
        PoolMap m = map;
        if (m == null) throw new IllegalStateException("scan has not started");
        return m;
    }

    /** Cancels everything under way. */
    @Override
    public void close() {
        isClosed = true;
        ended.tryEmitError(
                Fault.of(FaultCode.OP_CANCELED, "the rebuild session has ended").asException());
    }
}
