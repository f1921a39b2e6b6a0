package io.daosmesh.engine.shard;

import io.daosmesh.model.metric.StatsGauge;
import java.util.concurrent.atomic.AtomicLong;

/** Numbers of a pool shard for the metrics. Any thread. */
public final class ShardCounters {
    public final Counter updates = new Counter();
    public final Counter fetches = new Counter();
    public final Counter punches = new Counter();
    public final Counter enumerations = new Counter();
    public final Counter memberUpdates = new Counter();
    public final Counter memberPunches = new Counter();
    public final Counter updateBytes = new Counter();
    public final Counter fetchBytes = new Counter();
    public final Counter resent = new Counter();
    public final Counter dtxCommits = new Counter();
    public final Counter dtxAborts = new Counter();
    public final Counter dtxChecks = new Counter();
    public final Counter migratedRecords = new Counter();
    public final Counter damaged = new Counter();
    public final Counter repaired = new Counter();
    /** Records that aggregation has dropped because newer ones hide them: single values, extents with punched ones. */
    public final Counter droppedValues = new Counter();

    public final Counter droppedExtents = new Counter();
    /** Extents that aggregation has written anew, and their bytes. */
    public final Counter mergedRecords = new Counter();

    public final Counter mergedBytes = new Counter();
    /** Found by aggregation, which leaves them alone. */
    public final Counter aggregationDamaged = new Counter();

    public final StatsGauge committable = new StatsGauge();
    public final StatsGauge committed = new StatsGauge();

    /** Requests of clients, and of leaders for them. */
    public long operations() {
        return updates.get()
                + fetches.get()
                + punches.get()
                + enumerations.get()
                + memberUpdates.get()
                + memberPunches.get();
    }

    /** Any thread. */
    public static final class Counter {
        private final AtomicLong count = new AtomicLong();

        public void increment() {
            count.incrementAndGet();
        }

        public void add(long more) {
            count.addAndGet(more);
        }

        public long get() {
            return count.get();
        }
    }
}
