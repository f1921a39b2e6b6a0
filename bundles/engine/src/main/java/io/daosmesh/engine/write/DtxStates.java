package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.RecordSearch;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.DtxRefMessage;
import io.daosmesh.model.wire.DtxResolveRequest;
import java.util.ArrayList;
import java.util.List;

/** Tells others what is known here of DTXs that they have to settle. Owner: target loop. */
public final class DtxStates {
    /** Below this age an unknown DTX cannot have been forgotten. */
    private static final long FORGOTTEN_AGE_HLC = Hlc.fromNanos(25_000_000_000L);

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final RecordSearch search;

    public DtxStates(TargetContext context, PoolShard shard, Access access, RecordSearch search) {
        this.context = context;
        this.shard = shard;
        this.access = access;
        this.search = search;
    }

    /** The states of many, in their order. */
    public void check(List<DtxRefMessage> refs, Answer<List<Integer>> answer) {
        Fault damage = shard.failure();
        if (damage != null) {
            // a damaged shard must not deny what it does not know
            answer.refuse(damage);
            return;
        }
        try {
            List<Integer> states = new ArrayList<>(refs.size());
            for (DtxRefMessage ref : refs) states.add(check(WriteOp.dtxId(ref.getDtx()), ref.getEpoch()));
            answer.answer(states, null);
        } catch (FaultException e) {
            answer.refuse(e.fault());
        }
    }

    /** State as in DtxBatchReply, of any try if the epoch is 0; INPROGRESS while it is being decided. */
    private int check(DtxId id, long epoch) {
        shard.counters().dtxChecks.increment();
        DtxEntry e = shard.dtx().prepared(id);
        if (e != null && (e.epoch() == epoch || epoch == 0)) {
            if (!e.isDurable() || e.isSettling())
                throw Fault.of(FaultCode.INPROGRESS, "the update is being decided")
                        .asException();
            return 1;
        }
        Long committed = shard.dtx().committedEpoch(id);
        return committed != null && (committed == epoch || epoch == 0) ? 2 : 0;
    }

    /** Like check, and finds the trace of a DTX so old that its entry has been forgotten: that may take some turns. */
    public void resolve(DtxResolveRequest r, Answer<Integer> answer) {
        ShardAddress a = ShardAddress.of(r.getAddress());
        access.at(a, answer::refuse, () -> {
            Access.allow(shard.refusal());
            resolve(a, r.getDkey().toByteArray(), new DtxRef(WriteOp.dtxId(r.getDtx()), r.getEpoch()), answer);
        });
    }

    private void resolve(ShardAddress a, byte[] dkey, DtxRef dtx, Answer<Integer> answer) {
        long epoch = dtx.epoch;
        int state = check(dtx.id, epoch);
        if (state != 0 || epoch == 0 || context.host().hlcNow() - epoch < FORGOTTEN_AGE_HLC) {
            answer.answer(state, null);
            return;
        }
        byte[] group = a.groupPrefix();
        byte[] objectPunch = Keys.record(Keys.punches(group), epoch, VosRecord.PUNCH_OBJECT);
        byte[] scope = Keys.under(group, dkey);
        if (context.kv().get(objectPunch) != null) answer.answer(2, null);
        else if (shard.dtx().epochs(scope).contains(epoch)) answer.answer(0, null);
        else search(a, new ByteKey(scope), dtx, answer);
    }

    private void search(ShardAddress a, ByteKey scope, DtxRef dtx, Answer<Integer> answer) {
        long replaceCount = shard.writer().replaceCount();
        boolean isReplacing = shard.writer().isReplacing();
        var what = new RecordSearch.What(scope, dtx.epoch, shard.mapVersion(), replaceCount);
        search.ask(what, (isFound, fault) -> {
            if (isFound == null) {
                answer.refuse(fault != null ? fault : Fault.of(FaultCode.AGAIN));
            } else if (!isFound && (isReplacing || shard.writer().replaceCount() != replaceCount)) {
                answer.refuse(Fault.of(FaultCode.AGAIN, "records have changed their place during the search"));
            } else {
                searched(a, dtx, isFound, answer);
            }
        });
    }

    private record DtxRef(DtxId id, long epoch) {}

    /** The world may have changed during the search. */
    private void searched(ShardAddress a, DtxRef dtx, boolean isFound, Answer<Integer> answer) {
        try {
            Fault f = access.stale(a.mapVersion());
            if (f == null) f = shard.refusal();
            if (f != null) answer.refuse(f);
            else answer.answer(Math.max(check(dtx.id, dtx.epoch), isFound ? 2 : 0), null);
        } catch (FaultException e) {
            answer.refuse(e.fault());
        }
    }
}
