package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.FaultException;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes every now and then how far an engine's indexes are durable, on a thread of its own: a slow disk must hold up neither
 * the targets nor the devices. Owner: the engine's storage.
 */
public final class IndexNoter implements AutoCloseable {
    /**
     * What a kill may hide from the next start. A note is two small syncs: at this pace they cost less than one part in a
     * thousand of the medium's time.
     */
    private static final long PERIOD_MS = 2_000;

    private static final long END_MAX_MS = 5_000;
    private static final Logger log = LoggerFactory.getLogger(IndexNoter.class);

    private final ScheduledExecutorService loop;
    private boolean isWarned;

    IndexNoter(int engineIndex) {
        loop = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "storage-notes-" + engineIndex);
            thread.setDaemon(true);
            return thread;
        });
    }

    void start(List<TargetIndex> indexes) {
        List<TargetIndex> all = List.copyOf(indexes);
        loop.scheduleWithFixedDelay(() -> all.forEach(this::note), PERIOD_MS, PERIOD_MS, TimeUnit.MILLISECONDS);
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
