package io.daosmesh.storage.slot;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Latency of device requests by size, microseconds, under DAOS's names. Any thread. */
public final class IoLatency {
    private static final String[] SIZES = {
        "256B", "512B", "1KB", "2KB", "4KB", "8KB", "16KB", "32KB", "64KB", "128KB", "256KB", "512KB", "1MB", "2MB",
        "4MB", "GT4MB"
    };

    /** By target: a device has few. */
    private final Map<Integer, StatsGauge[]> fetch = new ConcurrentHashMap<>();

    private final Map<Integer, StatsGauge[]> update = new ConcurrentHashMap<>();
    private final StatsGauge flush = new StatsGauge();

    private static StatsGauge[] gauges() {
        StatsGauge[] all = new StatsGauge[SIZES.length];
        for (int i = 0; i < all.length; i++) all[i] = new StatsGauge();
        return all;
    }

    void record(BlobOp op) {
        double us = (System.nanoTime() - op.startNs) / 1000.0;
        switch (op.kind) {
            case READ -> of(fetch, op.target)[bucket(op.lengthBytes)].record(us);
            case WRITE -> of(update, op.target)[bucket(op.lengthBytes)].record(us);
            case FLUSH -> flush.record(us);
            case UNMAP -> {}
        }
    }

    private static StatsGauge[] of(Map<Integer, StatsGauge[]> all, int target) {
        StatsGauge[] known = all.get(target);
        return known != null ? known : all.computeIfAbsent(target, t -> gauges());
    }

    /** 256 B is bucket 0; a size belongs to the first bucket that holds it. */
    static int bucket(long bytes) {
        int shift = 64 - Long.numberOfLeadingZeros(Math.max(1, bytes) - 1);
        return Math.min(SIZES.length - 1, Math.max(0, shift - 8));
    }

    /** @param targets of the device: their series are there before the first request */
    public void collect(MetricSource.Sink sink, String address, Map<String, String> labels, List<Integer> targets) {
        for (int target : targets) {
            of(fetch, target);
            of(update, target);
        }
        Map<String, String> device = new HashMap<>(labels);
        device.put("device", address);
        fetch.forEach((target, bySize) -> collect(
                sink,
                "engine_io_latency_bio_fetch",
                "BIO fetch latency in microseconds",
                bySize,
                labels(device, target)));
        update.forEach((target, bySize) -> collect(
                sink,
                "engine_io_latency_bio_update",
                "BIO update latency in microseconds",
                bySize,
                labels(device, target)));
        StatsGauge.Snapshot flushes = flush.snapshot();
        sink.counter("engine_nvme_flushes_total", "Device flushes", device, flushes.samples());
        sink.counter(
                "engine_nvme_flush_seconds_total",
                "Time spent in device flushes",
                device,
                flushes.mean() * flushes.samples() / 1e6);
    }

    private static Map<String, String> labels(Map<String, String> device, int target) {
        Map<String, String> labels = new HashMap<>(device);
        labels.put("target", Integer.toString(target));
        return labels;
    }

    private static void collect(
            MetricSource.Sink sink, String name, String help, StatsGauge[] bySize, Map<String, String> labels) {
        for (int i = 0; i < SIZES.length; i++) {
            Map<String, String> sized = new HashMap<>(labels);
            sized.put("size", SIZES[i]);
            sink.stats(name, help, sized, bySize[i]);
        }
    }
}
