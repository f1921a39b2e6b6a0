package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.smd.Smd;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Maps blob offsets to the device's extents and hands requests to the slot. Requests: any thread. */
public final class DeviceBlob implements Blob {
    /** Longer than any write under way can last: the slot's grace and a driver's own close together stay below. */
    private static final long AGE_NS = 10_000_000_000L;

    private volatile Smd.BlobSpace space;
    private volatile @Nullable DeviceSlot slot;
    private final Allocator allocator;
    private final HeldMemory memory;
    private final HeldValues held;
    private volatile boolean isStuck;

    /** @param slot null if the engine has no device: the blob has no bytes either */
    public DeviceBlob(Smd.BlobSpace space, @Nullable DeviceSlot slot, HeldMemory memory) {
        this.memory = memory;
        this.held = new HeldValues(memory);
        this.space = space;
        this.slot = slot;
        this.allocator = new Allocator(space.sizeBytes(), AGE_NS);
    }

    /**
     * It goes on, of the same size, on another device or in another place of the same one, with nothing of what it held. The
     * old device is out: nothing is under way there.
     */
    public void move(Smd.BlobSpace to, DeviceSlot on) {
        Invariant.check(to.sizeBytes() == space.sizeBytes(), "blob %d: %s", space.blobId(), to);
        held.clear();
        space = to;
        slot = on;
    }

    @Override
    public long blobId() {
        return space.blobId();
    }

    @Override
    public long sizeBytes() {
        return space.sizeBytes();
    }

    @Override
    public Allocator allocator() {
        return allocator;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion) {
        DeviceSlot from = slot;
        if (held.isEmpty() || from == null) {
            submit(BlobOp.Kind.READ, offsetBytes, dst, true, completion);
            return;
        }
        Fault refusal = from.refusalOfReads();
        if (refusal != null) {
            completion.done(refusal);
            return;
        }
        List<Extent> missing = held.copy(offsetBytes, dst);
        if (missing.isEmpty()) {
            completion.done(null);
            return;
        }
        BlobCompletion each = join(missing.size(), completion);
        for (Extent part : missing) {
            int at = dst.position() + (int) (part.offsetBytes() - offsetBytes);
            ByteBuffer piece = dst.duplicate().position(at).limit(at + (int) part.lengthBytes());
            submit(BlobOp.Kind.READ, part.offsetBytes(), piece, true, each);
        }
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, BlobCompletion completion) {
        boolean isTaken = held.overwrite(
                offsetBytes,
                src.remaining(),
                ended -> submit(BlobOp.Kind.WRITE, offsetBytes, src, true, fault -> {
                    ended.run();
                    completion.done(fault);
                }));
        if (!isTaken)
            completion.done(Fault.of(FaultCode.BUSY, "%d writes wait for earlier ones", HeldValues.BEHIND_MAX));
    }

    @Override
    public boolean isSlow() {
        DeviceSlot on = slot;
        return on != null && on.isSlow();
    }

    @Override
    public boolean mayHold(long bytes) {
        return memory.hasRoom(bytes, isStuck);
    }

    @Override
    public void flush(BlobCompletion completion) {
        DeviceSlot to = slot;
        if (to == null) completion.done(null);
        else to.submit(BlobOp.flush(completion));
    }

    // ---- values of the log

    HeldValues held() {
        return held;
    }

    public long heldBytes() {
        return held.bytes();
    }

    @Override
    public @Nullable Fault refusal() {
        DeviceSlot on = slot;
        return on == null ? outside(0, 0) : on.refusalOfWrites();
    }

    @Override
    public boolean isStuck() {
        return isStuck;
    }

    /** @param isStuck what is held could not be written to the device */
    public void setStuck(boolean isStuck) {
        this.isStuck = isStuck;
    }

    @Override
    public void hold(long lsn, long offsetBytes, ByteBuffer bytes) {
        held.put(lsn, offsetBytes, bytes);
    }

    @Override
    public void expect(long offsetBytes, long lengthBytes) {
        held.drop(offsetBytes, lengthBytes);
    }

    /** True when the device does not come back with what it held: its values are lost with it. */
    public boolean isGivenUp() {
        DeviceSlot on = slot;
        return on == null || on.isGivenUp();
    }

    /** The device is given up. */
    public void dropHeld() {
        held.clear();
    }

    /** Some held blocks of batches up to this one, to be written into the log once more; null when there are none. */
    public @Nullable KvBatch heldUpTo(long lsn, int blocksMax) {
        return held.upTo(lsn, blobId(), blocksMax);
    }

    /** The space goes to others: nothing of it is written back from here on. BUSY when the device is still at it. */
    public void release(long maxMs) {
        try {
            if (held.close(maxMs)) return;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throw Fault.of(FaultCode.BUSY, "values of blob %d are still on their way to the device", blobId())
                .asException();
    }

    void writeBack(HeldValues.Run run, ByteBuffer bytes, BlobCompletion completion) {
        submit(BlobOp.Kind.WRITE, run.offsetBytes, bytes, false, fault -> {
            run.end();
            completion.done(fault);
        });
    }

    /** Does not wait for a driver. */
    void flushNow(BlobCompletion completion) {
        DeviceSlot to = slot;
        if (to == null) completion.done(null);
        else to.submit(BlobOp.flush(completion).atOnce());
    }

    @Override
    public void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion) {
        List<Extent> parts = parts(offsetBytes, lengthBytes);
        DeviceSlot to = slot;
        if (parts.isEmpty() || to == null) {
            completion.done(outside(offsetBytes, lengthBytes));
            return;
        }
        BlobCompletion each = join(parts.size(), completion);
        held.drop(offsetBytes, lengthBytes, () -> {
            for (Extent part : parts) to.submit(BlobOp.unmap(part.offsetBytes(), part.lengthBytes(), each));
        });
    }

    private void submit(
            BlobOp.Kind kind, long offsetBytes, ByteBuffer buffer, boolean mayWait, BlobCompletion completion) {
        List<Extent> parts = parts(offsetBytes, buffer.remaining());
        DeviceSlot to = slot;
        if (parts.isEmpty() || to == null) {
            completion.done(outside(offsetBytes, buffer.remaining()));
            return;
        }
        BlobCompletion each = join(parts.size(), completion);
        int at = buffer.position();
        for (Extent part : parts) {
            ByteBuffer piece = buffer.duplicate().position(at).limit(at + (int) part.lengthBytes());
            BlobOp op = BlobOp.transfer(kind, space.target(), part.offsetBytes(), piece, each);
            to.submit(mayWait ? op : op.atOnce());
            at += (int) part.lengthBytes();
        }
    }

    private Fault outside(long offsetBytes, long lengthBytes) {
        return Fault.of(
                FaultCode.INVAL, "range %d+%d is outside of a blob of %d bytes", offsetBytes, lengthBytes, sizeBytes());
    }

    /** The same range on the device; empty if it is not inside the blob. */
    private List<Extent> parts(long offsetBytes, long lengthBytes) {
        if (offsetBytes < 0 || lengthBytes <= 0 || offsetBytes > sizeBytes() - lengthBytes) return List.of();
        List<Extent> parts = new ArrayList<>(1);
        long extentStart = 0;
        long at = offsetBytes;
        long end = offsetBytes + lengthBytes;
        for (Extent e : space.extents()) {
            long extentEnd = extentStart + e.lengthBytes();
            if (at < extentEnd && at < end) {
                long length = Math.min(end, extentEnd) - at;
                parts.add(new Extent(e.offsetBytes() + at - extentStart, length));
                at += length;
            }
            extentStart = extentEnd;
        }
        return parts;
    }

    /** Answers once, after the last part, with the first fault of any, or one that says that the buffer is kept. */
    private static BlobCompletion join(int count, BlobCompletion completion) {
        if (count == 1) return completion;
        AtomicInteger left = new AtomicInteger(count);
        AtomicReference<@Nullable Fault> first = new AtomicReference<>();
        return fault -> {
            if (Blob.keepsBuffer(fault)) first.set(fault);
            else if (fault != null) first.compareAndSet(null, fault);
            if (left.decrementAndGet() == 0) completion.done(first.get());
        };
    }
}
