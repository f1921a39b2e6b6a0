package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.RebuildChange;
import io.daosmesh.model.wire.RebuildChangesReply;
import io.daosmesh.model.wire.RebuildChangesRequest;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.model.wire.RebuildPullRequest;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.Pace;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.pull.Survey;
import io.daosmesh.rebuild.scan.Work;
import io.daosmesh.rebuild.session.RankSession;
import io.daosmesh.rebuild.session.SessionEffects;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Does what one session of a rank wants, with the rank's engine and its peers. Owner: rebuild loop. */
final class SessionIo implements SessionEffects {
    private static final Logger LOG = LoggerFactory.getLogger(SessionIo.class);

    /** Batches of records that a source may send ahead; each is at most 1 MiB. */
    private static final int PULL_AHEAD = 2;

    private static final Duration SEND_MAX = Duration.ofSeconds(5);

    /** One batch of records must arrive in this time, else the source counts as lost. */
    private static final Duration BATCH_DEADLINE = Duration.ofSeconds(10);

    private final EngineMigration engine;
    private final Parts parts;
    private final RankSession session;
    /** Fails everything under way when the session ends: a cancelled pull is an error, never a success (trap RB-02). */
    private final Sinks.Empty<Object> ended = Sinks.empty();

    private final Pace pace = new Pace();
    private @Nullable Pages pages;

    /** What sessions work with. */
    record Parts(Loop loop, Rpc rpc, Maps maps, Rates rates) {}

    private SessionIo(Session session, EngineMigration engine, Parts parts) {
        this.engine = engine;
        this.parts = parts;
        this.session = new RankSession(session, engine.rank(), this);
    }

    static RankSession open(Session session, EngineMigration engine, Parts parts) {
        return new SessionIo(session, engine, parts).session;
    }

    private UUID pool() {
        return session.session().pool();
    }

    /** Objects of one target. */
    private record Page(int target, List<EngineMigration.StoredObject> objects) {}

    /** Hands over one page for each request. */
    private final class Pages extends BaseSubscriber<Page> {
        @Override
        protected void hookOnSubscribe(Subscription subscription) {}

        @Override
        protected void hookOnNext(Page p) {
            session.onStored(p.target, p.objects, System.nanoTime());
        }

        @Override
        protected void hookOnComplete() {
            session.onScanEnd();
        }

        @Override
        protected void hookOnError(Throwable e) {
            Fault f = FaultException.faultOf(e);
            LOG.warn("rebuild scan on rank {} failed: {}", engine.rank(), f.message());
            session.onScanFailed(f);
        }
    }

    @Override
    public void startScan(List<PoolTarget> targets) {
        Pages p = new Pages();
        pages = p;
        Flux.fromIterable(targets)
                .concatMap(t -> engine.scan(pool(), t.index())
                        .buffer(RankSession.BATCH_MAX)
                        .map(objects -> new Page(t.id(), objects)))
                .takeUntilOther(ended.asMono())
                .publishOn(parts.loop().scheduler(), 1)
                .subscribe(p);
    }

    @Override
    public void readNext() {
        Pages p = pages;
        if (p != null) p.request(1);
    }

    @Override
    public void send(RankSession.Batch batch) {
        RebuildObjectsRequest request = RebuildObjectsRequest.newBuilder()
                .setSession(session.session().toWire())
                .setFromRank(engine.rank())
                .setBatch(batch.number())
                .addAllObjects(batch.works().stream().map(Work::toWire).toList())
                .build();
        RpcMessage message = RpcMessage.of(request);
        await(
                Mono.defer(() -> parts.rpc()
                        .call(endpoint(batch.rank()), RpcMethod.REBUILD_OBJECTS, message, SEND_MAX, r -> true)),
                () -> session.onSent(batch),
                f -> {
                    LOG.info("objects for rank {}: {}", batch.rank(), f.message());
                    session.onSendFailed(batch, f, System.nanoTime());
                });
    }

    @Override
    public void survey(List<Survey.Arrival> works) {
        int target = target(works.get(0).work());
        List<StoredGroup> groups = works.stream().map(a -> a.work().stored()).toList();
        List<Change> answer = new ArrayList<>();
        await(
                engine.held(pool(), target, groups)
                        .flatMap(held -> missing(works, held))
                        .doOnNext(answer::addAll),
                () -> session.onSurveyed(answer, System.nanoTime()),
                f -> {
                    LOG.info("changes of {} groups: {}", works.size(), f.message());
                    session.onSurveyFailed(System.nanoTime());
                });
    }

    private Mono<List<Change>> missing(List<Survey.Arrival> works, List<Held> held) {
        boolean isOwn = works.get(0).isOwn();
        if (!isOwn && held.stream().allMatch(h -> h.asOf() == 0))
            return Mono.just(Collections.nCopies(works.size(), Change.ALL));
        RebuildChangesRequest.Builder request =
                RebuildChangesRequest.newBuilder().setSession(session.session().toWire());
        for (int i = 0; i < works.size(); i++) {
            request.addObjects(works.get(i).work().toWire())
                    .addSince(held.get(i).asOf());
        }
        int source = session.map().target(works.get(0).work().source()).rank();
        return parts.rpc()
                .call(endpoint(source), RpcMethod.REBUILD_CHANGES, RpcMessage.of(request.build()), SEND_MAX, reply -> {
                    List<Change> changes = new ArrayList<>();
                    for (RebuildChange c :
                            RebuildChangesReply.parseFrom(reply.body()).getChangesList())
                        changes.add(new Change(c.getGone(), c.getAll(), c.getDkeysList()));
                    if (changes.isEmpty() || changes.size() > works.size())
                        throw Fault.of(FaultCode.PROTO, "%d answers for %d groups", changes.size(), works.size())
                                .asException();
                    if (!isOwn)
                        for (int i = 0; i < changes.size(); i++)
                            changes.set(i, Survey.missing(held.get(i), changes.get(i)));
                    return changes;
                });
    }

    private int target(Work w) {
        return session.map().target(w.destination()).index();
    }

    @Override
    public void clear(PullQueue.Attempt attempt, long stableEpoch) {
        Work w = attempt.work();
        await(
                engine.clear(pool(), target(w), w.part(), session.session().version(), stableEpoch),
                () -> session.onCleared(attempt),
                f -> onPullFailed(attempt, f));
    }

    @Override
    public void fill(PullQueue.Attempt attempt) {
        Work w = attempt.work();
        await(
                engine.filled(pool(), target(w), w.part(), session.session().version()),
                () -> session.onFilled(attempt, System.nanoTime()),
                f -> onPullFailed(attempt, f));
    }

    @Override
    public void pull(PullQueue.Attempt attempt, Work from, long stableEpoch) {
        long[] moved = new long[2];
        await(
                Flux.defer(() -> records(attempt, from, stableEpoch))
                        .concatMap(
                                b -> {
                                    moved[0] += b.records().size();
                                    moved[1] += b.data().remaining();
                                    return store(attempt.work(), b)
                                            .then(pause(b.data().limit()));
                                },
                                PULL_AHEAD)
                        .then(),
                () -> session.onPulled(attempt, moved[0], moved[1], System.nanoTime()),
                f -> onPullFailed(attempt, f));
    }

    private void onPullFailed(PullQueue.Attempt attempt, Fault f) {
        LOG.info("pull of {} failed: {}", attempt.work(), f.message());
        session.onPullFailed(attempt, f, System.nanoTime());
    }

    /** The outcome comes on the loop; the end of the session is a failure. */
    private void await(Mono<?> work, Runnable done, Consumer<Fault> failed) {
        work.then()
                .takeUntilOther(ended.asMono())
                .publishOn(parts.loop().scheduler())
                .subscribe(nothing -> {}, e -> failed.accept(FaultException.faultOf(e)), done);
    }

    /** Records of a work with their bytes, copied out of the network's buffers. */
    private record Records(List<MigratedRecordMessage> records, ByteBuffer data) {}

    private Flux<Records> records(PullQueue.Attempt attempt, Work from, long stableEpoch) {
        RebuildPullRequest request = RebuildPullRequest.newBuilder()
                .setSession(session.session().toWire())
                .setObject(from.toWire())
                .setStableEpoch(stableEpoch)
                .setSalvage(attempt.isSalvage())
                .setIds(attempt.isFirst())
                .build();
        int source = session.map().target(from.source()).rank();
        return parts.rpc().stream(endpoint(source), RpcMethod.REBUILD_PULL, RpcMessage.of(request), reply -> {
                    MigrationBatchMessage m = MigrationBatchMessage.parseFrom(reply.body());
                    ByteBuffer copy = ByteBuffer.allocate(reply.data().remaining());
                    copy.put(reply.data().duplicate()).flip();
                    return new Records(m.getRecordsList(), copy);
                })
                .timeout(BATCH_DEADLINE, parts.loop().scheduler());
    }

    private Mono<Void> store(Work w, Records b) {
        return engine.importBatch(pool(), target(w), w.container(), w.oid(), b.records(), b.data());
    }

    /** Keeps to the pool's rate; a new one counts from the next batch on. */
    private Mono<Void> pause(long bytes) {
        return Mono.fromSupplier(() -> pace.pauseNs(bytes, parts.rates().of(pool()), System.nanoTime()))
                .subscribeOn(parts.loop().scheduler())
                .filter(ns -> ns > 0)
                .flatMap(ns -> Mono.delay(Duration.ofNanos(ns), parts.loop().scheduler()))
                .then();
    }

    private Endpoint endpoint(int rank) {
        Member member = parts.maps()
                .groupMap()
                .member(rank)
                .orElseThrow(() -> Fault.of(FaultCode.OOG, "rank %d is not in the group map", rank)
                        .asException());
        return Endpoint.rank(member.address(), rank);
    }

    @Override
    public void wakeAfter(long delayNs) {
        parts.loop().runAfter(Duration.ofNanos(delayNs), () -> session.onTick(System.nanoTime()));
    }

    @Override
    public void cancel() {
        ended.tryEmitError(
                Fault.of(FaultCode.OP_CANCELED, "the rebuild session has ended").asException());
    }
}
