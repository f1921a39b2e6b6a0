package io.daosmesh.model.metric;

import java.util.Map;

/**
 * A part with numbers to show, published as an OSGi service; the telemetry bundle collects it at each scrape. Any thread:
 * must answer at once from counters and never block. Names and labels follow DAOS ({@code engine_io_latency_update_mean}).
 */
public interface MetricSource {
    void collect(Sink sink);

    /** Receives samples during one collection. */
    interface Sink {
        /** A value that only grows since the part started. */
        void counter(String name, String help, Map<String, String> labels, double value);

        void gauge(String name, String help, Map<String, String> labels, double value);

        /** Exported as name, name_min, name_max, name_mean, name_stddev and counter name_samples. */
        void stats(String name, String help, Map<String, String> labels, StatsGauge value);
    }
}
