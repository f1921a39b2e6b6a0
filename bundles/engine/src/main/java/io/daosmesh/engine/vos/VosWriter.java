package io.daosmesh.engine.vos;

import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.SpaceAccount;
import io.daosmesh.storage.bio.Extent;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;

/** Turns values into records: small ones into the index, others onto the device. Owner: target loop. */
public final class VosWriter {
    /** Longest request: one buffer. */
    public static final int VALUE_BYTES_MAX = BufferPool.BUFFER_BYTES_MAX;

    private static final int BLOCK_BYTES = 4096;

    private final SpaceAccount scm;
    private final Blob blob;
    private final BufferPool buffers;
    private final int dataThresholdBytes;
    /** Records whose deletion is on its way to the index: their space is given back once. */
    private final Set<ByteKey> dropping = new HashSet<>();
    /** Operations that put records in the place of others, on their way to the index; and those until now, twice each. */
    private int replacing;

    private long replaceCount;
    private int deleting;

    /** @param dataThresholdBytes values at least as long go to the device; 0 = none does */
    public VosWriter(SpaceAccount scm, Blob blob, BufferPool buffers, int dataThresholdBytes) {
        this.scm = scm;
        this.blob = blob;
        this.buffers = buffers;
        this.dataThresholdBytes = dataThresholdBytes == 0 ? Integer.MAX_VALUE : dataThresholdBytes;
    }

    /** Records of one operation on their way; either handed to the pipeline or undone. */
    public static final class Staging {
        private final StagedOp op;
        private final List<VosRecord> records = new ArrayList<>(2);

        public Staging(StagedOp op) {
            this.op = op;
        }

        public StagedOp op() {
            return op;
        }

        public List<VosRecord> records() {
            return records;
        }

        public List<byte[]> keys() {
            return records.stream().map(VosRecord::key).toList();
        }
    }

    /**
     * Stages one value. Faults: CSUM when the bytes are not what the sender sent, NOSPACE, BUSY (no buffer now), REC2BIG.
     *
     * @param bytes from position to limit; copied
     * @param mayUseReserve for rebuild, which must not fail on a full pool
     */
    public void value(Staging to, byte[] key, ByteBuffer bytes, int crc32c, boolean mayUseReserve, long nowNs) {
        value(to, key, new Value(bytes, crc32c, Origins.NONE), mayUseReserve, nowNs);
    }

    /**
     * What is to be stored.
     *
     * @param bytes from position to limit; copied
     */
    public record Value(ByteBuffer bytes, int crc32c, Origins origins) {}

    /** As above, also for what was put together from several extents. */
    public void value(Staging to, byte[] key, Value value, boolean mayUseReserve, long nowNs) {
        ByteBuffer bytes = value.bytes;
        int crc32c = value.crc32c;
        int length = bytes.remaining();
        if (length > VALUE_BYTES_MAX)
            throw Fault.of(FaultCode.REC2BIG, "a value of %d bytes, at most %d", length, VALUE_BYTES_MAX)
                    .asException();
        VosRecord plain = length >= dataThresholdBytes
                ? onDevice(to, key, bytes, crc32c, mayUseReserve, nowNs)
                : VosRecord.inline(key, Keys.kind(key), Keys.offset(key), crc32c, copy(bytes, crc32c));
        VosRecord record = value.origins.isEmpty() ? plain : plain.withOrigins(value.origins);
        try {
            if (mayUseReserve) scm.chargeAlways(record.scmBytes());
            else scm.charge(record.scmBytes());
        } catch (FaultException e) {
            for (Extent piece : record.pieces()) blob.allocator().free(piece, nowNs);
            throw e;
        }
        add(to, record);
    }

    /** Stages a tombstone; never refused, so that a full pool can be emptied. */
    public void punch(Staging to, byte[] key, int kind, long length) {
        VosRecord record = VosRecord.punch(key, kind, Keys.offset(key), length);
        scm.chargeAlways(record.scmBytes());
        add(to, record);
    }

    /** Stages what stands for a value that nobody can read; never refused. */
    public void lost(Staging to, byte[] key, long length, int crc32c, Origins origins) {
        VosRecord record = VosRecord.lost(key, length, crc32c, origins);
        scm.chargeAlways(record.scmBytes());
        add(to, record);
    }

    private static void add(Staging to, VosRecord record) {
        to.records.add(record);
        to.op.batch().put(record.key(), record.encode());
    }

    private VosRecord onDevice(
            Staging to, byte[] key, ByteBuffer bytes, int crc32c, boolean mayUseReserve, long nowNs) {
        int length = bytes.remaining();
        BufferPool.Buffer buffer = buffers.take(length);
        to.op.owns(buffer);
        ByteBuffer aligned = buffer.bytes();
        int padded = (length + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
        aligned.put(0, bytes, bytes.position(), length);
        // the copy is checked, not the source: what is stored is what was verified
        if (crc(aligned.slice(0, length)) != crc32c) throw changed(length);
        List<Extent> pieces = mayUseReserve
                ? blob.allocator().allocate(length, nowNs)
                : blob.allocator().allocateUsable(length, nowNs);
        for (int i = length; i < padded; i++) aligned.put(i, (byte) 0);
        int at = 0;
        for (Extent piece : pieces) {
            int n = (int) piece.lengthBytes();
            to.op.write(blob, piece.offsetBytes(), aligned.slice(at, n));
            at += n;
        }
        return new VosRecord(
                key,
                Keys.kind(key),
                Keys.offset(key),
                length,
                crc32c,
                VosRecord.NO_BYTES,
                pieces,
                chunkCrcs(aligned.slice(0, length)));
    }

    /** Gives back what the operation has taken; its index changes never happened. */
    public void undo(Staging staging, long nowNs) {
        staging.op.discard();
        giveUp(staging.records, nowNs);
    }

    /** The records could not be made durable: their device may still be writing. */
    public void giveUp(List<VosRecord> records, long nowNs) {
        keep(records);
        for (VosRecord r : records) {
            scm.release(r.scmBytes());
            for (Extent piece : r.pieces()) blob.allocator().free(piece, nowNs);
        }
    }

    /** Before a record's deletion is staged; false = another operation deletes it already. Ends with release or keep. */
    public boolean claim(VosRecord record) {
        return dropping.add(new ByteKey(record.key()));
    }

    /** Records in other places than the claimed ones show the same bytes from now on; ends with {@link #endReplacing}. */
    public void beginReplacing() {
        replacing++;
        replaceCount++;
    }

    public void endReplacing() {
        replacing--;
        replaceCount++;
    }

    /** True if who goes on with a walk over several turns may have missed what lies elsewhere now. */
    public boolean isReplacing() {
        return replacing > 0;
    }

    /** Changes when records take the place of others. */
    public long replaceCount() {
        return replaceCount;
    }

    /** All that lies somewhere is being deleted, step by step: nothing may be put there meanwhile. */
    public void beginDeleting() {
        deleting++;
    }

    public void endDeleting() {
        deleting--;
    }

    public boolean isDeleting() {
        return deleting > 0;
    }

    /** The claimed records stay in the index after all. */
    public void keep(List<VosRecord> records) {
        for (VosRecord r : records) dropping.remove(new ByteKey(r.key()));
    }

    /** The records are gone from the index, durably. */
    public void release(List<VosRecord> records) {
        keep(records);
        for (VosRecord r : records) {
            scm.release(r.scmBytes());
            for (Extent piece : r.pieces()) blob.allocator().retire(piece);
        }
    }

    private static byte[] copy(ByteBuffer bytes, int crc32c) {
        byte[] out = new byte[bytes.remaining()];
        bytes.get(bytes.position(), out);
        if (crc(ByteBuffer.wrap(out)) != crc32c) throw changed(out.length);
        return out;
    }

    private static RuntimeException changed(int length) {
        return Fault.of(FaultCode.CSUM, "%d bytes changed on their way", length).asException();
    }

    private static int[] chunkCrcs(ByteBuffer bytes) {
        int length = bytes.remaining();
        if (length <= VosRecord.CHUNK_BYTES) return new int[0];
        int[] crcs = new int[(length + VosRecord.CHUNK_BYTES - 1) / VosRecord.CHUNK_BYTES];
        for (int i = 0; i < crcs.length; i++) {
            int from = i * VosRecord.CHUNK_BYTES;
            crcs[i] = crc(bytes.slice(from, Math.min(VosRecord.CHUNK_BYTES, length - from)));
        }
        return crcs;
    }

    /** CRC32C from position to limit; the buffer stays as it is. */
    public static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate());
        return (int) crc.getValue();
    }
}
