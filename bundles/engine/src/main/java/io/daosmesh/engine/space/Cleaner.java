package io.daosmesh.engine.space;

import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.util.ArrayList;
import java.util.List;

/**
 * A target that comes back (UP) holds old data: what has other settled holders is deleted before anything else happens,
 * because it missed updates and punches meanwhile. What has none may be needed, and what this target itself is the settled
 * holder of is the last copy: both are kept. A durable marker makes it happen once for each return. Owner: target loop.
 */
public final class Cleaner {
    private static final int GROUPS_PER_STEP = 256;
    /** A failed walk begins anew after this: until the shard is clean it serves nothing. */
    private static final long RETRY_NS = 1_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    /** When a failed cleaning begins anew; 0 = none has failed. */
    private long againNs;

    public Cleaner(TargetContext context, PoolShard shard) {
        this.context = context;
        this.shard = shard;
    }

    public void start() {
        shard.setState(PoolShard.State.CLEANING);
        again();
    }

    /** Goes on where something has failed. */
    public void onTick() {
        if (againNs == 0 || context.nowNs() - againNs < 0) return;
        againNs = 0;
        again();
    }

    private void again() {
        PoolTarget me = shard.me();
        step(Keys.records(shard.pool()), me == null ? 0 : me.changedVersion());
    }

    /** @param version the return that this walk began for: what it has kept may have another holder at a later one */
    private void step(byte[] from, int version) {
        if (shard.state() != PoolShard.State.CLEANING) return;
        PoolTarget me = shard.me();
        if (me == null || !shard.needsCleaning()) {
            shard.setState(PoolShard.State.SERVING);
            return;
        }
        if (me.changedVersion() != version) {
            again();
            return;
        }
        List<byte[]> doomed = new ArrayList<>();
        byte[] at = from;
        boolean isEnd = false;
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.records(shard.pool())))) {
            for (int i = 0; i < GROUPS_PER_STEP; i++) {
                c.seek(at);
                if (!c.next()) {
                    isEnd = true;
                    break;
                }
                Keys.Parts parts = Keys.parse(c.key());
                if (isHeldByOthers(parts)) doomed.add(parts.groupPrefix());
                byte[] behind = KvRange.prefix(parts.groupPrefix()).to();
                if (behind == null) break;
                at = behind;
            }
        }
        byte[] next = at;
        boolean isLast = isEnd;
        Deletion.start(context, shard, doomed, fault -> {
            if (fault != null) againNs = context.nowNs() + RETRY_NS;
            else if (!isLast) step(next, version);
            else mark(version);
        });
    }

    private boolean isHeldByOthers(Keys.Parts parts) {
        ShardGroup g = shard.group(parts.oid(), parts.group());
        return g.isAvailable() && !g.settled().contains(shard.myId());
    }

    private void mark(int version) {
        int before = shard.marker().cleanedVersion();
        shard.setMarker(shard.marker().withCleaned(version));
        context.turns().stage(Opening.create(shard), fault -> {
            if (fault != null) {
                shard.setMarker(shard.marker().withCleaned(before));
                againNs = context.nowNs() + RETRY_NS;
            } else {
                // the map may have moved on: another return is cleaned again
                again();
            }
        });
    }
}
