package io.daosmesh.engine.runtime.loop;

import io.daosmesh.engine.turn.SizedLatency;
import io.daosmesh.model.metric.StatsGauge;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** Latencies and numbers of one target. Any thread. */
public final class TargetMetrics {
    /** Requests with DAOS's operation names. */
    public enum Op {
        UPDATE,
        FETCH,
        TGT_UPDATE,
        OBJ_PUNCH,
        TGT_PUNCH,
        OBJ_ENUM;

        public boolean isSized() {
            return this == UPDATE || this == FETCH || this == TGT_UPDATE;
        }

        public String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** Of requests that should take equally long: operations by size. */
    public static final int KINDS = Op.values().length * SizedLatency.CLASSES;

    private final Map<Op, Ended> ended = new EnumMap<>(Op.class);
    private final Map<Op, AtomicInteger> active = new EnumMap<>(Op.class);
    private final Map<Op, StatsGauge> activeStats = new EnumMap<>(Op.class);
    private final Map<Op, SizedLatency> sized = new EnumMap<>(Op.class);
    private final Map<Op, StatsGauge> unsized = new EnumMap<>(Op.class);
    private final AtomicLong failures = new AtomicLong();

    /** By size. */
    private static final class Ended {
        final AtomicLongArray counts = new AtomicLongArray(SizedLatency.CLASSES);
        final AtomicLongArray sumNs = new AtomicLongArray(SizedLatency.CLASSES);
    }

    public TargetMetrics() {
        for (Op op : Op.values()) {
            ended.put(op, new Ended());
            active.put(op, new AtomicInteger());
            activeStats.put(op, new StatsGauge());
            if (op.isSized()) sized.put(op, new SizedLatency());
            else unsized.put(op, new StatsGauge());
        }
    }

    public long begin(Op op) {
        get(activeStats, op).record(get(active, op).incrementAndGet());
        return System.nanoTime();
    }

    public void end(Op op, long startNs, long bytes) {
        get(active, op).decrementAndGet();
        long nanos = System.nanoTime() - startNs;
        int size = SizedLatency.index(bytes);
        get(ended, op).sumNs.addAndGet(size, nanos);
        get(ended, op).counts.incrementAndGet(size);
        if (op.isSized()) get(sized, op).record(nanos, bytes);
        else get(unsized, op).record(nanos / 1000.0);
    }

    /** Adds the requests that have ended until now, by kind, and what they took together. */
    public void addEnded(long[] counts, long[] sumNs) {
        int kind = 0;
        for (Ended e : ended.values()) {
            for (int size = 0; size < SizedLatency.CLASSES; size++, kind++) {
                counts[kind] += e.counts.get(size);
                sumNs[kind] += e.sumNs.get(size);
            }
        }
    }

    /** Requests under way. */
    public int activeCount() {
        int sum = 0;
        for (AtomicInteger a : active.values()) sum += a.get();
        return sum;
    }

    public StatsGauge active(Op op) {
        return get(activeStats, op);
    }

    public SizedLatency sized(Op op) {
        return get(sized, op);
    }

    public StatsGauge unsized(Op op) {
        return get(unsized, op);
    }

    public AtomicLong failures() {
        return failures;
    }

    private static <T> T get(Map<Op, T> map, Op op) {
        T found = map.get(op);
        if (found == null) throw new IllegalStateException(op.name());
        return found;
    }
}
