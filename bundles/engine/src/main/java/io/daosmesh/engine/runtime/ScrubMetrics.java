package io.daosmesh.engine.runtime;

import io.daosmesh.engine.scrub.ScrubReport;
import io.daosmesh.model.metric.MetricSource.Sink;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Numbers of a shard's scrubber in DAOS's names; its whole count of damage stands with the shard's own. Any thread. */
final class ScrubMetrics {
    private static final String PREFIX = "engine_pool_scrubber_";

    private ScrubMetrics() {}

    static void collect(Sink sink, ScrubReport r, Map<String, String> labels) {
        long now = System.nanoTime();
        boolean hasBegun = r.isInPass() || r.passes() > 0;
        double startedAt = hasBegun ? System.currentTimeMillis() / 1e3 - (now - r.startedNs()) / 1e9 : 0;
        double leftSeconds = r.nextNs() == 0 ? 0 : Math.max(0, (r.nextNs() - now) / 1e9);
        sink.gauge(PREFIX + "scrubber_started", "Begin of the last pass, seconds since 1970", labels, startedAt);
        sink.counter(PREFIX + "scrubs_completed", "Passes over all values", labels, r.passes());
        sink.gauge(PREFIX + "prev_duration", "Seconds of the last completed pass", labels, r.lastPassNs() / 1e9);
        sink.gauge(PREFIX + "next_tree_scrub", "Seconds until the next pass", labels, leftSeconds);
        sink.gauge(PREFIX + "busy_time", "Seconds of the target's loop in the index", labels, r.busyNs() / 1e9);
        work(sink, "csums", "Checksums verified", labels, r, ScrubReport.Work::checksums);
        work(sink, "bytes_scrubbed", "Bytes verified", labels, r, ScrubReport.Work::bytes);
        String current = PREFIX + "corruption_current";
        sink.gauge(
                current,
                "Damaged values found in this pass",
                labels,
                r.current().corruptions());
    }

    private static void work(
            Sink sink,
            String name,
            String help,
            Map<String, String> labels,
            ScrubReport r,
            ToLongFunction<ScrubReport.Work> of) {
        sink.gauge(PREFIX + name + "_current", help + " in this pass", labels, of.applyAsLong(r.current()));
        sink.gauge(PREFIX + name + "_prev", help + " in the pass before", labels, of.applyAsLong(r.last()));
        sink.counter(PREFIX + name + "_total", help, labels, of.applyAsLong(r.total()));
    }
}
