package io.daosmesh.engine.migrate;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.DestroyedIds;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.space.Deletion;
import io.daosmesh.engine.space.Leftovers;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordRead;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Records in and out with their epochs, for rebuild. Owner: target loop. */
public final class Migration {
    private static final int RECORDS_MAX = 256;
    private static final int BYTES_MAX = 1 << 20;
    private static final int SCAN_PAGE_OBJECTS = 256;
    /** Entries looked at for one batch, so that a group full of prepared or newer records does not hold the loop. */
    private static final int VISITS_MAX = 5_000;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final DestroyedIds destroyed;
    private final CarriedIds ids;
    private final Set<ByteKey> importing = new HashSet<>();
    /** Deletions of groups that left this target: rebuild must not fill one of them meanwhile. */
    private int reclaiming;

    public Migration(TargetContext context, PoolShard shard, Access access, DestroyedIds destroyed) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.destroyed = destroyed;
        this.ids = new CarriedIds(context, shard);
    }

    /**
     * Some records of a group.
     *
     * @param next where the following batch starts; null = this was the last
     */
    public record Exported(
            List<MigratedRecordMessage> records, ByteBuffer data, Runnable onDone, byte @Nullable [] next) {}

    /** Runs it if the shard serves. */
    private void serving(Consumer<Fault> refuse, Runnable run) {
        try {
            Access.allow(shard.refusal());
            run.run();
        } catch (FaultException e) {
            refuse.accept(e.fault());
        }
    }

    /** See EngineMigration.scan: one page of it. */
    public void scan(byte[] anchor, Answer<Enumerator.Page<Enumerator.StoredOid>> answer) {
        serving(
                answer::refuse,
                () -> answer.answer(
                        Enumerator.objects(context.kv(), shard.pool(), null, anchor, SCAN_PAGE_OBJECTS), null));
    }

    /** See EngineMigration.clearGroup. */
    public void clearGroup(ShardAddress a, long epoch, Done done) {
        serving(done::done, () -> Leftovers.clear(context, shard, access, a, epoch, done));
    }

    /** See EngineMigration.reclaim. */
    public void reclaim(ShardAddress a, Set<Integer> groups, Done done) {
        if (shard.mapVersion() < a.mapVersion()) {
            done.done(Fault.of(FaultCode.AGAIN, "pool map version %d has not arrived here", a.mapVersion()));
            return;
        }
        List<byte[]> doomed = new ArrayList<>();
        for (int g : groups) doomed.add(Keys.group(a.pool(), a.container(), a.oid(), g));
        reclaiming++;
        Deletion.start(context, shard, doomed, shard::isForeign, fault -> {
            reclaiming--;
            done.done(fault);
        });
    }

    public boolean isReclaiming() {
        return reclaiming > 0;
    }

    /** See EngineMigration.export: one batch of it. */
    public void export(ShardAddress a, long stableEpoch, byte[] from, Answer<Exported> answer) {
        serving(answer::refuse, () -> collect(a, stableEpoch, from, answer));
    }

    private void collect(ShardAddress a, long stableEpoch, byte[] from, Answer<Exported> answer) {
        if (CarriedIds.isCursor(from)) {
            answer.answer(ids.export(a, from), null);
            return;
        }
        List<VosRecord> found = new ArrayList<>();
        long bytes = 0;
        int visited = 0;
        byte[] next = null;
        byte[] group = a.groupPrefix();
        try (KvCursor c = context.kv().cursor(KvRange.prefix(group))) {
            if (from.length > 0) c.seek(from);
            while (c.next()) {
                byte[] key = c.key();
                boolean isFull = found.size() == RECORDS_MAX || visited++ == VISITS_MAX;
                VosRecord r = VosRecord.decode(key, c.value());
                long more = r.isPunch() ? 0 : r.length();
                if (isFull || (bytes > 0 && bytes + more > BYTES_MAX)) {
                    next = key;
                    break;
                }
                if (r.epoch() > stableEpoch) continue;
                byte[] scope = Keys.scope(group, key);
                if (shard.dtx().epochs(scope).contains(r.epoch())) {
                    // one that this target drives reaches the new home by itself; of others it may be committed there
                    if (shard.dtx().isLed(scope, r.epoch())) continue;
                    answer.refuse(Fault.of(FaultCode.INPROGRESS, "an update of the group is being settled"));
                    return;
                }
                found.add(r);
                bytes += more;
            }
        } catch (FaultException e) {
            answer.refuse(e.fault());
            return;
        }
        byte[] behind = next != null ? next : ids.first(a);
        new Export(context, shard, found, (int) bytes, behind, answer).start();
    }

    /** Reads the bytes of one batch. */
    private static final class Export {
        private final TargetContext context;
        private final PoolShard shard;
        private final List<VosRecord> records;
        private final byte @Nullable [] next;
        private final Answer<Exported> answer;
        private final int byteCount;
        private final AtomicInteger pending = new AtomicInteger(1);
        private final AtomicReference<@Nullable Fault> fault = new AtomicReference<>();
        private ByteBuffer out = ByteBuffer.allocate(0);
        private Runnable release = () -> {};

        Export(
                TargetContext context,
                PoolShard shard,
                List<VosRecord> records,
                int byteCount,
                byte @Nullable [] next,
                Answer<Exported> answer) {
            this.context = context;
            this.shard = shard;
            this.records = records;
            this.byteCount = byteCount;
            this.next = next;
            this.answer = answer;
        }

        void start() {
            try {
                if (byteCount > 0) {
                    BufferPool.Buffer buffer = context.buffers().take(byteCount);
                    release = buffer::close;
                    out = buffer.bytes().slice(0, byteCount);
                    int at = 0;
                    for (VosRecord r : records) at += r.isPunch() ? 0 : put(r, at);
                }
            } catch (FaultException e) {
                fault.compareAndSet(null, e.fault());
            }
            onPart();
        }

        private int put(VosRecord r, int at) {
            if (!r.isOnDevice()) {
                if (VosWriter.crc(ByteBuffer.wrap(r.inline())) != r.crc32c())
                    damaged(Fault.of(FaultCode.CSUM, "stored bytes are damaged"));
                out.put(at, r.inline());
                return r.inline().length;
            }
            pending.incrementAndGet();
            RecordRead.start(shard.space().blob(), r, 0, r.length(), context.buffers(), (v, f) -> {
                if (v != null) {
                    out.put(at, v.bytes(), 0, v.bytes().remaining());
                    v.owner().close();
                } else if (f != null && f.code() == FaultCode.CSUM) {
                    damaged(f);
                } else {
                    fault.compareAndSet(null, f);
                }
                onPart();
            });
            return (int) r.length();
        }

        private void damaged(Fault f) {
            fault.compareAndSet(null, f);
            shard.counters().damaged.increment();
            context.host().onDamage(shard.pool(), f);
        }

        private void onPart() {
            if (pending.decrementAndGet() > 0) return;
            Fault f = fault.get();
            if (f != null) {
                release.run();
                answer.refuse(f);
                return;
            }
            List<MigratedRecordMessage> messages =
                    records.stream().map(Migration::message).toList();
            answer.answer(new Exported(messages, out, release, next), null);
        }
    }

    private static MigratedRecordMessage message(VosRecord r) {
        Keys.Parts p = Keys.parse(r.key());
        MigratedRecordMessage.Builder b = MigratedRecordMessage.newBuilder()
                .setKind(r.kind())
                .setEpoch(r.epoch())
                .setOffset(r.kind() == VosRecord.PUNCH_OBJECT ? p.group() : r.offset())
                .setLength(r.length())
                .setCrc32C(r.crc32c());
        byte[] dkey = p.dkey();
        byte[] akey = p.akey();
        if (dkey != null) b.setDkey(ByteString.copyFrom(dkey));
        if (akey != null) b.setAkey(ByteString.copyFrom(akey));
        return b.build();
    }

    /** Durable when done; what is here already is left as it is, what is of a destroyed container is not taken. */
    public void importBatch(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        serving(done::done, () -> take(a, records, data, done));
    }

    private void take(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        if (destroyed.contains(a.container())) {
            done.done(null);
            return;
        }
        Fault noRoom = context.host().noRoom(false);
        if (noRoom != null) {
            done.done(noRoom);
            return;
        }
        long now = context.nowNs();
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        List<ByteKey> keys = new ArrayList<>();
        List<DtxTable.Committed> dtxs = new ArrayList<>();
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
                    dtxs.addAll(ids.stage(m, staging.op()));
                    continue;
                }
                byte[] key = key(a, m);
                boolean isPunch = m.getKind() >= VosRecord.PUNCH_AKEY;
                int n = isPunch ? 0 : (int) m.getLength();
                if (m.getLength() < 0 || at + n > data.limit())
                    throw Fault.of(FaultCode.PROTO, "a batch has fewer bytes than its records say")
                            .asException();
                ByteKey k = new ByteKey(key);
                if (context.kv().get(key) == null && importing.add(k)) {
                    keys.add(k);
                    if (isPunch) shard.writer().punch(staging, key, m.getKind(), m.getLength());
                    else shard.writer().value(staging, key, data.slice(at, n), m.getCrc32C(), true, now);
                }
                at += n;
            }
        } catch (FaultException e) {
            shard.writer().undo(staging, now);
            keys.forEach(importing::remove);
            done.done(e.fault());
            return;
        }
        shard.counters().migratedRecords.add(keys.size());
        context.turns().stage(staging.op(), fault -> {
            keys.forEach(importing::remove);
            if (fault != null) shard.writer().giveUp(staging.records(), context.nowNs());
            else ids.taken(dtxs);
            done.done(fault);
        });
    }

    /** The group follows from the dkey; a punch of the object has none and carries it as its offset. */
    private static byte[] key(ShardAddress a, MigratedRecordMessage m) {
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
