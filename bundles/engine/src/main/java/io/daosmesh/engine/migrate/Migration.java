package io.daosmesh.engine.migrate;

import io.daosmesh.engine.history.ChangeLog;
import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.history.Part;
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
import io.daosmesh.engine.vos.Enumerator;
import io.daosmesh.engine.vos.Fragment;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolTarget;
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
    /** Of the records of one batch, but for a single longer one. */
    public static final int BATCH_BYTES_MAX = 1 << 20;

    private static final int SCAN_PAGE_OBJECTS = 256;
    /** Bytes of keys that one answer lists: then it ends. */
    private static final long LISTED_BYTES_MAX = 1 << 20;

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

    /** The same for what a new home deletes its own copy by. */
    private void asSource(Consumer<Fault> refuse, Runnable run) {
        serving(refuse, () -> {
            shard.changes().onPart();
            run.run();
        });
    }

    /** See EngineMigration.scan: one page of it. */
    public void scan(byte[] anchor, Answer<Enumerator.Page<Enumerator.StoredOid>> answer) {
        asSource(
                answer::refuse,
                () -> answer.answer(
                        Enumerator.objects(context.kv(), shard.pool(), null, anchor, SCAN_PAGE_OBJECTS), null));
    }

    /** See EngineMigration.clear. */
    public void clear(Leftovers.Wanted wanted, Done done) {
        serving(done::done, () -> Leftovers.clear(context, shard, access, wanted, done));
    }

    /** See EngineMigration.held. */
    public void held(List<ShardAddress> groups, Answer<List<Holdings.Held>> answer) {
        serving(
                answer::refuse,
                () -> answer.answer(
                        groups.stream()
                                .map(a -> shard.holdings().of(a.groupPrefix()))
                                .toList(),
                        null));
    }

    /** See EngineMigration.filled. */
    public void filled(ShardAddress a, List<byte[]> dkeys, Done done) {
        serving(done::done, () -> {
            Access.allow(access.stale(a.mapVersion()));
            Part part = new Part(a.groupPrefix(), dkeys);
            StagedOp op = new StagedOp(false);
            shard.holdings().fill(part, a.mapVersion(), op);
            context.turns().stage(op, fault -> {
                if (fault == null) shard.holdings().onFilled(part, a.mapVersion());
                done.done(fault);
            });
        });
    }

    /**
     * What has changed in a group since a version.
     *
     * @param isGone nothing of it is stored here
     * @param isAll all of it has, or that is not known
     * @param dkeys empty if {@code isGone} or {@code isAll}
     */
    public record Change(boolean isGone, boolean isAll, List<byte[]> dkeys) {}

    /** See EngineMigration.changes: of the first of these groups. */
    public void changes(List<ShardAddress> groups, List<Integer> since, Answer<List<Change>> answer) {
        asSource(answer::refuse, () -> {
            List<Change> changes = new ArrayList<>(groups.size());
            long listed = 0;
            for (int i = 0; i < groups.size() && listed < LISTED_BYTES_MAX; i++) {
                Change c = change(groups.get(i), since.get(i));
                changes.add(c);
                for (byte[] dkey : c.dkeys) listed += dkey.length;
            }
            answer.answer(changes, null);
        });
    }

    private Change change(ShardAddress a, int since) {
        Access.allow(access.stale(a.mapVersion()));
        a.check();
        Access.allow(access.replica(a));
        byte[] group = a.groupPrefix();
        try (KvCursor c = context.kv().cursor(KvRange.prefix(group))) {
            if (!c.next()) return new Change(true, false, List.of());
        }
        ChangeLog.Changes found = shard.changes().since(group, since);
        return new Change(false, found.isAll(), found.dkeys());
    }

    /** See EngineMigration.reclaim. */
    public void reclaim(ShardAddress a, Set<Integer> groups, Done done) {
        if (shard.mapVersion() < a.mapVersion()) {
            done.done(Fault.of(FaultCode.AGAIN, "pool map version %d has not arrived here", a.mapVersion()));
            return;
        }
        PoolTarget me = shard.me();
        if (me == null || !me.isHolder()) {
            // what it holds may be all that it needs to come back
            done.done(null);
            return;
        }
        List<byte[]> doomed = new ArrayList<>();
        StagedOp op = new StagedOp(false);
        for (int g : groups) {
            byte[] group = Keys.group(a.pool(), a.container(), a.oid(), g);
            doomed.add(group);
            shard.holdings().forget(group, op);
        }
        reclaiming++;
        context.turns().stage(op, fault -> {});
        Deletion.start(context, shard, doomed, shard::isForeign, fault -> {
            reclaiming--;
            done.done(fault);
        });
    }

    /** A map has come. */
    public void onMap() {
        if (!shard.isRebuilding()) ids.onCalm();
    }

    public boolean isReclaiming() {
        return reclaiming > 0;
    }

    /**
     * Which records of a group are wanted.
     *
     * @param dkeys of all of them if empty
     * @param isSalvage one that cannot be read comes as a lost one; else it fails the batch with CSUM or NVME_IO
     * @param hasIds the ids of the group's updates follow
     */
    public record Wanted(ShardAddress group, List<byte[]> dkeys, long stableEpoch, boolean isSalvage, boolean hasIds) {}

    /**
     * See EngineMigration.export: one batch of it.
     *
     * @param bytesMax of its records, at most {@link #BATCH_BYTES_MAX}; a single longer one comes all the same
     */
    public void export(Wanted wanted, byte[] from, int bytesMax, Answer<Exported> answer) {
        asSource(answer::refuse, () -> collect(wanted, from, bytesMax, answer));
    }

    private void collect(Wanted wanted, byte[] from, int bytesMax, Answer<Exported> answer) {
        ShardAddress a = wanted.group;
        if (CarriedIds.isCursor(from)) {
            answer.answer(ids.export(a, from), null);
            return;
        }
        Gathering g = new Gathering(shard, wanted, bytesMax);
        try {
            g.gather(context.kv(), from);
        } catch (FaultException e) {
            answer.refuse(e.fault());
            return;
        }
        byte[] next = g.next();
        byte[] behind = next != null || !wanted.hasIds ? next : ids.first(a);
        new Export(context, shard, new Export.Plan(g.found(), wanted.isSalvage, behind), answer).start();
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

    /** Puts bytes over a part of a record that cannot be read, at its epoch; BUSY when it is being changed just now. */
    public void repairPart(Fragment part, ByteBuffer bytes, Done done) {
        serving(done::done, () -> {
            Fault noRoom = context.host().noRoom(false);
            if (noRoom != null) done.done(noRoom);
            else imports.repairPart(part, bytes, done);
        });
    }

    /** Durable when done; what is here already is left as it is, what is of a destroyed container is not taken. */
    public void importBatch(ShardAddress a, List<MigratedRecordMessage> records, ByteBuffer data, Done done) {
        serving(done::done, () -> {
            Fault noRoom = context.host().noRoom(false);
            if (destroyed.contains(a.container())) done.done(null);
            else if (noRoom != null) done.done(noRoom);
            else if (ids.areTooMany(records)) done.done(Fault.of(FaultCode.BUSY, "too many updates are remembered"));
            else imports.take(a, records, data, done);
        });
    }
}
