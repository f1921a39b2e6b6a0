package io.daosmesh.engine.object;

import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
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
final class Cleaner {
    private static final int GROUPS_PER_STEP = 256;
    /** A failed walk begins anew after this: until the shard is clean it serves nothing. */
    private static final long RETRY_NS = 1_000_000_000L;

    private final Env env;

    private final Runnable onServing;

    Cleaner(Env env, Runnable onServing) {
        this.env = env;
        this.onServing = onServing;
    }

    void start(PoolShard s) {
        s.setState(PoolShard.State.CLEANING);
        again(s);
    }

    /** Goes on where something has failed. */
    void onTick(PoolShard s) {
        if (s.cleanAgainNs == 0 || env.nowNs() - s.cleanAgainNs < 0) return;
        s.cleanAgainNs = 0;
        again(s);
    }

    private void again(PoolShard s) {
        PoolTarget me = s.me();
        step(s, Keys.records(s.pool()), me == null ? 0 : me.changedVersion());
    }

    /** @param version the return that this walk began for: what it has kept may have another holder at a later one */
    private void step(PoolShard s, byte[] from, int version) {
        if (s.state() != PoolShard.State.CLEANING) return;
        PoolTarget me = s.me();
        if (me == null || !s.needsCleaning()) {
            s.setState(PoolShard.State.SERVING);
            onServing.run();
            return;
        }
        if (me.changedVersion() != version) {
            again(s);
            return;
        }
        List<byte[]> doomed = new ArrayList<>();
        byte[] at = from;
        boolean isEnd = false;
        try (KvCursor c = env.kv().cursor(KvRange.prefix(Keys.records(s.pool())))) {
            for (int i = 0; i < GROUPS_PER_STEP; i++) {
                c.seek(at);
                if (!c.next()) {
                    isEnd = true;
                    break;
                }
                Keys.Parts parts = Keys.parse(c.key());
                if (isHeldByOthers(s, parts)) doomed.add(parts.groupPrefix());
                byte[] behind = KvRange.prefix(parts.groupPrefix()).to();
                if (behind == null) break;
                at = behind;
            }
        }
        byte[] next = at;
        boolean isLast = isEnd;
        Deletion.start(env, s, doomed, fault -> {
            if (fault != null) s.cleanAgainNs = env.nowNs() + RETRY_NS;
            else if (!isLast) step(s, next, version);
            else mark(s, version);
        });
    }

    private static boolean isHeldByOthers(PoolShard s, Keys.Parts parts) {
        ShardGroup g = s.group(parts.oid(), parts.group());
        return g.isAvailable() && !g.settled().contains(s.myId());
    }

    private void mark(PoolShard s, int version) {
        int before = s.cleanedVersion;
        s.cleanedVersion = version;
        StagedOp op = new StagedOp(true);
        op.batch().put(Keys.marker(s.pool()), s.marker());
        env.turns().stage(op, (@org.jspecify.annotations.Nullable Fault fault) -> {
            if (fault != null) {
                s.cleanedVersion = before;
                s.cleanAgainNs = env.nowNs() + RETRY_NS;
            } else {
                // the map may have moved on: another return is cleaned again
                again(s);
            }
        });
    }
}
