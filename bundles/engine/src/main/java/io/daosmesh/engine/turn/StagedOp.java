package io.daosmesh.engine.turn;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One operation's share of a turn: device writes and index changes that become durable together. Owner: target loop, until
 * it is handed to the pipeline.
 */
public final class StagedOp {
    /** @param bytes aligned part of a buffer of {@link StagedOp#buffers} */
    record DeviceWrite(Blob blob, long offsetBytes, ByteBuffer bytes) {}

    final KvBatch batch = new KvBatch();
    final List<DeviceWrite> writes = new ArrayList<>(1);
    final List<BufferPool.Buffer> buffers = new ArrayList<>(1);
    /** Written twice, as a part of the log and later on, it costs less than a sync of its own. */
    private static final long IN_LOG_BYTES_MAX = 64 << 10;

    private final boolean isDurable;

    /** The first of the device. */
    final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();

    final AtomicInteger pendingWrites = new AtomicInteger();
    /** A device may use the buffers yet, although it has given no answer. */
    private volatile boolean areBuffersKept;

    /** What its turn waits for: the device writes, and that the turn is closed. */
    final AtomicInteger missing = new AtomicInteger(1);

    /** Set before its turn is closed, run at most once. */
    Runnable onWritten = () -> {};

    Done done = f -> {};

    /** @param isDurable false: may be lost when the power fails, as long as it is lost before later ones */
    public StagedOp(boolean isDurable) {
        this.isDurable = isDurable;
    }

    boolean isDurable() {
        return isDurable;
    }

    public KvBatch batch() {
        return batch;
    }

    /** Short values go with the batch; true when there are others, whose device writes start now. */
    boolean arm() {
        long bytes = 0;
        for (DeviceWrite w : writes) bytes += w.bytes.remaining();
        if (bytes <= IN_LOG_BYTES_MAX) {
            for (DeviceWrite w : writes) batch.value(w.blob, w.offsetBytes, w.bytes);
            writes.clear();
            return false;
        }
        for (DeviceWrite w : writes) batch.written(w.blob, w.offsetBytes, w.bytes.remaining());
        pendingWrites.set(writes.size());
        missing.set(2);
        return true;
    }

    public void write(Blob blob, long offsetBytes, ByteBuffer bytes) {
        writes.add(new DeviceWrite(blob, offsetBytes, bytes));
    }

    /** Closed when the device or the log has the bytes, or at {@link #discard}. */
    public void owns(BufferPool.Buffer buffer) {
        buffers.add(buffer);
    }

    /** Any thread: how one of its device writes has ended. */
    void onOutcome(@Nullable Fault outcome) {
        if (Blob.keepsBuffer(outcome)) areBuffersKept = true;
        if (outcome != null) fault.compareAndSet(null, outcome);
    }

    /** For an operation that is not handed to the pipeline after all. */
    public void discard() {
        for (BufferPool.Buffer b : buffers) {
            if (areBuffersKept) b.abandon();
            else b.close();
        }
        buffers.clear();
    }
}
