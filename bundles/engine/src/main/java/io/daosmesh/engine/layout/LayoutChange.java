package io.daosmesh.engine.layout;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Brings an index of layout version 1 up to version 2, once, before anything else reads it. In version 1 the records of an
 * akey lay by epoch alone: their keys ended with inverted epoch, kind and offset. A change that a crash cuts short goes on at
 * the next start: keys of both versions are told apart by the bit that an inverted epoch begins with. Owner: target loop.
 */
public final class LayoutChange {
    public static final byte FROM_VERSION = (byte) StoredFormat.TARGET_INDEX.oldest();

    private static final int BATCH_RECORDS = 256;
    private static final int BATCH_BYTES = 256 << 10;
    private static final int OLD_SUFFIX_BYTES = 8 + 1 + 8;

    private final KvStore kv;
    private KvBatch batch = new KvBatch();

    private LayoutChange(KvStore kv) {
        this.kv = kv;
    }

    /** Blocks for the time of a scan. Faults: DF_INVAL, IO when the index cannot be read. */
    public static void run(KvStore kv) {
        LayoutChange change = new LayoutChange(kv);
        // entries first: they name records by their keys, and move with them
        change.entries();
        change.records();
        change.batch.put(Keys.format(), new byte[] {Keys.LAYOUT_VERSION});
        kv.write(change.batch, true);
    }

    private void entries() {
        try (KvCursor c = kv.cursor(KvRange.prefix(new byte[] {'T'}))) {
            while (c.next()) {
                entry(c.key(), c.value());
                flush(0);
            }
        }
    }

    private void entry(byte[] at, byte[] value) {
        DtxEntry e;
        try {
            if (DtxEntry.isCommitted(value)) return;
            e = DtxEntry.decode(Keys.dtxId(at), value);
        } catch (FaultException damage) {
            // it is one pool's loss, and told when that pool is opened
            if (damage.code() != FaultCode.DF_INVAL) throw damage;
            return;
        }
        List<byte[]> keys = new ArrayList<>();
        for (byte[] old : e.recordKeys()) {
            byte[] record = isOld(old) ? kv.get(old) : null;
            keys.add(record == null ? old : move(old, record));
        }
        batch.put(at, e.withRecordKeys(keys).encode());
    }

    private void records() {
        try (KvCursor c = kv.cursor(KvRange.prefix(new byte[] {'R'}))) {
            while (c.next()) {
                if (isOld(c.key())) move(c.key(), c.value());
                flush(BATCH_RECORDS);
            }
        }
    }

    private byte[] move(byte[] old, byte[] value) {
        byte[] scope = Arrays.copyOf(old, old.length - OLD_SUFFIX_BYTES);
        ByteBuffer b = ByteBuffer.wrap(old, scope.length, OLD_SUFFIX_BYTES);
        long epoch = ~b.getLong();
        int kind = b.get();
        long offset = b.getLong();
        boolean isExtent = kind == VosRecord.EXTENT || kind == VosRecord.PUNCH_EXTENT;
        byte[] key = isExtent
                ? Keys.extent(scope, epoch, kind, offset, length(old, value))
                : Keys.record(scope, epoch, kind);
        batch.put(key, value).delete(old);
        return key;
    }

    /** Of a damaged record any: whoever reads it finds that out. */
    private static long length(byte[] key, byte[] value) {
        try {
            return VosRecord.decode(key, value).length();
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INVAL) throw e;
            return 0;
        }
    }

    private static boolean isOld(byte[] record) {
        return record[Keys.endOfScope(record)] < 0;
    }

    private void flush(int countMax) {
        if (batch.isEmpty() || batch.count() <= countMax && batch.byteCount() < BATCH_BYTES) return;
        kv.write(batch, false);
        batch = new KvBatch();
    }
}
