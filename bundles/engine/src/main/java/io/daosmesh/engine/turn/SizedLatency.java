package io.daosmesh.engine.turn;

import io.daosmesh.model.metric.StatsGauge;

/** Latencies in microseconds by the size of what was moved, in DAOS's classes. Any thread. */
public final class SizedLatency {
    /** Classes of sizes. */
    public static final int CLASSES = 16;

    private static final String[] LABELS = {
        "256B", "512B", "1KB", "2KB", "4KB", "8KB", "16KB", "32KB", "64KB", "128KB", "256KB", "512KB", "1MB", "2MB",
        "4MB", "GT4MB"
    };

    private final StatsGauge[] bySize = new StatsGauge[LABELS.length];

    /** Each class, those without samples too: a series that begins with its first sample hides the step to it. */
    @FunctionalInterface
    public interface Visitor {
        void visit(String size, StatsGauge latency);
    }

    public SizedLatency() {
        for (int i = 0; i < bySize.length; i++) bySize[i] = new StatsGauge();
    }

    public void record(long nanos, long bytes) {
        bySize[index(bytes)].record(nanos / 1000.0);
    }

    /** The last class is for everything above 4 MiB. */
    public static int index(long bytes) {
        int i = 0;
        for (long limit = 256; i < LABELS.length - 1 && bytes > limit; limit *= 2) i++;
        return i;
    }

    public void forEach(Visitor visitor) {
        for (int i = 0; i < bySize.length; i++) visitor.visit(LABELS[i], bySize[i]);
    }
}
