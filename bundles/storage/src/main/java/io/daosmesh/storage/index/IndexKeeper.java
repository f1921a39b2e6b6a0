package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.log.runtime.EngineLog;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes every now and then how far an engine's indexes are durable, and moves them into tables when the log wants room; on a
 * thread of its own: a slow disk must hold up neither the targets nor the devices. Owner: the engine's indexes.
 */
public final class IndexKeeper implements AutoCloseable {
    /**
     * What a kill may hide from the next start. A note is two small syncs: at this pace they cost less than one part in a
     * thousand of the medium's time.
     */
    private static final long PERIOD_MS = 2_000;

    private static final long END_MAX_MS = 5_000;
    private static final long RETRY_MS = 250;
    private static final Logger log = LoggerFactory.getLogger(IndexKeeper.class);

    private final EngineLog engineLog;
    private final List<TargetIndex> indexes;
    private final HeldKeeper held;
    private final ScheduledExecutorService loop;
    private final AtomicBoolean isAsked = new AtomicBoolean();
    private final AtomicBoolean isRoomAsked = new AtomicBoolean();
    private volatile Runnable onPeriod = () -> {};
    private boolean isWarned;
    private String lastError = "";

    IndexKeeper(int engineIndex, EngineLog engineLog, List<TargetIndex> indexes, HeldKeeper held) {
        this.held = held;
        this.engineLog = engineLog;
        this.indexes = indexes;
        loop = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "storage-notes-" + engineIndex);
            thread.setDaemon(true);
            return thread;
        });
    }

    void start() {
        loop.scheduleWithFixedDelay(this::period, PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
    }

    /** What else is done every two seconds, on the same thread. */
    void onPeriod(Runnable work) {
        onPeriod = work;
    }

    private void period() {
        try {
            onPeriod.run();
        } catch (RuntimeException e) {
            log.error("periodic work beside the indexes failed", e);
        }
        indexes.forEach(this::note);
        // its device may be back, and nobody asks: long values take the room that is there, or none
        if (held.memory().hasStuck()) writeBackSoon();
    }

    /** Without a new note the older one counts: less is found, nothing is wrong. */
    private void note(TargetIndex index) {
        try {
            index.note();
            isWarned = false;
        } catch (FaultException e) {
            if (!isWarned) log.warn("the position of an index is not noted: {}", e.getMessage());
            isWarned = true;
        } catch (RuntimeException e) {
            log.error("noting the position of an index", e);
        }
    }

    /** Any thread; asked again while one is waiting, once is enough. */
    void checkpointSoon() {
        if (!isAsked.getAndSet(true)) run(this::checkpoint, 0);
    }

    /** Any thread: the memory for values is half full. */
    void writeBackSoon() {
        if (!isRoomAsked.getAndSet(true)) run(this::writeBack, 0);
    }

    private void run(Runnable work, long delayMs) {
        try {
            loop.schedule(work, delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("closed before");
        }
    }

    /** The devices of what is left will not be there in a moment: asked again after a pause. */
    private void writeBack() {
        try {
            boolean isLeft = !held.settle().isEmpty();
            if (isLeft) run(this::writeBackAgain, RETRY_MS);
            else isRoomAsked.set(false);
        } catch (RuntimeException e) {
            isRoomAsked.set(false);
            log.error("values are not written back", e);
        }
    }

    /** Who waits has asked while nobody listened. */
    private void writeBackAgain() {
        isRoomAsked.set(false);
        held.memory().askAgain();
    }

    /**
     * What is applied now goes into tables, and values to their devices; then the log may forget it. An index that fails does
     * not hold up the others: it has stopped, and its note tells the next start what it has to have. One that has no room for
     * its tables needs the log until it has.
     */
    private void checkpoint() {
        isAsked.set(false);
        long startNs = System.nanoTime();
        long lsn = engineLog.appliedLsn();
        long pauseMs = RETRY_MS;
        try {
            Set<Integer> left = held.settle();
            if (left.isEmpty() || engineLog.isScarce()) {
                for (TargetIndex index : indexes) flush(index);
                if (!left.isEmpty()) lsn = moveUp(left, lsn);
                engineLog.trim(lsn, System.nanoTime() - startNs);
            }
            lastError = "";
            if (left.isEmpty()) return;
        } catch (RuntimeException e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(lastError)) log.error("the engine log is not trimmed: {}", text);
            lastError = text;
            pauseMs = PERIOD_MS;
        }
        if (!isAsked.getAndSet(true)) run(this::checkpoint, pauseMs);
    }

    private static void flush(TargetIndex index) {
        Fault why = index.flush();
        if (why == null) return;
        if (why.code() == FaultCode.NOSPACE) throw why.asException();
        index.note();
    }

    /** Values of a device that is away hold the log up no longer than there is room; up to where it may be trimmed. */
    private long moveUp(Set<Integer> targets, long appliedLsn) {
        long lsn = Math.min(appliedLsn, engineLog.oldestLsn());
        for (int t : targets) indexes.get(t).moveUp(held.blobs(t), lsn);
        return lsn;
    }

    /** Bounded: a disk that hangs must not keep the rest open. */
    @Override
    public void close() {
        loop.shutdown();
        try {
            if (!loop.awaitTermination(END_MAX_MS, TimeUnit.MILLISECONDS)) log.warn("a note is still being written");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
