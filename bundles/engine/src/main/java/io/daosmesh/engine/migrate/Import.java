package io.daosmesh.engine.migrate;

import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Fragment;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.Origins;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.wire.MigratedRecordMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps records that come from another holder, with their epochs. One that is here already is left as it is, unless it is a
 * lost one and the other holder has its bytes. Owner: target loop.
 */
public final class Import {
    private final TargetContext context;
    private final PoolShard shard;
    private final CarriedIds ids;
    /** On their way to the index, where they cannot be seen yet. */
    private final Set<ByteKey> underWay = new HashSet<>();

    Import(TargetContext context, PoolShard shard, CarriedIds ids) {
        this.context = context;
        this.shard = shard;
        this.ids = ids;
    }

    /** One batch on its way: what it adds and what that replaces. */
    private final class Batch {
        private final VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        private final List<VosRecord> replaced = new ArrayList<>();
        private final List<ByteKey> keys = new ArrayList<>();
        private final List<DtxTable.Committed> dtxs = new ArrayList<>();

        void add(byte[] key, MigratedRecordMessage m, ByteBuffer bytes) {
            ByteKey k = new ByteKey(key);
            byte[] here = context.kv().get(key);
            VosRecord old = here == null ? null : VosRecord.decode(key, here);
            if (old != null && (m.getLost() || !old.isLost())) return;
            if (!underWay.add(k)) return;
            keys.add(k);
            // somebody deletes it just now
            if (old != null && !shard.writer().claim(old)) return;
            if (old != null) replaced.add(old);
            if (old != null) shard.damaged().forget(key, staging.op());
            if (m.getKind() >= VosRecord.PUNCH_AKEY) {
                shard.writer().punch(staging, key, m.getKind(), m.getLength());
            } else if (m.getLost()) {
                shard.writer().lost(staging, key, m.getLength(), m.getCrc32C(), origins(m));
                shard.damaged().note(key, staging.op(), context.nowNs());
            } else {
                VosWriter.Value value = new VosWriter.Value(bytes, m.getCrc32C(), origins(m));
                shard.writer().value(staging, key, value, true, context.nowNs());
            }
        }

        void replace(VosRecord old, ByteBuffer bytes) {
            if (!shard.writer().claim(old))
                throw Fault.of(FaultCode.BUSY, "the record is being deleted").asException();
            replaced.add(old);
            VosWriter.Value value = new VosWriter.Value(bytes, old.crc32c(), old.origins());
            shard.writer().value(staging, old.key(), value, true, context.nowNs());
        }

        /** Of one epoch the shorter one is seen. */
        void addPart(Fragment part, ByteBuffer bytes) {
            VosRecord old = part.record();
            byte[] akey = Arrays.copyOf(old.key(), Keys.endOfScope(old.key()));
            byte[] key = Keys.extent(akey, old.epoch(), VosRecord.EXTENT, part.from(), part.length());
            boolean isChanging = shard.writer().isDeleting() || context.kv().get(old.key()) == null;
            if (isChanging || context.kv().get(key) != null)
                throw Fault.of(FaultCode.BUSY, "the record is being deleted").asException();
            Origins.Builder origins = new Origins.Builder();
            origins.add(old, (int) (part.from() - old.offset()), (int) (part.to() - old.offset()));
            var value = new VosWriter.Value(bytes, VosWriter.crc(bytes), origins.build(old.epoch()));
            shard.writer().value(staging, key, value, true, context.nowNs());
        }

        void undo() {
            shard.writer().undo(staging, context.nowNs());
            shard.writer().keep(replaced);
            keys.forEach(underWay::remove);
        }

        void onDone(@Nullable Fault fault) {
            keys.forEach(underWay::remove);
            if (fault != null) {
                shard.writer().giveUp(staging.records(), context.nowNs());
                shard.writer().keep(replaced);
            } else {
                shard.writer().release(replaced);
                ids.taken(dtxs);
            }
        }
    }

    /** Faults: PROTO for fewer bytes than the records say, CSUM when they changed on their way, NOSPACE, BUSY. */
    void take(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        Batch batch = new Batch();
        try {
            int at = data.position();
            long newest = records.stream()
                    .mapToLong(MigratedRecordMessage::getEpoch)
                    .max()
                    .orElse(0);
            // this target may lead the group next: its clock must be ahead of what it holds
            context.host().sawEpoch(newest);
            for (MigratedRecordMessage m : records) {
                if (CarriedIds.isCarrier(m)) {
                    batch.dtxs.addAll(ids.stage(m, batch.staging.op()));
                    continue;
                }
                NameSum.check(a, m);
                boolean hasBytes = m.getKind() < VosRecord.PUNCH_AKEY && !m.getLost();
                int n = hasBytes ? (int) m.getLength() : 0;
                if (m.getLength() < 0 || n < 0 || at + n > data.limit())
                    throw Fault.of(FaultCode.PROTO, "a batch has fewer bytes than its records say")
                            .asException();
                batch.add(key(a, m), m, data.slice(at, n));
                at += n;
            }
        } catch (FaultException e) {
            batch.undo();
            done.done(e.fault());
            return;
        }
        shard.counters().migratedRecords.add(batch.keys.size());
        context.turns().stage(batch.staging.op(), fault -> {
            batch.onDone(fault);
            done.done(fault);
        });
    }

    void repair(VosRecord record, ByteBuffer bytes, Done done) {
        stage(batch -> batch.replace(record, bytes), done);
    }

    void repairPart(Fragment part, ByteBuffer bytes, Done done) {
        stage(batch -> batch.addPart(part, bytes), done);
    }

    private void stage(Consumer<Batch> fill, Done done) {
        Batch batch = new Batch();
        try {
            fill.accept(batch);
        } catch (FaultException e) {
            batch.undo();
            done.done(e.fault());
            return;
        }
        context.turns().stage(batch.staging.op(), fault -> {
            batch.onDone(fault);
            done.done(fault);
        });
    }

    /** PROTO when they contradict the record. */
    private static Origins origins(MigratedRecordMessage m) {
        int count = m.getOriginEndCount();
        if (count != m.getOriginEpochCount() || count > Origins.PARTS_MAX)
            throw Fault.of(FaultCode.PROTO, "%d origins with %d epochs", count, m.getOriginEpochCount())
                    .asException();
        List<Origins.Part> parts = new ArrayList<>(count);
        for (int i = 0; i < count; i++) parts.add(new Origins.Part(m.getOriginEnd(i), m.getOriginEpoch(i)));
        return new Origins(parts);
    }

    /** The group follows from the dkey; a punch of the object has none and carries it as its offset. */
    static byte[] key(ShardAddress a, MigratedRecordMessage m) {
        long epoch = m.getEpoch();
        int kind = m.getKind();
        byte[] userDkey = m.getDkey().toByteArray();
        boolean isObject = kind == VosRecord.PUNCH_OBJECT;
        int index = isObject ? (int) m.getOffset() : Placement.groupOf(a.oid(), userDkey);
        byte[] group = Keys.group(a.pool(), a.container(), a.oid(), index);
        if (isObject) return Keys.record(Keys.punches(group), epoch, kind);
        byte[] dkey = Keys.under(group, userDkey);
        if (kind == VosRecord.PUNCH_DKEY) return Keys.record(Keys.punches(dkey), epoch, kind);
        byte[] akey = Keys.under(dkey, m.getAkey().toByteArray());
        boolean isExtent = kind == VosRecord.EXTENT || kind == VosRecord.PUNCH_EXTENT;
        return isExtent ? Keys.extent(akey, epoch, kind, m.getOffset(), m.getLength()) : Keys.record(akey, epoch, kind);
    }
}
