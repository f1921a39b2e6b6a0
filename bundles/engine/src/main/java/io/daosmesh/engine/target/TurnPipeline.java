package io.daosmesh.engine.target;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Group commit: all operations staged while one commit is under way share the next one, which is one flush of the device
 * (if it was written) and one synced index batch. At most one commit is under way, one turn collects. Owner: target loop.
 */
public final class TurnPipeline {
    /** Makes a turn durable off the loop. */
    public interface TurnIo {
        /**
         * Flushes the blobs, then writes the batch.
         *
         * @param done on any thread
         */
        void commit(Set<Blob> flush, KvBatch batch, boolean isDurable, Done done);
    }

    /** Puts work on the loop from any thread; never refuses. */
    @FunctionalInterface
    public interface Loop {
        void execute(Runnable work);
    }

    private final TurnIo io;
    private final Loop loop;
    private List<StagedOp> collecting = new ArrayList<>();
    private List<StagedOp> committing = new ArrayList<>();
    private boolean isCommitting;
    private int pendingWrites;
    private long turnCount;

    public TurnPipeline(TurnIo io, Loop loop) {
        this.io = io;
        this.loop = loop;
    }

    public long turnCount() {
        return turnCount;
    }

    public boolean isIdle() {
        return !isCommitting && collecting.isEmpty();
    }

    /** Starts the device writes at once; {@code done} runs on the loop when all is durable, or has failed. */
    public void stage(StagedOp op, Done done) {
        op.done = done;
        op.pendingWrites = op.writes.size();
        collecting.add(op);
        for (StagedOp.DeviceWrite w : op.writes) {
            w.blob().write(w.offsetBytes(), w.bytes(), fault -> loop.execute(() -> onWritten(op, fault)));
        }
    }

    private void onWritten(StagedOp op, @Nullable Fault fault) {
        if (fault != null && op.fault == null) op.fault = fault;
        op.pendingWrites--;
        if (op.pendingWrites == 0) op.discard();
        if (op.isSealed) {
            pendingWrites--;
            if (pendingWrites == 0) commit();
        }
    }

    /** The loop has nothing more to do right now: what was collected may be committed. */
    public void onDrained() {
        // a turn without changes ends at once, and what it let go on may have staged more
        while (!isCommitting && !collecting.isEmpty()) startTurn();
    }

    private void startTurn() {
        committing = collecting;
        collecting = new ArrayList<>();
        isCommitting = true;
        turnCount++;
        pendingWrites = 0;
        for (StagedOp op : committing) {
            op.isSealed = true;
            pendingWrites += op.pendingWrites;
        }
        if (pendingWrites == 0) commit();
    }

    private void commit() {
        KvBatch batch = new KvBatch();
        Set<Blob> flush = new LinkedHashSet<>();
        boolean isDurable = false;
        for (StagedOp op : committing) {
            if (op.fault != null) continue;
            op.batch.forEach(new Copier(batch));
            isDurable |= op.isDurable();
            for (StagedOp.DeviceWrite w : op.writes) flush.add(w.blob());
        }
        if (batch.isEmpty()) {
            onCommitted(null);
            return;
        }
        io.commit(flush, batch, isDurable, fault -> loop.execute(() -> onCommitted(fault)));
    }

    private void onCommitted(@Nullable Fault fault) {
        List<StagedOp> done = committing;
        committing = new ArrayList<>();
        isCommitting = false;
        RuntimeException broken = null;
        for (StagedOp op : done) {
            try {
                op.done.done(op.fault != null ? op.fault : fault);
            } catch (RuntimeException e) {
                // the others of the turn still have to hear of it
                if (broken == null) broken = e;
                else broken.addSuppressed(e);
            }
        }
        if (broken != null) throw broken;
    }

    private record Copier(KvBatch into) implements KvBatch.Visitor {
        @Override
        public void put(byte[] key, byte[] value) {
            into.put(key, value);
        }

        @Override
        public void delete(byte[] key) {
            into.delete(key);
        }

        @Override
        public void deleteRange(byte[] from, byte[] to) {
            into.deleteRange(from, to);
        }
    }
}
