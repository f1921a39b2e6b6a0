package io.daosmesh.storage.log.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.storage.health.SwapStats;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.log.LogFrame;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.log.LogWriter;
import io.daosmesh.storage.scm.ScmFolder;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one log of an engine: batches of all targets that wait share one persist, then go to their indexes, which have no log
 * of their own. It has no thread: whoever comes first writes for all that wait, as in the group commit of databases. Any
 * thread.
 */
public final class EngineLog implements AutoCloseable {
    /** What stands in the way of a trim, to be written once more. Called under the log's lock. */
    public interface Moving {
        /** Null when nothing is left. */
        @Nullable
        KvBatch next();

        void onDurable(long lsn, KvBatch batch);
    }

    private static final class Entry {
        final LogStream stream;
        final KvBatch batch;
        final boolean isDurable;
        /** Both given when it is placed. */
        long position;

        long lsn;

        @Nullable
        Fault fault;

        /** Guarded by {@code queue}. */
        boolean isDone;

        Entry(LogStream stream, KvBatch batch, boolean isDurable) {
            this.stream = stream;
            this.batch = batch;
            this.isDurable = isDurable;
        }
    }

    /**
     * How long a write may wait.
     *
     * @param trimMax for a segment to be trimmed
     * @param driverMax for a driver of the SCM
     */
    public record Waits(Duration trimMax, Duration driverMax) {}

    /** Of one persist; what else waits goes with the next. */
    private static final int ENTRIES_MAX = 256;

    private static final long END_MAX_MS = 20_000;
    private static final Logger log = LoggerFactory.getLogger(EngineLog.class);

    private final UUID engine;
    private final LogLimits limits;
    private final LogSegments segments;
    private final LogRecovery recovery;
    private final LogStats stats = new LogStats();
    private final SwapStats swaps = new SwapStats();
    private final List<LogStream> streams = new ArrayList<>();
    private final ArrayDeque<Entry> queue = new ArrayDeque<>();
    /** Guards the writer. */
    private final Object writing = new Object();

    private @Nullable LogWriter writer;
    private Runnable onShort = () -> {};
    private Waits waits = new Waits(Duration.ZERO, Duration.ZERO);
    private long awaySinceNs;
    /** Both guarded by {@code queue}. */
    private boolean isWriting;

    private boolean isClosed;
    private volatile @Nullable Fault broken;
    private volatile long appliedLsn;

    private EngineLog(UUID engine, LogSegments segments) {
        this.engine = engine;
        this.limits = segments.limits();
        this.segments = segments;
        this.recovery = segments.recover(engine);
    }

    /** Reads what is there; {@link #begin} starts it. */
    public static EngineLog open(ScmFolder scm, UUID engine) {
        LogSegments segments = LogSegments.open(scm);
        try {
            return new EngineLog(engine, segments);
        } catch (RuntimeException e) {
            segments.close();
            throw e;
        }
    }

    /** What the last life has left; before {@link #begin}. */
    public LogRecovery recovery() {
        return recovery;
    }

    /** Sizes it was made with. */
    public LogLimits limits() {
        return limits;
    }

    public LogStats stats() {
        return stats;
    }

    /** Before {@link #begin}. @param position of the target's index as it stands */
    public LogStream stream(int target, long position, LogStream.Index index) {
        LogStream stream = new LogStream(target, position, index);
        streams.add(stream);
        return stream;
    }

    /**
     * What was recovered stays needed: what a killed process wrote and did not persist must not go with the power later. Before
     * {@link #begin}; IO when the medium fails.
     */
    public void syncRecovered(ScmFolder scm) {
        for (int i = 0; i < limits.segmentCount(); i++) scm.sync(LogSegments.PREFIX + i);
    }

    /**
     * The log takes batches from here on.
     *
     * @param trimmedLsn recovered frames up to it are in tables and on devices, durably
     * @param onShort told, on a writing thread, when segments should be trimmed; must not block
     */
    public void begin(long trimmedLsn, Runnable onShort, Waits waits) {
        this.onShort = onShort;
        this.waits = waits;
        LogWriter begun = new LogWriter(engine, recovery, trimmedLsn, segments, new SecureRandom()::nextLong);
        writer = begun;
        appliedLsn = begun.lastLsn();
        stats.onFree(begun.freeSegments());
        // each start takes one
        if (limits.isShort(begun.freeSegments())) onShort.run();
    }

    private LogWriter writer() {
        return Objects.requireNonNull(writer, "begun");
    }

    /**
     * Applied to its index on return, and durable if asked for. Throws INVAL for a batch that no segment can take, BUSY when
     * the log is full and cannot be trimmed, before anything has happened; IO when the medium fails, after which nothing is
     * written any more; UNINIT once closed.
     */
    public void write(LogStream stream, KvBatch batch, boolean isDurable) {
        if (LogFrame.bytes(batch) > limits.frameBytesMax())
            throw Fault.of(
                            FaultCode.INVAL,
                            "a batch of %d bytes is longer than the %d bytes of a segment of the engine log",
                            batch.byteCount(),
                            limits.segmentBytes())
                    .asException();
        Entry own = new Entry(stream, batch, isDurable);
        List<Entry> turn = await(own);
        if (!turn.isEmpty()) writeFor(turn);
        Fault fault = own.fault;
        if (fault != null) throw fault.asException();
    }

    /** Empty when somebody else has written it; otherwise what this thread has to write, in order. */
    private List<Entry> await(Entry own) {
        synchronized (queue) {
            if (isClosed) throw closed().asException();
            queue.add(own);
            boolean isInterrupted = false;
            while (isWriting && !own.isDone) {
                try {
                    queue.wait();
                } catch (InterruptedException e) {
                    // it is in the queue and may be written any moment: bounded by what is being written
                    isInterrupted = true;
                }
            }
            if (isInterrupted) Thread.currentThread().interrupt();
            if (own.isDone) return List.of();
            isWriting = true;
            List<Entry> turn = new ArrayList<>();
            while (turn.size() < ENTRIES_MAX && !queue.isEmpty()) turn.add(queue.poll());
            return turn;
        }
    }

    private static Fault closed() {
        return Fault.of(FaultCode.UNINIT, "the engine log is closed");
    }

    private void writeFor(List<Entry> turn) {
        boolean isAnswered = false;
        try {
            int written = place(turn);
            for (int i = 0; i < written; i++) apply(turn.get(i));
            if (broken == null) appliedLsn = writer().lastLsn();
            isAnswered = true;
        } finally {
            if (!isAnswered) fail(turn);
            synchronized (queue) {
                for (Entry e : turn) e.isDone = true;
                isWriting = false;
                queue.notifyAll();
            }
        }
    }

    /** An error of the JVM has ended this thread's work: nobody may take it for done. */
    private void fail(List<Entry> turn) {
        Fault fault = Fault.of(FaultCode.IO, "the engine log has failed").remedy("restart the engine");
        broken = fault;
        for (Entry e : turn) if (e.fault == null) e.fault = fault;
    }

    /** How many of them, from the first on, are in the log; the others know why not. */
    private int place(List<Entry> turn) {
        int placed = 0;
        try {
            Fault why = broken;
            if (why != null) throw why.asException();
            boolean isDurable = false;
            for (Entry e : turn) {
                place(e);
                isDurable |= e.isDurable;
                placed++;
            }
            if (isDurable) persist();
            else publish();
            return placed;
        } catch (RuntimeException | InternalError e) {
            // InternalError: the file system had no block behind a mapped page
            Fault fault = FaultException.faultOf(e);
            // fail-stop: what a failed persist has left on the medium is unknown. A full log has left nothing.
            if (fault.code() != FaultCode.BUSY) broken = fault;
            int good = broken == null ? placed : 0;
            for (Entry entry : turn.subList(good, turn.size())) entry.fault = fault;
            return good;
        }
    }

    private void place(Entry e) {
        synchronized (writing) {
            awaitDriver();
            long position = e.stream.position + 1;
            if (!writer().place(e.stream.target, position, e.batch)) {
                persist();
                roll();
                Invariant.check(writer().place(e.stream.target, position, e.batch), "a new segment has no room");
            }
            e.stream.position = position;
            e.position = position;
            e.lsn = writer().lastLsn();
        }
        stats.batches.increment();
        stats.appendedBytes.add(LogFrame.bytes(e.batch));
    }

    private void publish() {
        synchronized (writing) {
            writer().publish();
        }
    }

    private void persist() {
        synchronized (writing) {
            long startNs = System.nanoTime();
            if (!writer().persist()) return;
            stats.persistNs.add(System.nanoTime() - startNs);
            stats.persists.increment();
            streams.forEach(LogStream::onPersisted);
        }
    }

    /**
     * Another driver maps the segments from here on, or none until the next call: writes wait for it, bounded. Returns when the
     * driver before has nothing to do any more. IO or NOSPACE when it cannot map them.
     */
    public void onDriver(@Nullable ScmFolder next) {
        synchronized (writing) {
            if (!segments.isAway()) {
                writer().persist();
                segments.leave();
                awaySinceNs = System.nanoTime();
            }
            if (next == null) return;
            segments.move(next);
            swaps.onSwap(System.nanoTime() - awaySinceNs);
            writing.notifyAll();
        }
    }

    public SwapStats swaps() {
        return swaps;
    }

    /** Holds the lock. */
    private void awaitDriver() {
        while (segments.isAway()) {
            long waitedMs = (System.nanoTime() - awaySinceNs) / 1_000_000;
            if (waitedMs >= waits.driverMax().toMillis())
                throw Fault.of(FaultCode.BUSY, "no driver serves the SCM of the engine log")
                        .remedy("install the driver bundle of its class")
                        .asException();
            pause(waits.driverMax().toMillis() - waitedMs);
        }
    }

    private void pause(long ms) {
        try {
            writing.wait(Math.max(1, ms));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.BUSY, "interrupted while the engine log waited")
                    .asException();
        }
    }

    /** Waits, bounded, until a segment is trimmed. Holds the lock. */
    private void roll() {
        long startNs = System.nanoTime();
        while (!writer().roll(false)) {
            long waitedMs = (System.nanoTime() - startNs) / 1_000_000;
            if (waitedMs >= waits.trimMax().toMillis())
                throw Fault.of(FaultCode.BUSY, "the engine log is full: indexes or values do not become durable")
                        .remedy("free space on scm_mount, or look for a device that is slow (dmg storage query)")
                        .asException();
            onShort.run();
            pause(waits.trimMax().toMillis() - waitedMs);
        }
        stats.waitNs.add(System.nanoTime() - startNs);
        stats.onFree(writer().freeSegments());
        if (limits.isShort(writer().freeSegments())) onShort.run();
    }

    private static void apply(Entry e) {
        try {
            e.stream.index.apply(e.lsn, e.position, e.batch);
        } catch (RuntimeException broken) {
            e.fault = FaultException.faultOf(broken);
        }
    }

    /** All frames up to it are in the indexes' memory. */
    public long appliedLsn() {
        return appliedLsn;
    }

    /**
     * Writes values of a target once more, in the room that is kept for it, also while other batches wait for room. Not numbered:
     * no change of the index is in them. IO when the medium fails, BUSY without room or driver.
     */
    public void moveUp(int target, Moving values) {
        synchronized (writing) {
            Fault why = broken;
            if (why != null) throw why.asException();
            if (segments.isAway()) throw noRoom("no driver serves it").asException();
            for (KvBatch batch = values.next(); batch != null; batch = values.next()) {
                if (!writer().place(target, LogFrame.NO_POSITION, batch)) {
                    persist();
                    if (!writer().roll(true) || !writer().place(target, LogFrame.NO_POSITION, batch))
                        throw noRoom("no segment is free").asException();
                }
                persist();
                values.onDurable(writer().lastLsn(), batch);
            }
        }
    }

    private static Fault noRoom(String why) {
        return Fault.of(FaultCode.BUSY, "values cannot move up in the engine log: %s", why);
    }

    /** Trimmed up to it, the oldest full segment is free; 0 when none is full. */
    public long oldestLsn() {
        synchronized (writing) {
            return writer().oldestLsn();
        }
    }

    /** So little room is left that writes will soon wait. */
    public boolean isScarce() {
        synchronized (writing) {
            return limits.isScarce(writer().freeSegments());
        }
    }

    /** Frames up to it are in tables and on devices, durably. */
    public void trim(long lsn, long tookNs) {
        synchronized (writing) {
            writer().trim(lsn);
            stats.onFree(writer().freeSegments());
            writing.notifyAll();
        }
        stats.checkpoints.increment();
        stats.checkpointNs.add(tookNs);
    }

    /** What is being written ends first; bounded. */
    @Override
    public void close() {
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(END_MAX_MS);
        synchronized (queue) {
            isClosed = true;
            while (isWriting || !queue.isEmpty()) {
                long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
                if (leftMs <= 0) {
                    log.warn("the engine log is still being written");
                    return;
                }
                try {
                    queue.wait(leftMs);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return;
                }
            }
        }
        segments.close();
    }
}
