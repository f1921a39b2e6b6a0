package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.Since;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.RebuildChange;
import io.daosmesh.model.wire.RebuildChangesReply;
import io.daosmesh.model.wire.RebuildChangesRequest;
import io.daosmesh.model.wire.RebuildFinishRequest;
import io.daosmesh.model.wire.RebuildObjectMessage;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.model.wire.RebuildPrepareReply;
import io.daosmesh.model.wire.RebuildPrepareRequest;
import io.daosmesh.model.wire.RebuildPullRequest;
import io.daosmesh.model.wire.RebuildRankStatus;
import io.daosmesh.model.wire.RebuildScanRequest;
import io.daosmesh.model.wire.RebuildStatusRequest;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.Survey;
import io.daosmesh.rebuild.scan.Work;
import io.daosmesh.rebuild.session.RankSession;
import io.daosmesh.rebuild.session.RankSessions;
import io.daosmesh.rebuild.session.Reclaims;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A rank's part in rebuilds: answers the leader, one session a pool, the newest wins. Owner: rebuild loop. */
final class RankRebuild implements Maps.Listener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankRebuild.class);

    /** As in the fault KEY2BIG. */
    private static final int DKEY_BYTES_MAX = 4096;

    /** An address has at most 259 bytes, the name of an operation fewer; a scan names {@link RankSession#BATCH_MAX} objects at once. */
    private static final MessageLimits LIMITS = MessageLimits.of(64, 260)
            .withCount(RebuildObjectsRequest.getDescriptor(), "objects", 4 * RankSession.BATCH_MAX)
            .withCount(RebuildChangesRequest.getDescriptor(), "objects", Survey.ASKED_MAX)
            .withCount(RebuildChangesRequest.getDescriptor(), "since", Survey.ASKED_MAX)
            .withBytes(RebuildObjectMessage.getDescriptor(), "dkeys", DKEY_BYTES_MAX);

    private final EngineMigration engine;
    private final SessionIo.Parts parts;
    private final RankSessions sessions;
    private final Reclaims reclaims;
    private final ReclaimIo reclaimIo;
    private final Registrations registrations;

    RankRebuild(EngineMigration engine, SessionIo.Parts parts, RpcServer server) {
        this.engine = engine;
        this.parts = parts;
        this.sessions = new RankSessions(engine.rank());
        this.reclaims = new Reclaims(this::reclaim);
        this.reclaimIo = new ReclaimIo(engine, parts.maps());
        this.registrations = new Registrations(server, engine.rank(), LIMITS);
    }

    void register() {
        registrations.on(RpcMethod.REBUILD_PREPARE, RebuildPrepareRequest.parser(), this::onPrepare);
        registrations.on(RpcMethod.REBUILD_SCAN, RebuildScanRequest.parser(), this::onScan);
        registrations.on(RpcMethod.REBUILD_OBJECTS, RebuildObjectsRequest.parser(), this::onObjects);
        registrations.on(RpcMethod.REBUILD_STATUS, RebuildStatusRequest.parser(), this::onStatus);
        registrations.on(RpcMethod.REBUILD_FINISH, RebuildFinishRequest.parser(), this::onFinish);
        registrations.on(RpcMethod.REBUILD_CHANGES, RebuildChangesRequest.parser(), this::onChanges);
        registrations.onStream(RpcMethod.REBUILD_PULL, RebuildPullRequest.parser(), (m, peer) -> onPull(m));
    }

    int rank() {
        return engine.rank();
    }

    /** Sums over all sessions, for metrics. Owner: rebuild loop. */
    void count(RebuildCounters counters) {
        sessions.all().forEach(s -> counters.add(s.status()));
    }

    /** Ends what nobody leads any more, and deletes what is still to be deleted. */
    void onTick(long nowNs) {
        sessions.onTick(nowNs);
        reclaims.onTick(nowNs);
    }

    @Override
    public void onPoolMap(PoolMap map) {
        parts.loop().run(() -> {
            boolean wasEnded = sessions.onMap(map.pool(), map.version());
            if (wasEnded && !map.needsRebuild()) reclaims.add(map.pool(), map.version(), System.nanoTime());
        });
    }

    @Override
    public void onPoolGone(UUID pool) {
        parts.loop().run(() -> {
            sessions.onPoolGone(pool);
            reclaims.onPoolGone(pool);
        });
    }

    private void reclaim(UUID pool, int mapVersion) {
        reclaimIo
                .run(pool, mapVersion)
                .publishOn(parts.loop().scheduler())
                .subscribe(
                        nothing -> {},
                        e -> onReclaimFailed(pool, FaultException.faultOf(e)),
                        () -> reclaims.onDone(pool, mapVersion, System.nanoTime()));
    }

    private void onReclaimFailed(UUID pool, Fault fault) {
        LOG.info("rank {}: reclaim of pool {}: {}", rank(), pool, fault.message());
        if (fault.code() == FaultCode.NONEXIST) reclaims.onPoolGone(pool);
        else reclaims.onFailed(pool, System.nanoTime());
    }

    private Mono<RebuildPrepareReply> onPrepare(RebuildPrepareRequest m) {
        Session s = Session.fromWire(m.getSession());
        return parts.loop()
                .call(() -> {
                    sessions.admit(s, System.nanoTime(), () -> SessionIo.open(s, engine, parts));
                    return s;
                })
                .flatMap(admitted -> engine.fence(s.pool(), s.version()))
                .doOnError(
                        e -> isPointless(FaultException.faultOf(e)),
                        e -> parts.loop().run(() -> sessions.finish(s)))
                .map(hlc -> RebuildPrepareReply.newBuilder().setHlc(hlc).build());
    }

    /** The map is superseded, or the pool is not here: no map will come that ends the session. */
    private static boolean isPointless(Fault fault) {
        return fault.code() == FaultCode.STALE || fault.code() == FaultCode.NONEXIST;
    }

    private Mono<Empty> onScan(RebuildScanRequest m) {
        Session s = Session.fromWire(m.getSession());
        return parts.maps()
                .poolMap(s.pool(), s.version())
                .publishOn(parts.loop().scheduler())
                .map(map -> {
                    long now = System.nanoTime();
                    sessions.heard(s, now).startScan(map, m.getStableEpoch(), now);
                    return Empty.getDefaultInstance();
                });
    }

    private Mono<Empty> onObjects(RebuildObjectsRequest m) {
        Session s = Session.fromWire(m.getSession());
        List<Work> works = m.getObjectsList().stream().map(Work::fromWire).toList();
        return parts.loop().call(() -> {
            sessions.of(s).accept(m.getFromRank(), m.getBatch(), works, System.nanoTime());
            return Empty.getDefaultInstance();
        });
    }

    private Mono<RebuildRankStatus> onStatus(RebuildStatusRequest m) {
        Session s = Session.fromWire(m.getSession());
        return parts.loop()
                .call(() -> sessions.heard(s, System.nanoTime()).status().toWire());
    }

    private Mono<Empty> onFinish(RebuildFinishRequest m) {
        Session s = Session.fromWire(m.getSession());
        return parts.loop().call(() -> {
            sessions.finish(s);
            // also when a newer map has ended it before: that may not say how it ended
            if (!m.getAborted()) reclaims.add(s.pool(), m.getNewMapVersion(), System.nanoTime());
            return Empty.getDefaultInstance();
        });
    }

    private Mono<RebuildChangesReply> onChanges(RebuildChangesRequest m) {
        if (m.getObjectsCount() == 0 || m.getObjectsCount() != m.getSinceCount())
            throw Fault.of(FaultCode.INVAL, "%d groups, %d versions", m.getObjectsCount(), m.getSinceCount())
                    .asException();
        List<Since> groups = new ArrayList<>();
        for (int i = 0; i < m.getObjectsCount(); i++)
            groups.add(new Since(Work.fromWire(m.getObjects(i)).stored(), m.getSince(i)));
        UUID pool = Ids.uuid(m.getSession().getPool());
        int target = map(pool).target(m.getObjects(0).getSourceTarget()).index();
        return engine.changes(pool, target, m.getSession().getMapVersion(), groups)
                .map(changes -> RebuildChangesReply.newBuilder()
                        .addAllChanges(changes.stream()
                                .map(c -> RebuildChange.newBuilder()
                                        .setGone(c.isGone())
                                        .setAll(c.isAll())
                                        .addAllDkeys(c.dkeys())
                                        .build())
                                .toList())
                        .build());
    }

    private PoolMap map(UUID pool) {
        return parts.maps()
                .poolMap(pool)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "pool %s", pool).asException());
    }

    private Flux<RpcMessage> onPull(RebuildPullRequest m) {
        Work w = Work.fromWire(m.getObject());
        UUID pool = Ids.uuid(m.getSession().getPool());
        int target = map(pool).target(w.source()).index();
        var wanted = new EngineMigration.Wanted(w.part(), m.getStableEpoch(), m.getSalvage(), m.getIds());
        return engine.export(pool, target, wanted)
                .map(b -> new RpcMessage(
                        MigrationBatchMessage.newBuilder()
                                .addAllRecords(b.records())
                                .build(),
                        b.data(),
                        b.onDone()));
    }

    /** Ends every session; what was under way is told an error, never success. Any thread. */
    @Override
    public void close() {
        registrations.close();
        parts.loop().run(sessions::close);
    }

    static void closeQuietly(@Nullable AutoCloseable closeable) {
        if (closeable == null) return;
        try {
            closeable.close();
        } catch (Exception e) {
            LOG.warn("closing: {}", e.getMessage());
        }
    }
}
