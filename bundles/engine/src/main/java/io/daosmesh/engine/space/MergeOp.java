package io.daosmesh.engine.space;

import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.MergeSearch;
import io.daosmesh.engine.vos.MergeSearch.Piece;
import io.daosmesh.engine.vos.Origins;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One merge: reads and verifies the pieces one after another, writes the new extents to the device, and puts them in the
 * place of the old ones with one change of the index. If anything has changed meanwhile, or bytes are damaged, all stays as it
 * was. Owner: target loop.
 */
final class MergeOp {
    private final TargetContext context;
    private final PoolShard shard;
    private final MergeSearch.Merge merge;
    private final BooleanSupplier isSearched;
    private final Runnable onEnd;
    private final int mapVersion;
    private final long generation;
    /** What is replaced, as the index had it. */
    private final Map<ByteKey, byte[]> values = new HashMap<>();

    private final Map<ByteKey, VosRecord> records = new HashMap<>();
    private final List<Extent> extents = new ArrayList<>();

    /** A new extent and, until they are written, its bytes. */
    private record Extent(List<Piece> pieces, Origins origins, BufferPool.Buffer buffer) {
        ByteBuffer bytes() {
            return buffer.bytes().slice(0, MergeSearch.byteCount(pieces));
        }
    }

    /** @param onEnd whatever has come of it */
    MergeOp(
            TargetContext context,
            PoolShard shard,
            MergeSearch.Merge merge,
            BooleanSupplier isSearched,
            Runnable onEnd) {
        this.context = context;
        this.shard = shard;
        this.merge = merge;
        this.isSearched = isSearched;
        this.onEnd = onEnd;
        this.mapVersion = shard.mapVersion();
        // until its end nobody is given the blocks that it reads
        this.generation = shard.space().blob().allocator().beginRead();
    }

    void start() {
        try {
            if (!load() || !makeRoom()) end();
            else read(0, 0);
        } catch (FaultException e) {
            // no buffer now, or an index that cannot be read: later
            end();
        }
    }

    private boolean load() {
        for (byte[] key : merge.replaced()) {
            byte[] value = context.kv().get(key);
            if (value == null || shard.damaged().isKnown(key)) return false;
            VosRecord r = VosRecord.decode(key, value);
            if (r.isLost() || !r.isSound(shard.space().blob().sizeBytes())) return false;
            values.put(new ByteKey(key), value);
            records.put(new ByteKey(key), r);
        }
        return true;
    }

    /** Buffers for the new extents, cut where one would have too many origins. False if that leaves no gain. */
    private boolean makeRoom() {
        List<List<Piece>> cut = new ArrayList<>();
        List<Origins> origins = new ArrayList<>();
        for (List<Piece> pieces : merge.merged()) {
            List<Piece> of = new ArrayList<>();
            Origins.Builder builder = new Origins.Builder();
            for (Piece p : pieces) {
                VosRecord r = record(p);
                if (builder.count() + r.origins().parts().size() >= Origins.PARTS_MAX) {
                    cut.add(of);
                    origins.add(builder.build(epoch(of)));
                    of = new ArrayList<>();
                    builder = new Origins.Builder();
                }
                of.add(p);
                builder.add(r, (int) (p.from() - r.offset()), (int) (p.to() - r.offset()));
            }
            cut.add(of);
            origins.add(builder.build(epoch(of)));
        }
        if (!new MergeSearch.Merge(merge.replaced(), cut).pays()) return false;
        for (int i = 0; i < cut.size(); i++) {
            BufferPool.Buffer buffer = context.buffers().take(MergeSearch.byteCount(cut.get(i)));
            extents.add(new Extent(cut.get(i), origins.get(i), buffer));
        }
        return true;
    }

    private VosRecord record(Piece p) {
        VosRecord r = records.get(new ByteKey(p.record()));
        if (r == null) throw new IllegalStateException("a piece of a record that is not replaced");
        return r;
    }

    private long epoch(List<Piece> pieces) {
        return pieces.stream().mapToLong(p -> record(p).epoch()).max().orElseThrow();
    }

    /** From this piece of this extent on. */
    private void read(int extent, int piece) {
        int e = extent;
        int i = piece;
        while (e < extents.size()) {
            List<Piece> pieces = extents.get(e).pieces;
            if (i == pieces.size()) {
                e++;
                i = 0;
                continue;
            }
            VosRecord r = record(pieces.get(i));
            if (r.isOnDevice()) {
                readDevice(r, e, i);
                return;
            }
            ByteBuffer bytes = ByteBuffer.wrap(r.inline());
            if (VosWriter.crc(bytes) != r.crc32c()) {
                unreadable(r, Fault.of(FaultCode.CSUM, "stored bytes are damaged"));
                return;
            }
            put(e, i, bytes.slice(from(r, e, i), length(e, i)));
            i++;
        }
        stage();
    }

    private int from(VosRecord r, int extent, int piece) {
        return (int) (extents.get(extent).pieces.get(piece).from() - r.offset());
    }

    private int length(int extent, int piece) {
        Piece p = extents.get(extent).pieces.get(piece);
        return (int) (p.to() - p.from());
    }

    private void put(int extent, int piece, ByteBuffer bytes) {
        Extent e = extents.get(extent);
        int at = (int) (e.pieces.get(piece).from() - e.pieces.get(0).from());
        e.bytes().put(at, bytes, bytes.position(), bytes.remaining());
    }

    private void readDevice(VosRecord r, int extent, int piece) {
        int from = from(r, extent, piece);
        RecordRead.start(
                shard.space().blob(),
                r,
                from,
                from + length(extent, piece),
                context.buffers(),
                (v, f) -> context.loop().execute(() -> onRead(r, extent, piece, v, f)));
    }

    private void onRead(VosRecord r, int extent, int piece, RecordRead.@Nullable Verified v, @Nullable Fault fault) {
        if (v == null) {
            if (fault == null) end();
            else unreadable(r, fault);
            return;
        }
        put(extent, piece, v.bytes());
        v.owner().close();
        read(extent, piece + 1);
    }

    /** It stays where it is, told of as whoever reads it would tell. */
    private void unreadable(VosRecord r, Fault fault) {
        boolean isThere =
                Arrays.equals(values.get(new ByteKey(r.key())), context.kv().get(r.key()));
        if (isThere && fault.code() == FaultCode.CSUM) {
            shard.counters().aggregationDamaged.increment();
            shard.onDamage(context, r, fault);
        } else if (isThere && RecordRead.isBadBlock(fault)) {
            shard.onUnreadable(context, r);
        }
        end();
    }

    private void stage() {
        List<VosRecord> claimed = new ArrayList<>();
        if (!mayReplace() || !claim(claimed)) {
            shard.writer().keep(claimed);
            end();
            return;
        }
        long now = context.nowNs();
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        try {
            for (Extent e : extents) {
                ByteBuffer bytes = e.bytes();
                VosWriter.Value value = new VosWriter.Value(bytes, VosWriter.crc(bytes), e.origins);
                // what it takes it gives back at once
                shard.writer().value(staging, MergeSearch.key(e.pieces), value, true, now);
            }
        } catch (FaultException e) {
            shard.writer().undo(staging, now);
            shard.writer().keep(claimed);
            end();
            return;
        }
        for (VosRecord r : claimed) staging.op().batch().delete(r.key());
        shard.writer().beginReplacing();
        context.turns().stage(staging.op(), fault -> onStaged(staging, claimed, fault));
    }

    /** Whoever copies, deletes or searches step by step counts on the order of what is there. */
    private boolean mayReplace() {
        return shard.isServing()
                && shard.mapVersion() == mapVersion
                && !shard.isRebuilding()
                && !shard.writer().isDeleting()
                && !isSearched.getAsBoolean();
    }

    private boolean claim(List<VosRecord> claimed) {
        for (Map.Entry<ByteKey, byte[]> e : values.entrySet()) {
            byte[] key = e.getKey().bytes();
            VosRecord r = records.get(e.getKey());
            if (r == null || !Arrays.equals(context.kv().get(key), e.getValue())) return false;
            if (!shard.writer().claim(r)) return false;
            claimed.add(r);
        }
        for (Extent e : extents) if (context.kv().get(MergeSearch.key(e.pieces)) != null) return false;
        return true;
    }

    private void onStaged(VosWriter.Staging staging, List<VosRecord> claimed, @Nullable Fault fault) {
        shard.writer().endReplacing();
        if (fault != null) {
            shard.writer().keep(claimed);
            shard.writer().giveUp(staging.records(), context.nowNs());
        } else {
            shard.writer().release(claimed);
            shard.counters().mergedRecords.add(claimed.size());
            shard.counters().mergedBytes.add(merge.copiedBytes());
        }
        end();
    }

    private void end() {
        shard.space().blob().allocator().endRead(generation);
        extents.forEach(e -> e.buffer.close());
        onEnd.run();
    }
}
