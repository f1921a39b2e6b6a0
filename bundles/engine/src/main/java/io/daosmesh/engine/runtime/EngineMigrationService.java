package io.daosmesh.engine.runtime;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.runtime.rpc.ObjectHandlers;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.space.Leftovers;
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
    private final ClientWatch clients;

    EngineMigrationService(int rank, List<TargetProxy> targets, ClientWatch clients) {
        this.rank = rank;
        this.targets = targets;
        this.clients = clients;
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
    public Flux<Batch> export(UUID pool, int target, Wanted w) {
        Migration.Wanted wanted = new Migration.Wanted(
                address(pool, w.part().group(), 0), keys(w.part()), w.stableEpoch(), w.isSalvage(), w.hasIds());
        return Flux.<Batch>create(sink -> new ExportStream(unit(target), wanted, clients, sink).start())
                .doOnDiscard(Batch.class, b -> b.onDone().run());
    }

    @Override
    public Mono<Void> clear(UUID pool, int target, GroupPart part, int mapVersion, long stableEpoch) {
        Leftovers.Wanted wanted =
                new Leftovers.Wanted(address(pool, part.group(), mapVersion), keys(part), stableEpoch);
        return Mono.defer(() -> unit(target)
                .<Boolean>internal((t, answer) -> t.clear(wanted, ObjectHandlers.done(answer)))
                .then());
    }

    @Override
    public Mono<Void> filled(UUID pool, int target, GroupPart part, int mapVersion) {
        ShardAddress a = address(pool, part.group(), mapVersion);
        return Mono.defer(() -> unit(target)
                .<Boolean>internal((t, answer) -> t.filled(a, keys(part), ObjectHandlers.done(answer)))
                .then());
    }

    @Override
    public Mono<List<Held>> held(UUID pool, int target, List<StoredGroup> groups) {
        List<ShardAddress> all = groups.stream().map(g -> address(pool, g, 0)).toList();
        return Mono.defer(() -> unit(target).<List<Holdings.Held>>internal((t, answer) -> t.held(pool, all, answer)))
                .map(held -> held.stream()
                        .map(h -> new Held(h.asOf(), wire(h.dkeys())))
                        .toList());
    }

    @Override
    public Mono<List<Change>> changes(UUID pool, int target, int mapVersion, List<Since> groups) {
        List<ShardAddress> all =
                groups.stream().map(g -> address(pool, g.group(), mapVersion)).toList();
        List<Integer> since = groups.stream().map(Since::version).toList();
        return Mono.defer(() -> unit(target)
                        .<List<Migration.Change>>internal((t, answer) -> t.changes(pool, all, since, answer)))
                .map(changes -> changes.stream()
                        .map(c -> new Change(c.isGone(), c.isAll(), wire(c.dkeys())))
                        .toList());
    }

    private static ShardAddress address(UUID pool, StoredGroup g, int mapVersion) {
        return new ShardAddress(pool, g.container(), g.oid(), g.index(), mapVersion);
    }

    private static List<byte[]> keys(GroupPart part) {
        return part.dkeys().stream().map(ByteString::toByteArray).toList();
    }

    private static List<ByteString> wire(List<byte[]> keys) {
        return keys.stream().map(ByteString::copyFrom).toList();
    }

    @Override
    public Mono<Void> importBatch(
            UUID pool, int target, UUID container, ObjectId oid, List<MigratedRecordMessage> records, ByteBuffer data) {
        if (records.isEmpty()) return Mono.empty();
        return Mono.defer(() -> {
            TargetProxy u = unit(target);
            return u.pause(clients.pauseBeforeNs(data.remaining()))
                    .then(u.<Boolean>internal((t, answer) -> t.importBatch(
                                    new ShardAddress(pool, container, oid, 0, 0),
                                    records,
                                    data,
                                    ObjectHandlers.done(answer)))
                            .then());
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
