package io.daosmesh.engine.read;

import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.wire.FetchRequest;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads of a pool shard that any thread answers at once from the value cache, by the rules of {@link Reads}: the pool
 * serves here, by the reader's map this target leads the group, and leases let it answer alone. In this order: the leases
 * are looked at first, the value after that. So at the first moment every acknowledged update had passed here, and at the
 * second none was staged that the value does not have.
 */
public final class HotReads {
    private final TargetContext context;
    private final PoolShard shard;
    private final ValueCache cache;

    public HotReads(TargetContext context, PoolShard shard, ValueCache cache) {
        this.context = context;
        this.shard = shard;
        this.cache = cache;
    }

    /** Any thread; null = the target loop has to be asked. */
    public @Nullable Fetched fetch(FetchRequest r) {
        if (r.getEpoch() != 0 || r.getAnyReplica()) return null;
        ShardAddress a = ShardAddress.of(r.getAddress());
        Fetched found = find(a, key(a, r));
        cache.count(found != null);
        if (found != null) {
            shard.counters().fetches.increment();
            shard.counters().fetchBytes.add(found.data().remaining());
        }
        return found;
    }

    private @Nullable Fetched find(ShardAddress a, byte @Nullable [] key) {
        CachedValue v = key == null ? null : cache.find(key);
        if (v == null || v.mapVersion != a.mapVersion() || !mayAnswer(v)) return null;
        return v.answer(context.host()::hlcNow);
    }

    /** The lease table knows no version but the newest that a target here acts by. */
    private boolean mayAnswer(CachedValue v) {
        return shard.state() == PoolShard.State.SERVING
                && context.host().leases().holds(shard.pool(), v.mapVersion, v.otherRanks)
                && (!v.otherRanks.isEmpty() || context.host().hasMajority());
    }

    private static byte @Nullable [] key(ShardAddress a, FetchRequest r) {
        return ValueCache.key(Keys.under(a.groupPrefix(), r.getDkey().toByteArray()), r.getValuesList());
    }

    /**
     * Target loop: what the slow way has just found as the newest is remembered; its bytes follow. Null when it may change
     * without a further change of the index: because something is prepared that becomes visible with its commit.
     */
    @Nullable
    CachedValue note(ShardAddress a, FetchRequest r, int dataBytes) {
        if (r.getEpoch() != 0 || r.getAnyReplica() || dataBytes > ValueCache.VALUE_BYTES_MAX) return null;
        byte[] group = a.groupPrefix();
        byte[] dkey = Keys.under(group, r.getDkey().toByteArray());
        byte[] key = ValueCache.key(dkey, r.getValuesList());
        boolean isOpen = !shard.dtx().epochs(dkey).isEmpty()
                || !shard.dtx().epochs(Keys.punches(group)).isEmpty();
        if (key == null || isOpen) return null;
        ShardGroup g = shard.group(a.oid(), a.group());
        return cache.note(key, dataBytes, a.mapVersion(), List.copyOf(shard.otherRanks(g)));
    }

    /** Who serves or leads may be another from now on. Target loop. */
    public void clear() {
        cache.drop(Keys.records(shard.pool()));
    }
}
