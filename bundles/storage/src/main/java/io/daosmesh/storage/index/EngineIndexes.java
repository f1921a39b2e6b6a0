package io.daosmesh.storage.index;

import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.log.runtime.LogSegments;
import io.daosmesh.storage.rocks.RocksMemory;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.slot.HeldMemory;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The indexes of an engine's targets with the log they share: opened, made durable and closed together. Owner: the engine's
 * owner loop.
 */
public final class EngineIndexes implements AutoCloseable {
    /** Longer than any flush of an index on a medium that works. */
    private static final Duration TRIM_WAIT_MAX = Duration.ofSeconds(20);

    private final RocksMemory memory = new RocksMemory();
    private final List<TargetIndex> indexes = new ArrayList<>();
    private final EngineLog log;
    private final HeldKeeper held;
    private final IndexKeeper keeper;

    private EngineIndexes(EngineLog log, int engineIndex, HeldKeeper held) {
        this.log = log;
        this.held = held;
        this.keeper = new IndexKeeper(engineIndex, log, indexes, held);
    }

    /** Makes empty ones; the only place that does. Durable on return. */
    public static void format(ScmFolder scm, UUID engine, int targetCount, LogLimits limits) {
        LogSegments.format(scm, engine, limits, new SecureRandom().nextLong());
        try (RocksMemory memory = new RocksMemory()) {
            for (int t = 0; t < targetCount; t++) TargetIndex.format(scm, t, memory);
        }
    }

    /** A damaged index comes back as one that refuses everything. Throws when the medium fails or is full. */
    public static EngineIndexes open(
            ScmFolder scm, UUID engine, Duration driverWaitMax, List<? extends ValueBlobs> targets, HeldMemory memory) {
        HeldKeeper held = new HeldKeeper(targets, memory);
        EngineIndexes made = new EngineIndexes(EngineLog.open(scm, engine), scm.engineIndex(), held);
        try {
            for (int t = 0; t < targets.size(); t++)
                made.indexes.add(TargetIndex.open(scm, t, made.memory, made.log, held));
            LogRecovery recovered = made.log.recovery();
            boolean isSettled = held.settle().isEmpty();
            if (!isSettled) made.log.syncRecovered(scm);
            long trimmedLsn = isSettled ? recovered.nextLsn() - 1 : recovered.trimmedLsn();
            made.log.begin(trimmedLsn, made.keeper::checkpointSoon, new EngineLog.Waits(TRIM_WAIT_MAX, driverWaitMax));
            memory.listen(made.keeper::writeBackSoon);
            made.keeper.start();
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    public KvStore kv(int target) {
        return indexes.get(target).kv();
    }

    public EngineLog log() {
        return log;
    }

    /** Does it every two seconds, on the thread that keeps the indexes, so that an idle engine wakes no more than before. */
    public void onPeriod(Runnable work) {
        keeper.onPeriod(work);
    }

    /** Moves what is in memory into tables and onto devices, soon. Any thread. */
    public void checkpointSoon() {
        keeper.checkpointSoon();
    }

    /** What the next start must find at least, at this moment. */
    void note() {
        indexes.forEach(TargetIndex::note);
    }

    /** The log first: what was appended is in the indexes before they are closed. Before the devices are. */
    @Override
    public void close() {
        held.memory().listen(() -> {});
        keeper.close();
        log.close();
        Set<Integer> left = held.settle();
        for (int t = 0; t < indexes.size(); t++) indexes.get(t).close(!left.contains(t));
        memory.close();
    }
}
