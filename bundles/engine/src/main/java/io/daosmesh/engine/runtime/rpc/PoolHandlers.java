package io.daosmesh.engine.runtime.rpc;

import io.daosmesh.engine.rank.DeviceReaction;
import io.daosmesh.engine.rank.Target;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.shard.DamagedRecords;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerDestroyTargetRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.TargetCreateReply;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.TargetSpaceMessage;
import io.daosmesh.model.wire.UnreadableObjectMessage;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.PoolSpace;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Pool shards of one rank: create, destroy, space. Storage's tables are written on the admin thread. */
public final class PoolHandlers {
    /** DAOS: data_thresh, 4 KiB. */
    private static final int DATA_THRESHOLD_BYTES = 4096;

    private static final int DATA_THRESHOLD_BYTES_MAX = 1 << 20;

    /** Far more pools than a rank holds; forgotten ones cost the guard against requests that come very late. */
    private static final int TERMS_MAX = 1024;

    private final List<TargetProxy> targets;
    private final EngineStorage storage;
    private final Scheduler admin;
    /** Pools that are being made or removed. */
    private final Set<UUID> changing = ConcurrentHashMap.newKeySet();

    /** Newest term of its service that has had a pool made here. */
    private final Map<UUID, Long> terms = new ConcurrentHashMap<>();

    public PoolHandlers(List<TargetProxy> targets, EngineStorage storage, Executor admin) {
        this.targets = targets;
        this.storage = storage;
        this.admin = Schedulers.fromExecutor(admin);
    }

    public void register(Registrations r) {
        r.on(RpcMethod.TARGET_CREATE, TargetCreateRequest.parser(), this::create);
        r.on(RpcMethod.TARGET_DESTROY, TargetDestroyRequest.parser(), this::destroy);
        r.on(RpcMethod.TARGET_QUERY, TargetQueryRequest.parser(), this::query);
        r.on(RpcMethod.CONTAINER_DESTROY_TARGET, ContainerDestroyTargetRequest.parser(), this::destroyContainer);
    }

    private Mono<TargetCreateReply> create(TargetCreateRequest r) {
        UUID pool = Ids.uuid(r.getPool());
        return alone(pool, r.getTerm(), Mono.defer(() -> makeOnAll(pool, r)));
    }

    /** Not while the pool is made or removed here already: BUSY; and STALE when a later term has asked for something since. */
    private <T> Mono<T> alone(UUID pool, long term, Mono<T> work) {
        return Mono.defer(() -> {
            if (!changing.add(pool))
                return Mono.error(Fault.of(FaultCode.BUSY, "pool %s is being made or removed here", pool)
                        .asException());
            long newest = newest(pool, term);
            Mono<T> allowed = term == 0 || term == newest
                    ? work
                    : Mono.error(Fault.of(FaultCode.STALE, "term %d has gone on with the pool", newest)
                            .asException());
            return allowed.doOnTerminate(() -> changing.remove(pool)).doOnCancel(() -> changing.remove(pool));
        });
    }

    private long newest(UUID pool, long term) {
        if (term == 0) return 0;
        if (terms.size() >= TERMS_MAX) terms.clear();
        return terms.merge(pool, term, Math::max);
    }

    /** What lies on a device that does not serve is made too, and comes into the pool with the device. */
    private Mono<TargetCreateReply> makeOnAll(UUID pool, TargetCreateRequest r) {
        PoolMap map = PoolMap.fromWire(r.getMap());
        int threshold = threshold(r.getPropertiesMap().getOrDefault("data_thresh", ""));
        return Mono.fromRunnable(() -> storage.reservePool(pool, r.getScmBytesPerTarget(), r.getNvmeBytesPerTarget()))
                .subscribeOn(admin)
                .thenMany(onAll(unit -> {
                    PoolSpace space = unit.storage().pool(pool);
                    boolean isOut = isOut(unit);
                    return (t, answer) -> t.create(space, map, threshold, fault -> {
                        if (fault == null) t.onProperties(pool, r.getPropertiesMap());
                        if (fault == null && isOut) t.noteOutForDevice(pool, true);
                        ObjectHandlers.done(answer).done(fault);
                    });
                }))
                .then(Mono.fromCallable(() -> TargetCreateReply.newBuilder()
                        .addAllOutIndexes(targets.stream()
                                .filter(this::isOut)
                                .map(u -> u.storage().index())
                                .toList())
                        .build()));
    }

    private boolean isOut(TargetProxy unit) {
        return DeviceReaction.isLost(storage.deviceState(unit.storage().device()));
    }

    private static int threshold(String text) {
        if (text.isEmpty()) return DATA_THRESHOLD_BYTES;
        try {
            int bytes = Integer.parseInt(text);
            if (bytes >= 0 && bytes <= DATA_THRESHOLD_BYTES_MAX) return bytes;
        } catch (NumberFormatException e) {
            // refused below
        }
        throw Fault.of(FaultCode.INVAL, "data_thresh '%s' is not 0..%d bytes", text, DATA_THRESHOLD_BYTES_MAX)
                .asException();
    }

    private Mono<Empty> destroy(TargetDestroyRequest r) {
        UUID pool = Ids.uuid(r.getPool());
        Mono<Empty> work = r.getTerm() == 0 ? removeFromAll(pool) : removeUncounted(pool);
        return alone(pool, r.getTerm(), work);
    }

    /** The undoing of an extension may come late: what the pool counts on by now is not its own any more. */
    private Mono<Empty> removeUncounted(UUID pool) {
        return onAll(unit -> (t, answer) -> answer.answer(t.isInMap(pool), null))
                .any(isInMap -> isInMap)
                .flatMap(isCounted -> isCounted
                        ? Mono.error(Fault.of(FaultCode.STALE, "pool %s counts on this rank", pool)
                                .asException())
                        : removeFromAll(pool));
    }

    private Mono<Empty> removeFromAll(UUID pool) {
        return onAll(unit -> (t, answer) -> t.destroy(pool, ObjectHandlers.done(answer)))
                .then(Mono.fromRunnable(() -> {
                            storage.releasePool(pool);
                            terms.remove(pool);
                        })
                        .subscribeOn(admin))
                .then(Mono.just(Empty.getDefaultInstance()));
    }

    private Mono<Empty> destroyContainer(ContainerDestroyTargetRequest r) {
        UUID pool = Ids.uuid(r.getPool());
        UUID container = Ids.uuid(r.getContainer());
        return onAll(unit -> (t, answer) -> t.destroyContainer(pool, container, ObjectHandlers.done(answer)))
                .then(Mono.just(Empty.getDefaultInstance()));
    }

    /** The same on every target, all at once. */
    private Flux<Boolean> onAll(Function<TargetProxy, BiConsumer<Target, Answer<Boolean>>> work) {
        return Flux.defer(() ->
                Flux.merge(targets.stream().map(u -> u.internal(work.apply(u))).toList()));
    }

    private Mono<TargetQueryReply> query(TargetQueryRequest r) {
        UUID pool = Ids.uuid(r.getPool());
        return Mono.fromCallable(() -> {
            if (storage.pool(pool).isEmpty())
                throw Fault.of(FaultCode.NONEXIST, "pool %s is not on this rank", pool)
                        .asException();
            TargetQueryReply.Builder reply = TargetQueryReply.newBuilder();
            // what is promised to a pool counts only as far as there is room for it
            long writableBytes = storage.scmWritableBytes() / targets.size();
            for (TargetProxy unit : targets) {
                PoolSpace s = unit.storage().pool(pool);
                DamagedRecords.Report unreadable = unreadable(unit, pool);
                reply.addTargets(TargetSpaceMessage.newBuilder()
                        .setIndex(unit.storage().index())
                        .setScmTotal(s.scm().totalBytes())
                        .setScmFree(Math.min(s.scm().freeBytes(), writableBytes))
                        .setNvmeTotal(s.blob().sizeBytes())
                        .setNvmeFree(s.blob().allocator().usableBytes())
                        .setUnreadableRecords(unreadable.records())
                        .addAllUnreadableObjects(unreadable.objects().stream()
                                .map(PoolHandlers::message)
                                .toList()));
            }
            return reply.build();
        });
    }

    private static DamagedRecords.Report unreadable(TargetProxy unit, UUID pool) {
        return unit.shards().stream()
                .filter(s -> s.pool().equals(pool))
                .map(s -> s.damaged().report())
                .findFirst()
                .orElse(new DamagedRecords.Report(0, List.of()));
    }

    private static UnreadableObjectMessage message(DamagedRecords.Damaged d) {
        return UnreadableObjectMessage.newBuilder()
                .setContainer(Ids.bytes(d.container()))
                .setOidHigh(d.oid().high())
                .setOidLow(d.oid().low())
                .setRecords(d.records())
                .build();
    }
}
