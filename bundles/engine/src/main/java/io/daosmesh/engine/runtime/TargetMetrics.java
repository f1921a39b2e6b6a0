package io.daosmesh.engine.runtime;

import io.daosmesh.model.metric.StatsGauge;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** Latencies and numbers of one target. Any thread. */
final class TargetMetrics {
    /** Requests with DAOS's operation names. */
    enum Op {
        UPDATE,
        FETCH,
        TGT_UPDATE,
        OBJ_PUNCH,
        TGT_PUNCH,
        OBJ_ENUM;

        boolean isSized() {
            return this == UPDATE || this == FETCH || this == TGT_UPDATE;
        }

        String label() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    /** DAOS's labels; the last one is for everything above 4 MiB. */
    static final String[] SIZES = {
        "256B", "512B", "1KB", "2KB", "4KB", "8KB", "16KB", "32KB", "64KB", "128KB", "256KB", "512KB", "1MB", "2MB",
        "4MB", "GT4MB"
    };

    private final Map<Op, AtomicInteger> active = new EnumMap<>(Op.class);
    private final Map<Op, StatsGauge> activeStats = new EnumMap<>(Op.class);
    private final Map<Op, StatsGauge[]> latencies = new EnumMap<>(Op.class);
    private final AtomicLong failures = new AtomicLong();

    TargetMetrics() {
        for (Op op : Op.values()) {
            active.put(op, new AtomicInteger());
            activeStats.put(op, new StatsGauge());
            StatsGauge[] bySize = new StatsGauge[op.isSized() ? SIZES.length : 1];
            for (int i = 0; i < bySize.length; i++) bySize[i] = new StatsGauge();
            latencies.put(op, bySize);
        }
    }

    static int sizeIndex(long bytes) {
        int i = 0;
        for (long limit = 256; i < SIZES.length - 1 && bytes > limit; limit *= 2) i++;
        return i;
    }

    long begin(Op op) {
        get(activeStats, op).record(get(active, op).incrementAndGet());
        return System.nanoTime();
    }

    void end(Op op, long startNs, long bytes) {
        get(active, op).decrementAndGet();
        StatsGauge[] bySize = get(latencies, op);
        bySize[op.isSized() ? sizeIndex(bytes) : 0].record((System.nanoTime() - startNs) / 1000.0);
    }

    StatsGauge active(Op op) {
        return get(activeStats, op);
    }

    StatsGauge[] latencies(Op op) {
        return get(latencies, op);
    }

    AtomicLong failures() {
        return failures;
    }

    private static <T> T get(Map<Op, T> map, Op op) {
        T found = map.get(op);
        if (found == null) throw new IllegalStateException(op.name());
        return found;
    }
}
