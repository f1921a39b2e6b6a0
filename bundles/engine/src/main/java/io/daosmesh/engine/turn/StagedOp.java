package io.daosmesh.engine.turn;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
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

    /** How its values become durable. */
    enum Way {
        /** As a part of the batch. */
        LOG,
        /** Its device is slow: they wait a moment for it. */
        WAITING,
        /** They are being written to their device. */
        DEVICE,
        /** They are on their device; a flush makes them durable. */
        WRITTEN
    }

    final KvBatch batch = new KvBatch();
    final List<DeviceWrite> writes = new ArrayList<>(1);
    final List<BufferPool.Buffer> buffers = new ArrayList<>(1);
    /** Written twice, as a part of the log and later on, it costs less than a sync of its own. */
    private static final long IN_LOG_BYTES_MAX = 64 << 10;

    private final boolean isDurable;

    /** Why it is not done. */
    final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();

    final AtomicReference<Way> way = new AtomicReference<>(Way.LOG);

    private final AtomicInteger pendingWrites = new AtomicInteger();
    /** The first of the device. */
    private final AtomicReference<@Nullable Fault> deviceFault = new AtomicReference<>();
    /** A device may use the buffers yet, although it has given no answer. */
    private volatile boolean areBuffersKept;
    /** Who uses the buffers: the operation itself, and its device. */
    private final AtomicInteger users = new AtomicInteger(1);

    private final AtomicBoolean isDiscarded = new AtomicBoolean();

    /** What its turn waits for: the device writes, and that the turn is closed. */
    final AtomicInteger missing = new AtomicInteger(1);

    /** When its device was first seen to owe an answer; 0 before. On the loop. */
    long waitsSinceNs;

    /** Of values that go with the batch because their device is slow. On the loop. */
    long lateBytes;

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

    /** Short values go with the batch; long ones to their device, at once or when it is not slow any more. */
    Way arm() {
        if (writeBytes() <= IN_LOG_BYTES_MAX) {
            for (DeviceWrite w : writes) batch.value(w.blob, w.offsetBytes, w.bytes);
            writes.clear();
            return Way.LOG;
        }
        missing.set(2);
        Way first = isSlow() ? Way.WAITING : Way.DEVICE;
        way.set(first);
        return first;
    }

    boolean isSlow() {
        return writes.stream().anyMatch(w -> w.blob.isSlow());
    }

    /** @param lateBytes that are on their way into the log already */
    boolean mayGoLate(long lateBytes) {
        long bytes = lateBytes + writeBytes();
        return writes.stream().allMatch(w -> w.blob.mayHold(bytes));
    }

    long writeBytes() {
        long bytes = 0;
        for (DeviceWrite w : writes) bytes += w.bytes.remaining();
        return bytes;
    }

    public void write(Blob blob, long offsetBytes, ByteBuffer bytes) {
        writes.add(new DeviceWrite(blob, offsetBytes, bytes));
    }

    /** Closed when neither the device nor the log needs the bytes any more, or at {@link #discard}. */
    public void owns(BufferPool.Buffer buffer) {
        buffers.add(buffer);
    }

    Way way() {
        return Objects.requireNonNull(way.get());
    }

    /** Null when it is done. */
    @Nullable
    Fault outcome() {
        return fault.get();
    }

    /** Its device writes start. */
    void issue() {
        way.set(Way.DEVICE);
        pendingWrites.set(writes.size());
        users.incrementAndGet();
        for (DeviceWrite w : writes) w.blob.write(w.offsetBytes, w.bytes, this::onOutcome);
    }

    /** Any thread: how one of its device writes has ended. What was written late is in the log already. */
    private void onOutcome(@Nullable Fault outcome) {
        if (Blob.keepsBuffer(outcome)) areBuffersKept = true;
        if (outcome != null) deviceFault.compareAndSet(null, outcome);
        if (pendingWrites.decrementAndGet() > 0) return;
        release();
        if (way.compareAndSet(Way.DEVICE, Way.WRITTEN)) arrive();
    }

    /** The log takes the values, whatever becomes of the device writes; false when these have ended. */
    boolean goLate(Way from) {
        if (!way.compareAndSet(from, Way.LOG)) return false;
        lateBytes = writeBytes();
        return true;
    }

    /** Any thread, once: nothing of the device is waited for any more. The last write of a turn goes on without a detour. */
    void arrive() {
        Fault f = deviceFault.get();
        if (f != null) fault.compareAndSet(null, f);
        if (missing.decrementAndGet() == 0) onWritten.run();
    }

    /** Once, before its batch is written: where its values are. */
    void mark() {
        boolean isWritten = way.get() == Way.WRITTEN;
        for (DeviceWrite w : writes) {
            if (isWritten) batch.written(w.blob, w.offsetBytes, w.bytes.remaining());
            else batch.value(w.blob, w.offsetBytes, w.bytes);
        }
    }

    /** It needs its buffers no more, or is not handed to the pipeline after all. Any thread. */
    public void discard() {
        if (!isDiscarded.getAndSet(true)) release();
    }

    private void release() {
        if (users.decrementAndGet() > 0) return;
        for (BufferPool.Buffer b : buffers) {
            if (areBuffersKept) b.abandon();
            else b.close();
        }
        buffers.clear();
    }
}
