package io.daosmesh.rebuild.session;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What a rank has to delete after rebuilds: the groups that have left it. Tried until it is done, once for each map, one pool
 * at most once at a time. Keeps a few numbers for each of a rank's pools. Owner: rebuild loop. Pure.
 */
public final class Reclaims {
    static final long RETRY_MIN_NS = 1_000_000_000L;
    static final long RETRY_MAX_NS = 64_000_000_000L;

    private static final int DOUBLINGS_MAX = 6;

    private final Map<UUID, OfPool> byPool = new HashMap<>();
    private final Effect out;

    /** Deletes it; answered by {@link Reclaims#onDone} or {@link Reclaims#onFailed}. */
    @FunctionalInterface
    public interface Effect {
        /** @param mapVersion by this map of the pool or a newer one */
        void reclaim(UUID pool, int mapVersion);
    }

    private static final class OfPool {
        int wantedVersion;
        int doneVersion;
        boolean isUnderWay;
        int failures;
        long notBeforeNs;

        OfPool(long nowNs) {
            notBeforeNs = nowNs;
        }
    }

    public Reclaims(Effect out) {
        this.out = out;
    }

    /** A rebuild of a pool that this rank took part in is over; the map after it. Again changes nothing. */
    public void add(UUID pool, int mapVersion, long nowNs) {
        OfPool p = byPool.computeIfAbsent(pool, k -> new OfPool(nowNs));
        p.wantedVersion = Math.max(p.wantedVersion, mapVersion);
        start(pool, p, nowNs);
    }

    public void onTick(long nowNs) {
        List.copyOf(byPool.entrySet()).forEach(e -> start(e.getKey(), e.getValue(), nowNs));
    }

    private void start(UUID pool, OfPool p, long nowNs) {
        if (p.isUnderWay || p.doneVersion >= p.wantedVersion || nowNs - p.notBeforeNs < 0) return;
        p.isUnderWay = true;
        out.reclaim(pool, p.wantedVersion);
    }

    /** All that had to go by the map of the request is gone. */
    public void onDone(UUID pool, int mapVersion, long nowNs) {
        OfPool p = byPool.get(pool);
        if (p == null) return;
        p.isUnderWay = false;
        p.failures = 0;
        p.doneVersion = Math.max(p.doneVersion, mapVersion);
        start(pool, p, nowNs);
    }

    public void onFailed(UUID pool, long nowNs) {
        OfPool p = byPool.get(pool);
        if (p == null) return;
        p.isUnderWay = false;
        p.notBeforeNs = nowNs + Math.min(RETRY_MAX_NS, RETRY_MIN_NS << Math.min(DOUBLINGS_MAX, p.failures++));
    }

    public void onPoolGone(UUID pool) {
        byPool.remove(pool);
    }

    /** Pools that have something left to delete, as far as this rank knows. */
    public int count() {
        return (int) byPool.values().stream()
                .filter(p -> p.doneVersion < p.wantedVersion)
                .count();
    }
}
