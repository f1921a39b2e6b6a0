package io.daosmesh.engine.vos;

import io.daosmesh.engine.turn.Answer;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.bio.Extent;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Reads a part of a record's bytes from the device and verifies the checksums of all that was read. Runs on device
 * threads; whole chunks are read, because the checksum is theirs.
 */
public final class RecordRead {
    /**
     * Verified bytes.
     *
     * @param bytes exactly the wanted ones, a part of {@code owner}
     */
    public record Verified(ByteBuffer bytes, BufferPool.Buffer owner) {}

    private static final int BLOCK_BYTES = 4096;

    private final VosRecord record;
    private final int from;
    private final int to;
    private final int alignedFrom;
    private final int alignedTo;
    private final Allocator allocator;
    private final long generation;
    private final BufferPool.Buffer buffer;
    private final Answer<Verified> answer;
    private final AtomicInteger pending = new AtomicInteger(1);
    private final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();

    private RecordRead(
            Allocator allocator, VosRecord record, long from, long to, BufferPool buffers, Answer<Verified> answer) {
        this.allocator = allocator;
        this.record = record;
        this.from = (int) from;
        this.to = (int) to;
        this.answer = answer;
        int chunk = VosRecord.CHUNK_BYTES;
        boolean isChunked = record.chunkCrcs().length > 0;
        alignedFrom = isChunked ? this.from / chunk * chunk : 0;
        alignedTo = isChunked
                ? (int) Math.min(record.length(), (this.to + chunk - 1L) / chunk * chunk)
                : (int) record.length();
        buffer = buffers.take(alignedTo - alignedFrom);
        generation = allocator.beginRead();
    }

    /**
     * Owner: target loop, in the turn in which the record was found: its extents are not given to others meanwhile.
     *
     * @param from position in the record's bytes
     * @param answer on a device thread, or at once when no buffer is free (BUSY); CSUM when the bytes are damaged
     */
    public static void start(
            Blob blob, VosRecord record, long from, long to, BufferPool buffers, Answer<Verified> answer) {
        RecordRead read;
        try {
            read = new RecordRead(blob.allocator(), record, from, to, buffers, answer);
        } catch (FaultException e) {
            answer.refuse(e.fault());
            return;
        }
        read.submit(blob);
    }

    /** True for a block that the medium cannot give out, false when the whole device is out, gone or silent. */
    public static boolean isBadBlock(Fault f) {
        boolean isOfDevice = f.argument("device_state").isPresent() || Blob.keepsBuffer(f);
        return f.code() == FaultCode.NVME_IO && !isOfDevice;
    }

    private void submit(Blob blob) {
        int wanted = (alignedTo - alignedFrom + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
        ByteBuffer target = buffer.bytes();
        long pieceStart = 0;
        int done = 0;
        for (Extent piece : record.pieces()) {
            long skip = Math.max(0, alignedFrom + (long) done - pieceStart);
            if (skip < piece.lengthBytes() && done < wanted) {
                int n = (int) Math.min(piece.lengthBytes() - skip, wanted - done);
                pending.incrementAndGet();
                blob.read(piece.offsetBytes() + skip, target.slice(done, n), this::onRead);
                done += n;
            }
            pieceStart += piece.lengthBytes();
        }
        onRead(done == wanted ? null : Fault.of(FaultCode.DF_INVAL, "a record is longer than its extents"));
    }

    private void onRead(@Nullable Fault failure) {
        if (Blob.keepsBuffer(failure)) fault.set(failure);
        else if (failure != null) fault.compareAndSet(null, failure);
        if (pending.decrementAndGet() > 0) return;
        allocator.endRead(generation);
        Fault f = fault.get();
        if (f == null && !isIntact()) f = Fault.of(FaultCode.CSUM, "stored bytes are damaged");
        if (f != null) {
            if (Blob.keepsBuffer(f)) buffer.abandon();
            else buffer.close();
            answer.refuse(f);
            return;
        }
        answer.answer(new Verified(buffer.bytes().slice(from - alignedFrom, to - from), buffer), null);
    }

    private boolean isIntact() {
        ByteBuffer bytes = buffer.bytes();
        int[] crcs = record.chunkCrcs();
        if (crcs.length == 0) return VosWriter.crc(bytes.slice(0, alignedTo)) == record.crc32c();
        for (int at = alignedFrom; at < alignedTo; at += VosRecord.CHUNK_BYTES) {
            int n = Math.min(VosRecord.CHUNK_BYTES, alignedTo - at);
            if (VosWriter.crc(bytes.slice(at - alignedFrom, n)) != crcs[at / VosRecord.CHUNK_BYTES]) return false;
        }
        return true;
    }
}
