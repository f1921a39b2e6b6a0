package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.engine.target.Done;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.wire.DtxRefMessage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A member's side of a replicated write: prepare durably, then commit or abort as told. Owner: target loop. */
final class MemberWrites {
    /** Below this age an unknown DTX cannot have been forgotten. */
    private static final long FORGOTTEN_AGE_HLC = io.daosmesh.model.time.Hlc.fromNanos(25_000_000_000L);

    private final Env env;
    private final Outcomes outcomes;
    private final VosLatencies latencies;
    private final RecordSearch search;

    MemberWrites(Env env, Outcomes outcomes, VosLatencies latencies) {
        this.latencies = latencies;
        this.env = env;
        this.outcomes = outcomes;
        this.search = new RecordSearch(env);
    }

    /** The shard is a member at exactly the operation's map version. */
    void prepare(PoolShard s, WriteOp op, Done done) {
        DtxId id = op.dtx().id();
        long epoch = op.dtx().epoch();
        DtxEntry old = s.dtx().prepared(id);
        if (old != null && (!old.isDurable() || old.isSettling() || old.isLed() || old.epoch() > epoch)) {
            done.done(Fault.of(FaultCode.INPROGRESS, "another try of this update is not settled yet"));
            return;
        }
        if (old != null && old.epoch() == epoch) {
            done.done(null);
            return;
        }
        // a try that was long on its way may come behind the one that has replaced it
        Long committed = s.dtx().committedEpoch(id);
        if (committed != null) {
            done.done(
                    committed == epoch
                            ? null
                            : Fault.of(FaultCode.AGAIN, "another try of this update is committed here"));
            return;
        }
        if (old == null && s.dtx().isOpenAt(op.scopes(), epoch)) {
            // two leaders, one after the other, gave the same epoch: their records would have the same keys
            done.done(Fault.of(FaultCode.AGAIN, "another update of the key has this epoch"));
            return;
        }
        long now = env.nowNs();
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        List<VosRecord> dropped = old == null ? List.of() : outcomes.dropInto(s, staging.op(), old);
        try {
            op.stage(s.writer(), staging, false, now);
        } catch (FaultException e) {
            s.writer().keep(dropped);
            s.writer().undo(staging, now);
            done.done(e.fault());
            return;
        }
        ShardAddress a = op.address();
        DtxEntry entry = new DtxEntry(
                id,
                epoch,
                new DtxEntry.Place(a.mapVersion(), a.container(), a.oid(), a.group()),
                op.dkey(),
                op.scopes(),
                staging.keys());
        entry.setPreparedNs(now);
        staging.op().batch().put(Keys.dtx(s.pool(), id), entry.encode());
        s.dtx().add(entry);
        s.changes++;
        s.preparing.merge(a.mapVersion(), 1, Integer::sum);
        int bytes = op.data().remaining();
        env.turns().stage(staging.op(), fault -> {
            s.preparing.computeIfPresent(a.mapVersion(), (v, n) -> n == 1 ? null : n - 1);
            onPrepared(s, new Try(entry, old, dropped, staging, bytes), fault);
            done.done(fault);
        });
    }

    /** @param old the entry of an earlier try that this one replaces */
    private record Try(
            DtxEntry entry, @Nullable DtxEntry old, List<VosRecord> dropped, VosWriter.Staging staging, int bytes) {}

    private void onPrepared(PoolShard s, Try t, @Nullable Fault fault) {
        if (fault != null) {
            s.writer().keep(t.dropped);
            s.writer().giveUp(t.staging.records(), env.nowNs());
            s.dtx().remove(t.entry);
            if (t.old != null) s.dtx().add(t.old);
            return;
        }
        if (t.old != null) {
            s.writer().release(t.dropped);
            s.dtx().remove(t.old);
        }
        t.entry.markDurable();
        latencies.update().record(env.nowNs() - t.entry.preparedNs(), t.bytes);
        if (t.entry.isAbortWanted()) outcomes.abort(s, t.entry);
    }

    void commit(PoolShard s, List<DtxRefMessage> refs) {
        List<DtxTable.Committed> found = new ArrayList<>(refs.size());
        List<DtxEntry> entries = new ArrayList<>(refs.size());
        for (DtxRefMessage ref : refs) {
            DtxEntry e = s.dtx().prepared(WriteOp.dtxId(ref.getDtx()));
            if (e == null || e.epoch() != ref.getEpoch() || !e.isDurable() || e.isSettling()) continue;
            s.dtx().remove(e);
            found.add(e.committed());
            entries.add(e);
        }
        outcomes.commit(s, found);
        for (DtxEntry e : entries) outcomes.wake(s, e);
    }

    void abort(PoolShard s, List<DtxRefMessage> refs) {
        for (DtxRefMessage ref : refs) {
            DtxEntry e = s.dtx().prepared(WriteOp.dtxId(ref.getDtx()));
            if (e == null || e.epoch() != ref.getEpoch() || e.isLed()) continue;
            if (e.isDurable()) outcomes.abort(s, e);
            else e.wantAbort();
        }
    }

    /** The states of many, in their order. A damaged shard must not deny what it does not know. */
    List<Integer> check(PoolShard s, List<DtxRefMessage> refs) {
        Fault damage = s.failure();
        if (damage != null) throw damage.asException();
        List<Integer> states = new ArrayList<>(refs.size());
        for (DtxRefMessage ref : refs) states.add(check(s, WriteOp.dtxId(ref.getDtx()), ref.getEpoch()));
        return states;
    }

    /** State as in DtxBatchReply, of any try if the epoch is 0; INPROGRESS while it is being decided. */
    int check(PoolShard s, DtxId id, long epoch) {
        s.counters().dtxChecks.incrementAndGet();
        DtxEntry e = s.dtx().prepared(id);
        if (e != null && (e.epoch() == epoch || epoch == 0)) {
            if (!e.isDurable() || e.isSettling())
                throw Fault.of(FaultCode.INPROGRESS, "the update is being decided")
                        .asException();
            return 1;
        }
        Long committed = s.dtx().committedEpoch(id);
        return committed != null && (committed == epoch || epoch == 0) ? 2 : 0;
    }

    /** Like check, and finds the trace of a DTX so old that its entry has been forgotten: that may take some turns. */
    void resolve(PoolShard s, ShardAddress a, byte[] dkey, DtxId id, long epoch, Answer<Integer> answer) {
        int state = check(s, id, epoch);
        if (state != 0 || epoch == 0 || env.host().hlcNow() - epoch < FORGOTTEN_AGE_HLC) {
            answer.answer(state, null);
            return;
        }
        byte[] group = a.groupPrefix();
        byte[] objectPunch = Keys.record(Keys.punches(group), epoch, VosRecord.PUNCH_OBJECT, 0);
        byte[] scope = Keys.under(group, dkey);
        if (env.kv().get(objectPunch) != null) answer.answer(2, null);
        else if (s.dtx().epochs(scope).contains(epoch)) answer.answer(0, null);
        else
            search.ask(new RecordSearch.What(new ByteKey(scope), epoch, s.mapVersion()), (isFound, fault) -> {
                if (isFound == null) answer.refuse(fault != null ? fault : Fault.of(FaultCode.AGAIN));
                else searched(s, a, new DtxRef(id, epoch), isFound, answer);
            });
    }

    private record DtxRef(DtxId id, long epoch) {}

    /** The world may have changed during the search. */
    private void searched(PoolShard s, ShardAddress a, DtxRef dtx, boolean isFound, Answer<Integer> answer) {
        try {
            Fault f = Access.stale(s, a.mapVersion());
            if (f == null) f = s.refusal();
            if (f != null) answer.refuse(f);
            else answer.answer(Math.max(check(s, dtx.id, dtx.epoch), isFound ? 2 : 0), null);
        } catch (FaultException e) {
            answer.refuse(e.fault());
        }
    }
}
