package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.port.RpcServer;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.RebuildFinishRequest;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.model.wire.RebuildPrepareReply;
import io.daosmesh.model.wire.RebuildPrepareRequest;
import io.daosmesh.model.wire.RebuildPullRequest;
import io.daosmesh.model.wire.RebuildScanRequest;
import io.daosmesh.model.wire.RebuildSession;
import io.daosmesh.model.wire.RebuildStatusRequest;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A rank's part in rebuilds: answers the leader, one session a pool, the newest wins. Owner: rebuild loop. */
final class RankRebuild implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RankRebuild.class);

    /** An address has at most 259 bytes, the name of an operation fewer; a scan names {@link RankSession#BATCH_MAX} objects at once. */
    private static final MessageLimits LIMITS = MessageLimits.of(64, 260)
            .withCount(RebuildObjectsRequest.getDescriptor(), "objects", 4 * RankSession.BATCH_MAX);

    private final EngineMigration engine;
    private final RankSession.Parts parts;
    private final Map<UUID, RankSession> sessions = new HashMap<>();
    private final List<AutoCloseable> registrations = new ArrayList<>();

    RankRebuild(EngineMigration engine, RankSession.Parts parts) {
        this.engine = engine;
        this.parts = parts;
    }

    void register(RpcServer server) {
        int rank = engine.rank();
        registrations.add(server.register(rank, RpcMethod.REBUILD_PREPARE, this::onPrepare));
        registrations.add(server.register(rank, RpcMethod.REBUILD_SCAN, this::onScan));
        registrations.add(server.register(rank, RpcMethod.REBUILD_OBJECTS, this::onObjects));
        registrations.add(server.register(rank, RpcMethod.REBUILD_STATUS, this::onStatus));
        registrations.add(server.register(rank, RpcMethod.REBUILD_FINISH, this::onFinish));
        registrations.add(server.registerStream(rank, RpcMethod.REBUILD_PULL, this::onPull));
    }

    int rank() {
        return engine.rank();
    }

    /** Sums over all sessions, for metrics. Owner: rebuild loop. */
    void count(RebuildCounters counters) {
        sessions.values().forEach(s -> counters.add(s.status()));
    }

    private Mono<RpcMessage> onPrepare(RpcCall call) {
        return parse(() -> LIMITS.parse(RebuildPrepareRequest.parser(), call.body())
                        .getSession())
                .flatMap(s -> parts.loop().call(() -> {
                    admit(s);
                    return s;
                }))
                .flatMap(s -> engine.fence(s.pool(), s.version()))
                .map(hlc -> RpcMessage.of(
                        RebuildPrepareReply.newBuilder().setHlc(hlc).build()));
    }

    /** Replaces an older session; refuses one that is older than what runs. */
    private void admit(Session s) {
        RankSession running = sessions.get(s.pool());
        if (running != null && running.session().equals(s)) return;
        if (running != null && running.session().isNewerThan(s)) {
            throw Fault.of(FaultCode.STALE, "a newer rebuild session of pool %s runs here", s.pool())
                    .asException();
        }
        if (running != null) running.close();
        sessions.put(s.pool(), new RankSession(s, engine, parts));
    }

    private Mono<RpcMessage> onScan(RpcCall call) {
        return Mono.defer(() -> {
            RebuildScanRequest m = read(() -> LIMITS.parse(RebuildScanRequest.parser(), call.body()));
            Session s = Session.fromWire(m.getSession());
            return parts.maps()
                    .poolMap(s.pool(), s.version())
                    .publishOn(parts.loop().scheduler())
                    .map(map -> {
                        session(m.getSession()).startScan(atVersion(map, s), m.getStableEpoch());
                        return RpcMessage.of(Empty.getDefaultInstance());
                    });
        });
    }

    private static PoolMap atVersion(PoolMap map, Session s) {
        if (map.version() != s.version()) {
            throw Fault.of(FaultCode.STALE, "rebuild of an older pool map")
                    .with("have", map.version())
                    .with("need", s.version())
                    .asException();
        }
        return map;
    }

    private Mono<RpcMessage> onObjects(RpcCall call) {
        return Mono.defer(() -> {
            RebuildObjectsRequest m = read(() -> LIMITS.parse(RebuildObjectsRequest.parser(), call.body()));
            List<Work> works = m.getObjectsList().stream().map(Work::fromWire).toList();
            return parts.loop().call(() -> {
                session(m.getSession()).accept(m.getFromRank(), m.getBatch(), works);
                return RpcMessage.of(Empty.getDefaultInstance());
            });
        });
    }

    private Mono<RpcMessage> onStatus(RpcCall call) {
        return Mono.defer(() -> {
            RebuildStatusRequest m = read(() -> LIMITS.parse(RebuildStatusRequest.parser(), call.body()));
            return parts.loop()
                    .call(() -> RpcMessage.of(session(m.getSession()).status().toWire()));
        });
    }

    private Mono<RpcMessage> onFinish(RpcCall call) {
        return Mono.defer(() -> {
            RebuildFinishRequest m = read(() -> LIMITS.parse(RebuildFinishRequest.parser(), call.body()));
            return parts.loop().call(() -> {
                RankSession s = session(m.getSession());
                sessions.remove(s.session().pool());
                s.close();
                if (!m.getAborted()) s.reclaim(m.getNewMapVersion());
                return RpcMessage.of(Empty.getDefaultInstance());
            });
        });
    }

    private Flux<RpcMessage> onPull(RpcCall call) {
        return Flux.defer(() -> {
            RebuildPullRequest m = read(() -> LIMITS.parse(RebuildPullRequest.parser(), call.body()));
            Work w = Work.fromWire(m.getObject());
            UUID pool = Ids.uuid(m.getSession().getPool());
            PoolMap map = parts.maps()
                    .poolMap(pool)
                    .orElseThrow(
                            () -> Fault.of(FaultCode.NONEXIST, "pool %s", pool).asException());
            int target = map.target(w.source()).index();
            return engine.export(pool, target, w.container(), w.oid(), w.group(), m.getStableEpoch())
                    .map(b -> new RpcMessage(
                            MigrationBatchMessage.newBuilder()
                                    .addAllRecords(b.records())
                                    .build(),
                            b.data(),
                            b.onDone()));
        });
    }

    private RankSession session(RebuildSession wire) {
        Session wanted = Session.fromWire(wire);
        RankSession s = sessions.get(wanted.pool());
        if (s == null || !s.session().equals(wanted)) {
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no such rebuild session", engine.rank())
                    .asException();
        }
        return s;
    }

    /** Parses a message; a malformed one is DER_PROTO. */
    interface Parser<T> {
        T parse() throws com.google.protobuf.InvalidProtocolBufferException;
    }

    private static Mono<Session> parse(Parser<RebuildSession> parser) {
        return Mono.fromCallable(() -> Session.fromWire(read(parser)));
    }

    static <T> T read(Parser<T> parser) {
        try {
            return parser.parse();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new FaultException(Fault.of(FaultCode.PROTO, "malformed message: " + e.getMessage()));
        }
    }

    /** Ends every session; what was under way is told an error, never success. Any thread. */
    @Override
    public void close() {
        for (AutoCloseable r : registrations) closeQuietly(r);
        parts.loop().run(() -> {
            sessions.values().forEach(RankSession::close);
            sessions.clear();
        });
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
