package io.daosmesh.engine.migrate;

import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.DestroyedIds;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.space.Deletion;
import io.daosmesh.engine.space.Leftovers;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
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
    private final Import imports;
    /** Deletions of groups that left this target: rebuild must not fill one of them meanwhile. */
    private int reclaiming;

    public Migration(TargetContext context, PoolShard shard, Access access, DestroyedIds destroyed) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.destroyed = destroyed;
        this.ids = new CarriedIds(context, shard);
        this.imports = new Import(context, shard, ids);
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

    /**
     * Which records of a group are wanted.
     *
     * @param isSalvage one that cannot be read comes as a lost one; else it fails the batch with CSUM or NVME_IO
     */
    public record Wanted(ShardAddress group, long stableEpoch, boolean isSalvage) {}

    /** See EngineMigration.export: one batch of it. */
    public void export(Wanted wanted, byte[] from, Answer<Exported> answer) {
        serving(answer::refuse, () -> collect(wanted, from, answer));
    }

    private void collect(Wanted wanted, byte[] from, Answer<Exported> answer) {
        ShardAddress a = wanted.group;
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
                long more = r.storedBytes();
                if (isFull || (bytes > 0 && bytes + more > BYTES_MAX)) {
                    next = key;
                    break;
                }
                if (r.epoch() > wanted.stableEpoch) continue;
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
        new Export(context, shard, new Export.Plan(found, wanted.isSalvage, behind), answer).start();
    }

    /** One value for a holder that cannot read its own. STALE, NONEXIST, INPROGRESS, or CSUM when it cannot be read here. */
    public void record(ShardAddress a, MigratedRecordMessage wanted, Answer<Exported> answer) {
        serving(answer::refuse, () -> {
            Access.allow(access.stale(a.mapVersion()));
            a.check();
            if (wanted.getKind() >= VosRecord.PUNCH_AKEY)
                throw Fault.of(FaultCode.INVAL, "kind %d is no value", wanted.getKind())
                        .asException();
            byte[] key = Import.key(a, wanted);
            byte[] value = context.kv().get(key);
            if (value == null)
                throw Fault.of(FaultCode.NONEXIST, "no such record").asException();
            VosRecord r = VosRecord.decode(key, value);
            if (shard.dtx().epochs(Keys.scope(a.groupPrefix(), key)).contains(r.epoch()))
                throw Fault.of(FaultCode.INPROGRESS, "the record is being settled")
                        .asException();
            new Export(context, shard, new Export.Plan(List.of(r), false, null), answer).start();
        });
    }

    /** Puts bytes in the place of a record's own, which cannot be read; BUSY when it is being changed just now. */
    public void repair(VosRecord record, ByteBuffer bytes, Done done) {
        serving(done::done, () -> {
            Fault noRoom = context.host().noRoom(false);
            if (noRoom != null) done.done(noRoom);
            else imports.repair(record, bytes, done);
        });
    }

    /** Durable when done; what is here already is left as it is, what is of a destroyed container is not taken. */
    public void importBatch(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        serving(done::done, () -> {
            Fault noRoom = context.host().noRoom(false);
            if (destroyed.contains(a.container())) done.done(null);
            else if (noRoom != null) done.done(noRoom);
            else imports.take(a, records, data, done);
        });
    }
}
