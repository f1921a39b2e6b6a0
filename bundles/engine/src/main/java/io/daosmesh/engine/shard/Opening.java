package io.daosmesh.engine.shard;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.layout.LayoutChange;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvStore;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Opens what the index holds after a start: layout check, space accounts, DTX tables. Owner: target loop. */
public final class Opening {
    /** Argument of a fault that names the container whose record another release wrote. */
    public static final String CONTAINER = "container";

    private Opening() {}

    /**
     * Why the index as a whole cannot be used: what it held is unknown, so the target leads nothing, votes on nothing and is
     * no source, and is put out of its pools. Null if it can be used; DF_INCOMPT when another release wrote it.
     */
    public static @Nullable Fault loss(KvStore kv, boolean hasPools) {
        try {
            checkFormat(kv, hasPools);
            return null;
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INVAL && e.code() != FaultCode.IO) throw e;
            return e.fault();
        }
    }

    /**
     * Writes the layout version into a new index, brings one of the version before up to it, refuses an unknown one with
     * DF_INCOMPT. It is written before the first pool gets its space: an index without it that should hold one has lost what
     * it held.
     */
    private static void checkFormat(KvStore kv, boolean hasPools) {
        byte[] found = kv.get(Keys.format());
        if (found == null && hasPools) {
            throw Fault.of(FaultCode.DF_INVAL, "the index of a target with pools is empty")
                    .asException();
        } else if (found == null) {
            kv.write(new KvBatch().put(Keys.format(), new byte[] {Keys.LAYOUT_VERSION}), true);
        } else if (found.length == 1 && found[0] == LayoutChange.FROM_VERSION) {
            LayoutChange.run(kv);
        } else if (found.length != 1 || found[0] != Keys.LAYOUT_VERSION) {
            StoredFormat.TARGET_INDEX.check(found.length == 1 ? found[0] : 0);
        }
    }

    public static PoolShard shard(TargetContext context, PoolSpace space, int dataThresholdBytes) {
        return shard(
                context, space, Marker.first(dataThresholdBytes, space.blob().blobId()));
    }

    private static PoolShard shard(TargetContext context, PoolSpace space, Marker marker) {
        VosWriter writer = new VosWriter(space.scm(), space.blob(), context.buffers(), marker.dataThresholdBytes());
        return new PoolShard(space, writer, marker, context.rank(), context.target(), context.updates());
    }

    /** Stands for a shard of which nothing is known any more. */
    public static PoolShard failed(TargetContext context, PoolSpace space, Fault why) {
        PoolShard failed = shard(context, space, 0);
        failed.fail(why);
        return failed;
    }

    /** A shard that the index knows, with everything counted; a damaged one comes back FAILED. */
    public static @Nullable PoolShard reopen(TargetContext context, PoolSpace space) {
        Marker known;
        try {
            byte[] marker = context.kv().get(Keys.marker(space.pool()));
            if (marker == null) return null;
            known = onKnownBlob(context, space, Marker.decode(marker));
        } catch (FaultException e) {
            return failed(context, space, e.fault());
        }
        PoolShard s = shard(context, space, known);
        s.dtx().countFormerLife();
        try {
            countRecords(context, s);
            loadDtxs(context, s);
            s.damaged().load(context.kv(), context.nowNs());
            s.changes().load(context.kv());
            s.holdings().load(context.kv(), context.rank(), context.target());
        } catch (FaultException e) {
            s.fail(e.fault());
        }
        return s;
    }

    /** What an older release has left lies on the blob that is there: from now on another one is noticed. */
    private static Marker onKnownBlob(TargetContext context, PoolSpace space, Marker found) {
        if (found.blobId() != Marker.UNKNOWN_BLOB) return found;
        Marker known = found.withBlob(space.blob().blobId());
        context.kv().write(new KvBatch().put(Keys.marker(space.pool()), known.encode()), true);
        return known;
    }

    /**
     * The storage bundle outlives this one: after an update its accounts still have what the former engine had taken for
     * writes that never reached the index.
     */
    private static void countRecords(TargetContext context, PoolShard s) {
        PoolSpace space = s.space();
        Allocator.Recount recount = space.blob().allocator().recount();
        space.scm().release(space.scm().usedBytes());
        long scmBytes = 0;
        long newest = 0;
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.records(s.pool())))) {
            while (c.next()) {
                VosRecord r = record(c.key(), c.value());
                scmBytes += r.scmBytes();
                newest = Math.max(newest, r.epoch());
                for (Extent piece : r.pieces()) {
                    if (!recount.markUsed(piece))
                        throw Fault.of(FaultCode.DF_INVAL, "two records of pool %s own %s", s.pool(), piece)
                                .asException();
                }
            }
        }
        recount.end(context.nowNs());
        space.scm().chargeAlways(scmBytes);
        context.host().foundEpoch(newest);
    }

    private static VosRecord record(byte[] key, byte[] value) {
        try {
            return VosRecord.decode(key, value);
        } catch (FaultException e) {
            if (e.code() != FaultCode.DF_INCOMPT) throw e;
            throw e.fault().with(CONTAINER, Keys.parse(key).container()).asException();
        }
    }

    private static void loadDtxs(TargetContext context, PoolShard s) {
        long now = context.nowNs();
        try (KvCursor c = context.kv().cursor(KvRange.prefix(Keys.dtxs(s.pool())))) {
            while (c.next()) {
                byte[] key = c.key();
                byte[] value = c.value();
                DtxId id = Keys.dtxId(key);
                if (DtxEntry.isCommitted(value)) {
                    s.dtx().load(DtxEntry.decodeCommitted(id, value), now);
                } else {
                    DtxEntry e = DtxEntry.decode(id, value);
                    e.setPreparedNs(now);
                    s.dtx().add(e);
                }
            }
        }
    }

    /** Keeps what the marker says of an open shard; that of a damaged one is left as it is, that of a closed one goes. */
    public static void note(TargetContext context, PoolShard s) {
        note(context, s, new StagedOp(true));
    }

    /** @param op what is kept with it */
    public static void note(TargetContext context, PoolShard s, StagedOp op) {
        if (s.state() == PoolShard.State.FAILED || s.state() == PoolShard.State.CLOSED) return;
        int version = s.mapVersion();
        context.turns().stage(mark(s, op), fault -> {
            if (fault == null) s.changes().onDurable(List.of(), version, op);
        });
    }

    /** The marker that makes a shard known to {@link #reopen}. */
    public static StagedOp create(PoolShard s) {
        return mark(s, new StagedOp(true));
    }

    private static StagedOp mark(PoolShard s, StagedOp op) {
        op.batch().put(Keys.marker(s.pool()), s.marker().encode());
        return op;
    }
}
