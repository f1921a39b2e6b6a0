package io.daosmesh.engine.runtime;

import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.runtime.rpc.ObjectHandlers;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A rank's data for the rebuild bundle. Any thread. */
public final class EngineMigrationService implements EngineMigration {
    private final int rank;
    private final List<TargetProxy> targets;

    EngineMigrationService(int rank, List<TargetProxy> targets) {
        this.rank = rank;
        this.targets = targets;
    }

    @Override
    public int rank() {
        return rank;
    }

    @Override
    public int targetCount() {
        return targets.size();
    }

    private TargetProxy unit(int target) {
        if (target < 0 || target >= targets.size())
            throw Fault.of(FaultCode.INVAL, "rank %d has no target %d", rank, target)
                    .asException();
        return targets.get(target);
    }

    @Override
    public Mono<Long> fence(UUID pool, int mapVersion) {
        return Flux.merge(targets.stream()
                        .map(u -> u.<Long>internal((t, answer) -> t.fence(pool, mapVersion, answer)))
                        .toList())
                .reduce(0L, Math::max);
    }

    @Override
    public Flux<StoredObject> scan(UUID pool, int target) {
        return page(pool, target, new byte[0])
                .expand(p -> p.isEnd() ? Mono.empty() : page(pool, target, p.anchor()))
                .concatMapIterable(Enumerator.Page::items)
                .map(o -> new StoredObject(o.container(), o.oid()));
    }

    private Mono<Enumerator.Page<Enumerator.StoredOid>> page(UUID pool, int target, byte[] anchor) {
        return Mono.defer(() -> unit(target).internal((t, answer) -> t.scan(pool, anchor, answer)));
    }

    @Override
    public Flux<Batch> export(UUID pool, int target, StoredGroup group, long stableEpoch, boolean isSalvage) {
        ShardAddress a = new ShardAddress(pool, group.container(), group.oid(), group.index(), 0);
        Migration.Wanted wanted = new Migration.Wanted(a, stableEpoch, isSalvage);
        return Flux.<Batch>create(sink -> new ExportStream(unit(target), wanted, sink).start())
                .doOnDiscard(Batch.class, b -> b.onDone().run());
    }

    @Override
    public Mono<Void> clearGroup(UUID pool, int target, StoredGroup group, int mapVersion, long stableEpoch) {
        ShardAddress a = new ShardAddress(pool, group.container(), group.oid(), group.index(), mapVersion);
        return Mono.defer(() -> unit(target)
                .<Boolean>internal((t, answer) -> t.clearGroup(a, stableEpoch, ObjectHandlers.done(answer)))
                .then());
    }

    @Override
    public Mono<Void> importBatch(
            UUID pool, int target, UUID container, ObjectId oid, List<MigratedRecordMessage> records, ByteBuffer data) {
        if (records.isEmpty()) return Mono.empty();
        return Mono.defer(() -> {
            TargetProxy u = unit(target);
            return u.<Boolean>internal((t, answer) -> t.importBatch(
                            new ShardAddress(pool, container, oid, 0, 0), records, data, ObjectHandlers.done(answer)))
                    .then();
        });
    }

    @Override
    public Mono<Void> reclaim(
            UUID pool, int target, UUID container, ObjectId oid, Set<Integer> groups, int mapVersion) {
        ShardAddress a = new ShardAddress(pool, container, oid, 0, mapVersion);
        return Mono.defer(() -> unit(target)
                .<Boolean>internal((t, answer) -> t.reclaim(a, groups, ObjectHandlers.done(answer)))
                .then());
    }
}
