package io.daosmesh.engine.turn;

import io.daosmesh.engine.turn.StagedOp.Way;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Operations that are committed together: first their device writes end, then these are flushed, then the batches are
 * written in the order of the operations. Owner: target loop; steps on any thread, one after the other.
 */
final class Turn {
    /** Told once, when all is over. */
    @FunctionalInterface
    interface Over {
        void over(Turn turn, boolean isOnLoop);
    }

    private enum Step {
        WRITING,
        FLUSHING,
        COMMITTING
    }

    final List<StagedOp> ops;
    private final TurnPipeline.TurnIo io;
    private final Over over;
    private final AtomicReference<Step> step = new AtomicReference<>(Step.WRITING);
    private final AtomicInteger missing;
    private final AtomicInteger pendingFlushes = new AtomicInteger();
    private final Map<Blob, Fault> failedFlushes = new ConcurrentHashMap<>();
    /** When the flush was first seen to be under way; 0 before. On the loop. */
    private long flushesSinceNs;

    Turn(List<StagedOp> ops, TurnPipeline.TurnIo io, Over over) {
        this.ops = ops;
        this.io = io;
        this.over = over;
        this.missing = new AtomicInteger(ops.size() + 1);
    }

    /** Goes on as soon as the last device write that is under way has ended. */
    void close() {
        for (StagedOp op : ops) {
            op.onWritten = () -> arrive(false);
            if (op.missing.decrementAndGet() == 0) missing.decrementAndGet();
        }
        arrive(true);
    }

    private void arrive(boolean isOnLoop) {
        if (missing.decrementAndGet() == 0) flush(isOnLoop);
    }

    private List<StagedOp> written() {
        return ops.stream()
                .filter(op -> op.way.get() == Way.WRITTEN && op.fault.get() == null)
                .toList();
    }

    private void flush(boolean isOnLoop) {
        Set<Blob> blobs = new LinkedHashSet<>();
        for (StagedOp op : written()) op.writes.forEach(w -> blobs.add(w.blob()));
        if (blobs.isEmpty()) {
            step.set(Step.COMMITTING);
            commit(isOnLoop);
            return;
        }
        pendingFlushes.set(blobs.size());
        step.set(Step.FLUSHING);
        for (Blob blob : blobs) blob.flush(fault -> onFlushed(blob, fault));
    }

    private void onFlushed(Blob blob, @Nullable Fault fault) {
        if (fault != null) failedFlushes.put(blob, fault);
        if (pendingFlushes.decrementAndGet() > 0 || !step.compareAndSet(Step.FLUSHING, Step.COMMITTING)) return;
        // the bytes are where they belong
        for (StagedOp op : written()) {
            op.writes.forEach(w -> op.fault.compareAndSet(null, failedFlushes.get(w.blob())));
            op.discard();
        }
        commit(false);
    }

    /**
     * On the loop: when the flush is late, what it should make durable goes into the log. How many bytes.
     *
     * @param lateBytes that are on their way there already
     */
    long look(long nowNs, long lateBytes) {
        if (step.get() != Step.FLUSHING) return 0;
        if (flushesSinceNs == 0) flushesSinceNs = nowNs;
        if (nowNs - flushesSinceNs < TurnPipeline.LATE_NS) return 0;
        List<StagedOp> late = written();
        long bytes = lateBytes;
        for (StagedOp op : late) {
            if (!op.mayGoLate(bytes)) return 0;
            bytes += op.writeBytes();
        }
        if (!step.compareAndSet(Step.FLUSHING, Step.COMMITTING)) return 0;
        for (StagedOp op : late) op.goLate(Way.WRITTEN);
        commit(false);
        return bytes - lateBytes;
    }

    private static final class Part {
        final KvBatch batch = new KvBatch();
        final List<StagedOp> ops = new ArrayList<>();
        boolean isDurable;

        void add(StagedOp op) {
            ops.add(op);
            batch.addAll(op.batch);
            isDurable |= op.isDurable();
        }

        /** They share its fate. */
        void end(@Nullable Fault fault) {
            if (fault != null) ops.forEach(op -> op.fault.compareAndSet(null, fault));
        }
    }

    private void commit(boolean isOnLoop) {
        List<Part> parts = new ArrayList<>(1);
        Part last = new Part();
        parts.add(last);
        for (StagedOp op : ops) {
            if (op.fault.get() != null) continue;
            op.mark();
            // a device that is out is a matter of those who would write to it
            Fault refusal = op.batch.refusal();
            if (refusal != null) {
                op.fault.set(refusal);
                continue;
            }
            // more than one only where long values have come in
            if (!last.batch.isEmpty() && last.batch.byteCount() + op.batch.byteCount() > TurnPipeline.BATCH_BYTES_MAX) {
                last = new Part();
                parts.add(last);
            }
            last.add(op);
        }
        commit(parts, 0, isOnLoop);
    }

    private void commit(List<Part> parts, int at, boolean isOnLoop) {
        if (at == parts.size()) {
            over.over(this, isOnLoop);
            return;
        }
        Part part = parts.get(at);
        if (part.batch.isEmpty()) commit(parts, at + 1, isOnLoop);
        else
            io.commit(part.batch, part.isDurable, fault -> {
                part.end(fault);
                commit(parts, at + 1, false);
            });
    }
}
