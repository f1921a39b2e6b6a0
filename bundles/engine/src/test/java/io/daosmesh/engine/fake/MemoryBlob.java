package io.daosmesh.engine.fake;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import io.daosmesh.storage.bio.Allocator;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/** A blob in memory that completes at once; can be made to fail or to hold damaged bytes. */
public final class MemoryBlob implements Blob {
    private final ByteBuffer bytes;
    private Allocator allocator;
    public final AtomicInteger flushes = new AtomicInteger();
    public volatile boolean failsWrites;
    public volatile boolean failsFlushes;
    /** Another one after its device was replaced. */
    public volatile long blobId = 1;
    /** A request of these bytes of the blob ends so. */
    public final Map<Long, Fault> endings = new ConcurrentHashMap<>();
    /** Writes and flushes are left alone, until they are let go. */
    public volatile boolean hangs;

    public final List<Runnable> hanging = new ArrayList<>();
    public volatile boolean isSlow;
    public volatile long roomBytes;
    /** Does the reads. */
    public volatile Executor device = Runnable::run;

    public MemoryBlob(int sizeBytes) {
        bytes = ByteBuffer.allocateDirect(sizeBytes);
        allocator = new Allocator(sizeBytes, 0);
    }

    /** What a restart of the process does: everything is free until marked. */
    public void forget() {
        allocator = new Allocator(bytes.capacity(), 0);
    }

    public void damage(int offset) {
        bytes.put(offset, (byte) ~bytes.get(offset));
    }

    @Override
    public long blobId() {
        return blobId;
    }

    @Override
    public long sizeBytes() {
        return bytes.capacity();
    }

    @Override
    public Allocator allocator() {
        return allocator;
    }

    private static void check(long offset, ByteBuffer b) {
        if (offset % 4096 != 0 || b.remaining() % 4096 != 0 || b.alignmentOffset(b.position(), 4096) != 0)
            throw new IllegalArgumentException("not aligned: " + offset + " " + b);
    }

    @Override
    public synchronized void hold(long lsn, long offsetBytes, ByteBuffer src) {
        bytes.put((int) offsetBytes, src, src.position(), src.remaining());
    }

    @Override
    public Fault refusal() {
        return failsWrites ? Fault.of(FaultCode.NVME_IO, "told to fail") : null;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst, BlobCompletion completion) {
        check(offsetBytes, dst);
        Fault ending = endings.get(offsetBytes);
        if (ending != null) {
            completion.done(ending);
            return;
        }
        device.execute(() -> {
            synchronized (this) {
                dst.put(dst.position(), bytes, (int) offsetBytes, dst.remaining());
            }
            completion.done(null);
        });
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, BlobCompletion completion) {
        check(offsetBytes, src);
        Fault ending = failsWrites ? Fault.of(FaultCode.NVME_IO, "told to fail") : endings.get(offsetBytes);
        if (ending != null) {
            answer(() -> completion.done(ending));
            return;
        }
        answer(() -> {
            synchronized (this) {
                bytes.put((int) offsetBytes, src, src.position(), src.remaining());
            }
            completion.done(null);
        });
    }

    private void answer(Runnable work) {
        if (hangs) hanging.add(work);
        else work.run();
    }

    public void letGo() {
        hangs = false;
        List.copyOf(hanging).forEach(Runnable::run);
        hanging.clear();
    }

    @Override
    public void flush(BlobCompletion completion) {
        flushes.incrementAndGet();
        answer(() -> completion.done(failsFlushes ? Fault.of(FaultCode.NVME_IO, "told to fail") : null));
    }

    @Override
    public boolean isSlow() {
        return isSlow;
    }

    @Override
    public boolean mayHold(long bytes) {
        return bytes <= roomBytes;
    }

    @Override
    public void unmap(long offsetBytes, long lengthBytes, BlobCompletion completion) {
        completion.done(null);
    }
}
