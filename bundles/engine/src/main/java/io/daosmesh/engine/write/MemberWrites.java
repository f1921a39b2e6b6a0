package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.lease.FormerLeaders;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.ShardCounters;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.wire.DtxRefMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A member's side of a replicated write: prepare durably, then commit or abort as told. Owner: target loop. */
public final class MemberWrites {
    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final FormerLeaders former;
    private final Outcomes outcomes;
    private final VosLatencies latencies;
    /** Writes that are not durable yet, by map version. */
    private final Map<Integer, Integer> preparing = new HashMap<>();

    public MemberWrites(
            TargetContext context,
            PoolShard shard,
            Access access,
            FormerLeaders former,
            Outcomes outcomes,
            VosLatencies latencies) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.former = former;
        this.outcomes = outcomes;
        this.latencies = latencies;
    }

    /** A leader's update or punch. */
    public void write(WriteOp op, Done done) {
        access.at(op.address(), done::done, () -> {
            op.check();
            Access.allow(access.member(op.address()));
            if (former.holds(op.address(), () -> write(op, done), done::done)) return;
            ShardCounters c = shard.counters();
            (op.isUpdate() ? c.memberUpdates : c.memberPunches).increment();
            prepare(op, done);
        });
    }

    /** True if a write of an older map is on its way to the index. */
    public boolean isPreparingBefore(int mapVersion) {
        return preparing.keySet().stream().anyMatch(v -> v < mapVersion);
    }

    /** The shard is a member at exactly the operation's map version. */
    private void prepare(WriteOp op, Done done) {
        DtxId id = op.dtx().id();
        long epoch = op.dtx().epoch();
        DtxEntry old = shard.dtx().prepared(id);
        if (old != null && (!old.isDurable() || old.isSettling() || old.isLed() || old.epoch() > epoch)) {
            done.done(Fault.of(FaultCode.INPROGRESS, "another try of this update is not settled yet"));
            return;
        }
        if (old != null && old.epoch() == epoch) {
            done.done(null);
            return;
        }
        // a try that was long on its way may come behind the one that has replaced it
        Long committed = shard.dtx().committedEpoch(id);
        if (committed != null) {
            done.done(
                    committed == epoch
                            ? null
                            : Fault.of(FaultCode.AGAIN, "another try of this update is committed here"));
            return;
        }
        Fault refusal = refusal(op, old == null);
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        if (shard.dtx().room().isFull()) {
            done.done(Fault.of(FaultCode.BUSY, "target %d remembers as many updates as it may", context.target()));
            return;
        }
        long now = context.nowNs();
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        List<VosRecord> dropped = old == null ? List.of() : outcomes.dropInto(staging.op(), old);
        try {
            op.stage(shard.writer(), staging, false, now);
        } catch (FaultException e) {
            shard.writer().keep(dropped);
            shard.writer().undo(staging, now);
            done.done(e.fault());
            return;
        }
        DtxEntry entry = entry(op, staging.keys());
        entry.setPreparedNs(now);
        staging.op().batch().put(Keys.dtx(shard.pool(), id), entry.encode());
        shard.changes().note(entry.scopes(), staging.op());
        shard.dtx().add(entry);
        int version = op.address().mapVersion();
        preparing.merge(version, 1, Integer::sum);
        int bytes = op.data().remaining();
        context.turns().stage(staging.op(), fault -> {
            preparing.computeIfPresent(version, (v, n) -> n == 1 ? null : n - 1);
            onPrepared(new Try(entry, old, dropped, staging, bytes), fault);
            done.done(fault);
        });
    }

    private @Nullable Fault refusal(WriteOp op, boolean isFirstTry) {
        long epoch = op.dtx().epoch();
        if (shard.dtx().isClosed(epoch))
            return Fault.of(FaultCode.AGAIN, "the update was too long on its way, or the leader's clock is behind");
        return isFirstTry && shard.dtx().isOpenAt(op.scopes(), epoch)
                // two leaders, one after the other, gave the same epoch: their records would have the same keys
                ? Fault.of(FaultCode.AGAIN, "another update of the key has this epoch")
                : context.host().noRoom(op.isDelete());
    }

    private static DtxEntry entry(WriteOp op, List<byte[]> keys) {
        ShardAddress a = op.address();
        DtxEntry.Place place = new DtxEntry.Place(a.mapVersion(), a.container(), a.oid(), a.group());
        return new DtxEntry(op.dtx().id(), op.dtx().epoch(), place, op.dkey(), op.scopes(), keys);
    }

    /** @param old the entry of an earlier try that this one replaces */
    private record Try(
            DtxEntry entry, @Nullable DtxEntry old, List<VosRecord> dropped, VosWriter.Staging staging, int bytes) {}

    private void onPrepared(Try t, @Nullable Fault fault) {
        if (fault != null) {
            shard.writer().keep(t.dropped);
            shard.writer().giveUp(t.staging.records(), context.nowNs());
            shard.dtx().remove(t.entry);
            if (t.old != null) shard.dtx().add(t.old);
            return;
        }
        if (t.old != null) {
            shard.writer().release(t.dropped);
            shard.dtx().remove(t.old);
        }
        t.entry.markDurable();
        shard.changes().onDurable(t.entry.scopes(), t.entry.mapVersion(), t.staging.op());
        latencies.update().record(context.nowNs() - t.entry.preparedNs(), t.bytes);
        if (t.entry.isAbortWanted()) outcomes.abort(t.entry);
    }

    public void commit(List<DtxRefMessage> refs) {
        List<DtxEntry> entries = new ArrayList<>(refs.size());
        for (DtxRefMessage ref : refs) {
            DtxEntry e = shard.dtx().prepared(WriteOp.dtxId(ref.getDtx()));
            if (e == null || e.epoch() != ref.getEpoch() || !e.isDurable() || e.isSettling()) continue;
            shard.dtx().remove(e);
            entries.add(e);
        }
        outcomes.commit(entries, false);
        for (DtxEntry e : entries) access.wake(e);
    }

    /** Only under the very map of the sender: a leader of an older one has nothing to decide any more. */
    public void abort(int mapVersion, List<DtxRefMessage> refs) {
        if (shard.mapVersion() != mapVersion) return;
        for (DtxRefMessage ref : refs) {
            DtxEntry e = shard.dtx().prepared(WriteOp.dtxId(ref.getDtx()));
            if (e == null || e.epoch() != ref.getEpoch() || e.isLed()) continue;
            if (e.isDurable()) outcomes.abort(e);
            else e.wantAbort();
        }
    }
}
