package io.daosmesh.engine.runtime;

import io.daosmesh.engine.read.ValueCache;
import io.daosmesh.engine.runtime.access.HandleChecks;
import io.daosmesh.engine.runtime.loop.TargetMetrics;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardCounters;
import io.daosmesh.engine.turn.SizedLatency;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.RankIdentity;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A rank's numbers in DAOS's names. Any thread: reads counters only. */
public final class EngineMetrics implements MetricSource {
    private final int index;
    private final int rank;
    private final List<TargetProxy> targets;
    private final HandleChecks handles;
    private final ClientWatch clients;
    private final double startedAtSeconds = System.currentTimeMillis() / 1000.0;

    EngineMetrics(RankIdentity identity, List<TargetProxy> targets, HandleChecks handles, ClientWatch clients) {
        this.index = identity.engineIndex();
        this.rank = identity.rank();
        this.targets = targets;
        this.handles = handles;
        this.clients = clients;
    }

    @Override
    public void collect(Sink sink) {
        Map<String, String> labels = Map.of("rank", Integer.toString(rank));
        sink.gauge("engine_rank", "Rank of this engine", labels, rank);
        sink.gauge("engine_index", "Index of this engine on its node", labels, index);
        sink.gauge("engine_started_at", "Start of the engine, seconds since 1970", labels, startedAtSeconds);
        sink.gauge("engine_servicing_at", "Begin of service, seconds since 1970", labels, startedAtSeconds);
        sink.gauge("engine_handles_held", "Container handles that this rank knows", labels, handles.heldCount());
        sink.counter("engine_handles_checks", "Questions to pool services about handles", labels, handles.askedCount());
        sink.counter("engine_handles_refusals", "Requests refused for their handle", labels, handles.refusalCount());
        sink.gauge(
                "engine_rebuild_pace_bytes_per_second",
                "What rebuilds may move in, and out, beside clients; 1e9 = as they like",
                labels,
                clients.bytesPerSecond());
        sink.counter(
                "engine_rebuild_paced_seconds_total",
                "Pauses of rebuilds for the sake of clients",
                labels,
                clients.pausedSeconds());
        for (TargetProxy unit : targets) {
            Map<String, String> of =
                    with(labels, "target", Integer.toString(unit.storage().index()));
            collectOps(sink, unit, of);
            collectCache(sink, unit.cache(), of);
            for (PoolShard s : unit.shards()) collectShard(sink, s, of);
            unit.scrubReports().forEach((pool, r) -> ScrubMetrics.collect(sink, r, with(of, "pool", pool.toString())));
        }
    }

    private static void collectOps(Sink sink, TargetProxy unit, Map<String, String> labels) {
        collect(sink, "engine_io_latency_vos_fetch", unit.latencies().fetch(), labels);
        collect(sink, "engine_io_latency_vos_update", unit.latencies().update(), labels);
        for (TargetMetrics.Op op : TargetMetrics.Op.values()) {
            String name = op.label();
            sink.stats(
                    "engine_io_ops_" + name + "_active",
                    "Requests under way",
                    labels,
                    unit.metrics().active(op));
            if (op.isSized())
                collect(sink, "engine_io_latency_" + name, unit.metrics().sized(op), labels);
            else
                sink.stats(
                        "engine_io_ops_" + name + "_latency",
                        "Microseconds",
                        labels,
                        unit.metrics().unsized(op));
        }
        sink.gauge(
                "engine_sched_wait_queue",
                "Requests waiting for the loop",
                labels,
                unit.loop().waitingRequests());
        sink.counter(
                "engine_sched_total_turns",
                "Group commits",
                labels,
                unit.loop().pipeline().turnCount());
    }

    private static void collectCache(Sink sink, ValueCache cache, Map<String, String> labels) {
        sink.gauge("engine_value_cache_bytes", "Memory of values kept for hot reads", labels, cache.bytes());
        sink.counter("engine_value_cache_hits", "Reads answered without the target", labels, cache.hits());
        sink.counter("engine_value_cache_misses", "Reads that the target had to answer", labels, cache.misses());
        sink.counter("engine_value_cache_evictions", "Values dropped for younger ones", labels, cache.evictions());
    }

    private static void collect(Sink sink, String name, SizedLatency latency, Map<String, String> labels) {
        latency.forEach((size, stats) -> sink.stats(name, "Microseconds by size", with(labels, "size", size), stats));
    }

    private static void collectShard(Sink sink, PoolShard s, Map<String, String> targetLabels) {
        Map<String, String> labels = with(targetLabels, "pool", s.pool().toString());
        ShardCounters c = s.counters();
        sink.counter("engine_pool_ops_update", "Updates done, each once", labels, c.updates.get());
        sink.counter("engine_pool_ops_fetch", "Fetches", labels, c.fetches.get());
        sink.counter("engine_pool_ops_obj_punch", "Punches done, each once", labels, c.punches.get());
        sink.counter("engine_pool_ops_obj_enum", "Enumerations", labels, c.enumerations.get());
        sink.counter("engine_pool_ops_tgt_update", "Updates for a leader", labels, c.memberUpdates.get());
        sink.counter("engine_pool_ops_tgt_punch", "Punches for a leader", labels, c.memberPunches.get());
        sink.counter("engine_pool_ops_dtx_commit", "Committed DTXs", labels, c.dtxCommits.get());
        sink.counter("engine_pool_ops_dtx_abort", "Aborted DTXs", labels, c.dtxAborts.get());
        sink.counter("engine_pool_ops_dtx_check", "Questions about a DTX", labels, c.dtxChecks.get());
        sink.counter("engine_pool_ops_migrate", "Records received by rebuild", labels, c.migratedRecords.get());
        sink.counter("engine_pool_resent", "Requests sent again", labels, c.resent.get());
        sink.counter("engine_pool_xferred_update", "Bytes written", labels, c.updateBytes.get());
        sink.counter("engine_pool_xferred_fetch", "Bytes read", labels, c.fetchBytes.get());
        sink.counter("engine_pool_scrubber_corruption_total", "Damaged values found", labels, c.damaged.get());
        sink.counter("engine_pool_repaired_records", "Damaged values fetched from replicas", labels, c.repaired.get());
        sink.gauge(
                "engine_pool_unreadable_records",
                "Values led here of which no replica could be read",
                labels,
                s.damaged().report().records());
        collectAggregation(sink, c, labels);
        sink.gauge(
                "engine_pool_vos_space_scm_used",
                "Bytes of SCM in use",
                labels,
                s.space().scm().usedBytes());
        sink.gauge(
                "engine_pool_vos_space_nvme_used",
                "Bytes of NVMe in use",
                labels,
                s.space().blob().allocator().usedBytes());
        sink.stats("engine_io_dtx_committable", "DTXs waiting for their commit", labels, c.committable);
        sink.stats("engine_io_dtx_committed", "Committed DTXs kept to recognise resends", labels, c.committed);
    }

    private static void collectAggregation(Sink sink, ShardCounters c, Map<String, String> labels) {
        String of = "engine_pool_vos_aggregation_";
        sink.counter(of + "deleted_sv", "Single values dropped that newer ones hide", labels, c.droppedValues.get());
        sink.counter(of + "deleted_ev", "Extents dropped that newer ones hide", labels, c.droppedExtents.get());
        sink.counter(of + "merged_recs", "Extents written anew with their neighbours", labels, c.mergedRecords.get());
        sink.counter(of + "merged_size", "Bytes written anew", labels, c.mergedBytes.get());
        sink.counter(of + "csum_errors", "Damaged extents left alone", labels, c.aggregationDamaged.get());
    }

    private static Map<String, String> with(Map<String, String> labels, String key, String value) {
        Map<String, String> more = new HashMap<>(labels);
        more.put(key, value);
        return more;
    }
}
