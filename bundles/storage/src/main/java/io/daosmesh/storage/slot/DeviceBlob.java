package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.bio.Extent;
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

    private final Smd.BlobSpace space;
    private final @Nullable DeviceSlot slot;
    private final Allocator allocator;

    /** @param slot null if the engine has no device: the blob has no bytes either */
    public DeviceBlob(Smd.BlobSpace space, @Nullable DeviceSlot slot) {
        this.space = space;
        this.slot = slot;
        this.allocator = new Allocator(space.sizeBytes(), AGE_NS);
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
        transfer(BlobOp.Kind.READ, offsetBytes, dst, completion);
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, BlobCompletion completion) {
        transfer(BlobOp.Kind.WRITE, offsetBytes, src, completion);
    }

    @Override
    public void flush(BlobCompletion completion) {
        DeviceSlot to = slot;
        if (to == null) completion.done(null);
        else to.submit(BlobOp.flush(completion));
    }

    @Override
    public void writeDurably(List<Write> writes, BlobCompletion completion) {
        List<BlockDevice.Write> pieces = new ArrayList<>(writes.size());
        for (Write w : writes) {
            List<Extent> parts = parts(w.offsetBytes(), w.bytes().remaining());
            if (parts.isEmpty()) {
                completion.done(outside(w.offsetBytes(), w.bytes().remaining()));
                return;
            }
            int at = w.bytes().position();
            for (Extent part : parts) {
                pieces.add(new BlockDevice.Write(part.offsetBytes(), w.bytes().slice(at, (int) part.lengthBytes())));
                at += (int) part.lengthBytes();
            }
        }
        DeviceSlot to = slot;
        if (to == null) completion.done(outside(0, 0));
        else to.submit(BlobOp.durably(space.target(), pieces, completion));
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
        for (Extent part : parts) to.submit(BlobOp.unmap(part.offsetBytes(), part.lengthBytes(), each));
    }

    private void transfer(BlobOp.Kind kind, long offsetBytes, ByteBuffer buffer, BlobCompletion completion) {
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
            to.submit(BlobOp.transfer(kind, space.target(), part.offsetBytes(), piece, each));
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

    /** Answers once, after the last part, with the first fault of any. */
    private static BlobCompletion join(int count, BlobCompletion completion) {
        if (count == 1) return completion;
        AtomicInteger left = new AtomicInteger(count);
        AtomicReference<@Nullable Fault> first = new AtomicReference<>();
        return fault -> {
            if (fault != null) first.compareAndSet(null, fault);
            if (left.decrementAndGet() == 0) completion.done(first.get());
        };
    }
}
