package io.daosmesh.model.metric;

/** DAOS's stats gauge: last value with minimum, maximum, mean and deviation. Any thread; one short lock. */
public final class StatsGauge {
    private double last;
    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;
    private double mean;
    private double squares;
    private long samples;

    /** One snapshot, consistent in itself; all zero before the first sample. */
    public record Snapshot(double last, double min, double max, double mean, double stddev, long samples) {}

    public synchronized void record(double value) {
        last = value;
        min = Math.min(min, value);
        max = Math.max(max, value);
        samples++;
        double delta = value - mean;
        mean += delta / samples;
        squares += delta * (value - mean);
    }

    public synchronized Snapshot snapshot() {
        if (samples == 0) return new Snapshot(0, 0, 0, 0, 0, 0);
        return new Snapshot(last, min, max, mean, samples < 2 ? 0 : Math.sqrt(squares / (samples - 1)), samples);
    }
}
