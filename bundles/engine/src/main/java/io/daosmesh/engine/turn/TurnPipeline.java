package io.daosmesh.engine.turn;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Group commit: all operations staged while one commit is under way share the next one, which is one flush of the device
 * (if it was written) and one synced index batch. At most one commit is under way, one turn collects. Owner: target loop.
 */
public final class TurnPipeline {
    /** Makes a turn durable off the loop. */
    public interface TurnIo {
        /** @param done on any thread; after a fault the batch is not written */
        void commit(Commit commit, Done done);
    }

    /**
     * What makes a turn durable, in this order.
     *
     * @param flush blobs that were written before
     * @param batch changes of the index, and short values
     * @param isDurable false: the batch need not be synced
     */
    public record Commit(Set<Blob> flush, KvBatch batch, boolean isDurable) {}

    /** Puts work on the loop from any thread; never refuses. */
    @FunctionalInterface
    public interface Loop {
        void execute(Runnable work);
    }

    /** Of the index: far below what the log of an engine takes at once. An operation that has more is a turn of its own. */
    static final long BATCH_BYTES_MAX = 2L << 20;

    private final TurnIo io;
    private final Loop loop;
    private Consumer<KvBatch> watcher = batch -> {};
    private List<StagedOp> collecting = new ArrayList<>();
    private boolean isCommitting;
    private long turnCount;

    /** Operations that are committed together; whoever comes last to {@code missing} commits. */
    private static final class Turn {
        final List<StagedOp> ops;
        final AtomicInteger missing;

        Turn(List<StagedOp> ops) {
            this.ops = ops;
            this.missing = new AtomicInteger(ops.size() + 1);
        }
    }

    public TurnPipeline(TurnIo io, Loop loop) {
        this.io = io;
        this.loop = loop;
    }

    /** Told of each operation's changes when they are staged, and again when they have been made. */
    public void watch(Consumer<KvBatch> next) {
        watcher = next;
    }

    public long turnCount() {
        return turnCount;
    }

    public boolean isIdle() {
        return !isCommitting && collecting.isEmpty();
    }

    /** Long device writes start at once; {@code done} runs on the loop when all is durable, or has failed. */
    public void stage(StagedOp op, Done done) {
        op.done = done;
        watcher.accept(op.batch);
        boolean isLong = op.arm();
        collecting.add(op);
        if (isLong) write(op);
    }

    private void write(StagedOp op) {
        for (StagedOp.DeviceWrite w : op.writes) {
            w.blob().write(w.offsetBytes(), w.bytes(), fault -> onWritten(op, fault));
        }
    }

    /** Any thread: the last write of a turn goes on to its flush without a detour over the loop. */
    private void onWritten(StagedOp op, @Nullable Fault fault) {
        op.onOutcome(fault);
        if (op.pendingWrites.decrementAndGet() > 0) return;
        op.discard();
        if (op.missing.decrementAndGet() == 0) op.onWritten.run();
    }

    /** The loop has nothing more to do right now: what was collected may be committed. */
    public void onDrained() {
        // a turn without changes ends at once, and what it let go on may have staged more
        while (!isCommitting && !collecting.isEmpty()) startTurn();
    }

    private void startTurn() {
        Turn turn = new Turn(takeTurn());
        isCommitting = true;
        turnCount++;
        close(turn);
    }

    private List<StagedOp> takeTurn() {
        int count = 0;
        long bytes = 0;
        for (StagedOp op : collecting) {
            bytes += op.batch.byteCount();
            if (count > 0 && bytes > BATCH_BYTES_MAX) break;
            count++;
        }
        List<StagedOp> ops = new ArrayList<>(collecting.subList(0, count));
        collecting = new ArrayList<>(collecting.subList(count, collecting.size()));
        return ops;
    }

    /** Commits as soon as the last device write that is under way has ended. */
    private void close(Turn turn) {
        for (StagedOp op : turn.ops) {
            op.onWritten = () -> arrive(turn, false);
            if (op.missing.decrementAndGet() == 0) turn.missing.decrementAndGet();
        }
        arrive(turn, true);
    }

    private void arrive(Turn turn, boolean isOnLoop) {
        if (turn.missing.decrementAndGet() == 0) commit(turn, isOnLoop);
    }

    private void commit(Turn turn, boolean isOnLoop) {
        KvBatch batch = new KvBatch();
        Set<Blob> flush = new LinkedHashSet<>();
        boolean isDurable = false;
        for (StagedOp op : turn.ops) {
            // a device that is out is a matter of those who would write to it
            if (op.fault.get() == null) op.fault.set(op.batch.refusal());
            if (op.fault.get() != null) continue;
            batch.addAll(op.batch);
            isDurable |= op.isDurable();
            for (StagedOp.DeviceWrite w : op.writes) flush.add(w.blob());
        }
        if (!batch.isEmpty()) io.commit(new Commit(flush, batch, isDurable), f -> onCommitted(turn, f));
        else if (isOnLoop) end(turn, null);
        else loop.execute(() -> end(turn, null));
    }

    /** Any thread. The buffers are the storage's and go back at once: the loop may have ended meanwhile. */
    private void onCommitted(Turn turn, @Nullable Fault fault) {
        turn.ops.forEach(StagedOp::discard);
        loop.execute(() -> end(turn, fault));
    }

    /** The loop ends: what is not under way never will be. Its buffers go back, nobody is told. */
    public void abandon() {
        for (StagedOp op : collecting) if (op.writes.isEmpty()) op.discard();
        collecting.clear();
    }

    private void end(Turn turn, @Nullable Fault fault) {
        isCommitting = false;
        RuntimeException broken = null;
        for (StagedOp op : turn.ops) {
            op.discard();
            Fault own = op.fault.get();
            watcher.accept(op.batch);
            try {
                op.done.done(own != null ? own : fault);
            } catch (RuntimeException e) {
                // the others of the turn still have to hear of it
                if (broken == null) broken = e;
                else broken.addSuppressed(e);
            }
        }
        if (broken != null) throw broken;
    }
}
