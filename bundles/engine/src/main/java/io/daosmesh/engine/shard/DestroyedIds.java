package io.daosmesh.engine.shard;

import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The containers of a pool shard that were destroyed last. Whoever still has one open must not write into it again: nobody
 * would ever delete that. Nor may a rebuild bring one back. Durable; an id is never used again. Owner: target loop.
 */
public final class DestroyedIds {
    /** More than anybody has open; older ones are forgotten. */
    static final int KEPT_MAX = 16_384;

    /** Clock at the destruction, oldest first. */
    private final Map<UUID, Long> containers = new LinkedHashMap<>();

    private final TargetContext context;
    private final UUID pool;

    private DestroyedIds(TargetContext context, UUID pool) {
        this.context = context;
        this.pool = pool;
    }

    /** What the index remembers of a shard, which fails when that cannot be read. */
    public static DestroyedIds of(TargetContext context, PoolShard shard) {
        DestroyedIds ids = new DestroyedIds(context, shard.pool());
        if (shard.failure() != null) return ids;
        try {
            ids.load();
        } catch (FaultException e) {
            shard.fail(e.fault());
        }
        return ids;
    }

    public boolean contains(UUID container) {
        return containers.containsKey(container);
    }

    /** Null if the container was not destroyed. */
    @Nullable
    Fault refusal(UUID container) {
        return contains(container) ? Fault.of(FaultCode.NONEXIST, "container %s was destroyed", container) : null;
    }

    private void load() {
        Map<Long, UUID> byAge = new TreeMap<>();
        byte[] prefix = Keys.destroyed(pool);
        try (KvCursor c = context.kv().cursor(KvRange.prefix(prefix))) {
            while (c.next()) {
                ByteBuffer key = ByteBuffer.wrap(c.key()).position(prefix.length);
                byAge.put(ByteBuffer.wrap(c.value()).getLong(), new UUID(key.getLong(), key.getLong()));
            }
        }
        byAge.forEach((hlc, container) -> containers.put(container, hlc));
    }

    /** Refuses the container from now on, over restarts as well when the operation is durable. Again changes nothing. */
    public void note(UUID container, StagedOp op) {
        if (contains(container)) return;
        long hlc = context.host().hlcNow();
        containers.put(container, hlc);
        op.batch()
                .put(
                        Keys.destroyed(pool, container),
                        ByteBuffer.allocate(8).putLong(hlc).array());
        Iterator<UUID> oldest = containers.keySet().iterator();
        while (containers.size() > KEPT_MAX) {
            op.batch().delete(Keys.destroyed(pool, oldest.next()));
            oldest.remove();
        }
    }
}
