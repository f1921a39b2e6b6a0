package io.daosmesh.engine.object;

import io.daosmesh.model.metric.StatsGauge;
import java.util.concurrent.atomic.AtomicLong;

/** Numbers of a pool shard for the metrics. Any thread. */
public final class ShardCounters {
    public final AtomicLong updates = new AtomicLong();
    public final AtomicLong fetches = new AtomicLong();
    public final AtomicLong punches = new AtomicLong();
    public final AtomicLong enumerations = new AtomicLong();
    public final AtomicLong memberUpdates = new AtomicLong();
    public final AtomicLong memberPunches = new AtomicLong();
    public final AtomicLong updateBytes = new AtomicLong();
    public final AtomicLong fetchBytes = new AtomicLong();
    public final AtomicLong resent = new AtomicLong();
    public final AtomicLong dtxCommits = new AtomicLong();
    public final AtomicLong dtxAborts = new AtomicLong();
    public final AtomicLong dtxChecks = new AtomicLong();
    public final AtomicLong migratedRecords = new AtomicLong();
    public final AtomicLong damaged = new AtomicLong();
    public final AtomicLong aggregatedRecords = new AtomicLong();
    public final StatsGauge committable = new StatsGauge();
    public final StatsGauge committed = new StatsGauge();
}
