package io.daosmesh.engine.repair;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.migrate.Migration;
import io.daosmesh.engine.shard.DamagedRecords;
import io.daosmesh.engine.shard.DamagedRecords.Damaged;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Fragment;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.RecordPullRequest;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Looks after the damaged records of a shard, one at a time: forgets those that nobody can see any more, fetches the others
 * from another replica, again and again ever more rarely, and tells how many nobody can read. Owner: target loop.
 */
public final class Repair {
    /** Objects named in a report. */
    private static final int OBJECTS_SHOWN_MAX = 100;

    private static final long REPORT_PERIOD_NS = 1_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final Migration migration;
    private boolean isBusy;
    private long reportAtNs;

    public Repair(TargetContext context, PoolShard shard, Migration migration) {
        this.context = context;
        this.shard = shard;
        this.migration = migration;
        this.reportAtNs = context.nowNs();
    }

    public void onTick() {
        DamagedRecords damaged = shard.damaged();
        long now = context.nowNs();
        if (damaged.isEmpty() && damaged.report().records() == 0) return;
        if (damaged.hasUnmarked()) {
            StagedOp op = new StagedOp(true);
            damaged.mark(op);
            context.turns().stage(op, fault -> {});
        }
        if (now - reportAtNs >= 0) {
            reportAtNs = now + REPORT_PERIOD_NS;
            damaged.publish(report());
        }
        if (isBusy || !shard.isServing()) return;
        byte[] key = damaged.next(now);
        if (key != null) look(key);
    }

    /** Only a group's leader counts its records: each is counted once. */
    private DamagedRecords.Report report() {
        Map<ObjectId, Damaged> objects = new LinkedHashMap<>();
        long records = 0;
        for (byte[] key : shard.damaged().keys()) {
            Keys.Parts p = Keys.parse(key);
            ShardGroup g = shard.group(p.oid(), p.group());
            if (!g.isAvailable() || g.leader() != shard.myId()) continue;
            records++;
            UUID container = p.container();
            objects.merge(
                    p.oid(),
                    new Damaged(container, p.oid(), 1),
                    (a, b) -> new Damaged(container, a.oid(), a.records() + 1));
        }
        return new DamagedRecords.Report(
                records, objects.values().stream().limit(OBJECTS_SHOWN_MAX).toList());
    }

    private void look(byte[] key) {
        try {
            VosRecord record = find(key);
            if (record == null) forget(key);
            else readAgain(record);
        } catch (FaultException e) {
            // later; an index that cannot be read stops the target
            isBusy = false;
        }
    }

    /** Null when nobody can see it any more. */
    private @Nullable VosRecord find(byte[] key) {
        byte[] value = context.kv().get(key);
        if (value == null) return null;
        VosRecord r = VosRecord.decode(key, value);
        return GroupReader.isVisible(context.kv(), r, context.host().hlcNow(), shard.dtx()) ? r : null;
    }

    private void forget(byte[] key) {
        isBusy = true;
        StagedOp op = new StagedOp(true);
        shard.damaged().forget(key, op);
        context.turns().stage(op, fault -> isBusy = false);
    }

    /** What a medium or a memory could not give once it may give now. */
    private void readAgain(VosRecord record) {
        isBusy = true;
        if (!record.isSound(shard.space().blob().sizeBytes())) {
            onRead(record, false);
            return;
        }
        if (!record.isOnDevice()) {
            boolean isIntact = VosWriter.crc(ByteBuffer.wrap(record.inline())) == record.crc32c();
            onRead(record, !record.isLost() && isIntact);
            return;
        }
        RecordRead.start(shard.space().blob(), record, 0, record.length(), context.buffers(), (v, f) -> {
            if (v != null) v.owner().close();
            context.loop().execute(() -> onRead(record, v != null));
        });
    }

    private void onRead(VosRecord record, boolean isIntact) {
        isBusy = false;
        if (isIntact) forget(record.key());
        else fetch(record);
    }

    private void fetch(VosRecord record) {
        PoolTarget from = holder(record);
        if (from == null) return;
        isBusy = true;
        MigratedRecordMessage whole = wanted(record, record.offset(), record.length());
        context.peers()
                .record(from.rank(), request(record, from, whole), (bytes, fault) -> onBytes(record, from, bytes));
    }

    /** Each holder in its turn; null if there is no other one. */
    private @Nullable PoolTarget holder(VosRecord record) {
        Keys.Parts p = Keys.parse(record.key());
        List<PoolTarget> holders = new ArrayList<>();
        for (int id : shard.group(p.oid(), p.group()).settled()) if (id != shard.myId()) holders.add(shard.target(id));
        return holders.isEmpty() ? null : holders.get(shard.damaged().tries(record.key()) % holders.size());
    }

    private static MigratedRecordMessage wanted(VosRecord record, long offset, long length) {
        Keys.Parts p = Keys.parse(record.key());
        return MigratedRecordMessage.newBuilder()
                .setDkey(ByteString.copyFrom(key(p.dkey())))
                .setAkey(ByteString.copyFrom(key(p.akey())))
                .setKind(record.kind())
                .setEpoch(record.epoch())
                .setOffset(offset)
                .setLength(length)
                .build();
    }

    private RecordPullRequest request(VosRecord record, PoolTarget from, MigratedRecordMessage wanted) {
        Keys.Parts p = Keys.parse(record.key());
        ShardAddress a = new ShardAddress(shard.pool(), p.container(), p.oid(), p.group(), shard.mapVersion());
        return RecordPullRequest.newBuilder()
                .setAddress(a.toWire(from.index()))
                .setRecord(wanted)
                .build();
    }

    private static byte[] key(byte @Nullable [] part) {
        return part == null ? VosRecord.NO_BYTES : part;
    }

    /** Of another length or checksum they are those of other writes, too: then only what can be seen of the record counts. */
    private void onBytes(VosRecord record, PoolTarget from, @Nullable ByteBuffer bytes) {
        if (bytes != null && bytes.remaining() == record.length() && VosWriter.crc(bytes) == record.crc32c()) {
            migration.repair(record, bytes, fault -> onRepaired(record, fault));
            return;
        }
        isBusy = false;
        try {
            if (record.kind() == VosRecord.EXTENT) fetchPart(record, from);
        } catch (FaultException e) {
            // later, as in look
            isBusy = false;
        }
    }

    /** The holder has put together otherwise what is still visible of the extent here. */
    private void fetchPart(VosRecord record, PoolTarget from) {
        Fragment part =
                GroupReader.firstVisible(context.kv(), record, context.host().hlcNow(), shard.dtx());
        if (part == null || part.length() == record.length()) return;
        isBusy = true;
        int version = shard.mapVersion();
        RecordPullRequest request = request(record, from, wanted(record, part.from(), part.length()));
        context.peers().record(from.rank(), request, (bytes, fault) -> {
            isBusy = false;
            boolean isRight = bytes != null && bytes.remaining() == part.length() && version == shard.mapVersion();
            if (isRight && bytes != null) keep(part, bytes);
        });
    }

    /** The bytes lie over those of the damaged extent, at its epoch; it is forgotten when that is so of all that is visible of it. */
    private void keep(Fragment part, ByteBuffer bytes) {
        isBusy = true;
        migration.repairPart(part, bytes, fault -> {
            isBusy = false;
            if (fault == null) shard.counters().repaired.increment();
        });
    }

    private void onRepaired(VosRecord record, @Nullable Fault fault) {
        isBusy = false;
        if (fault != null) return;
        shard.counters().repaired.increment();
        forget(record.key());
    }
}
