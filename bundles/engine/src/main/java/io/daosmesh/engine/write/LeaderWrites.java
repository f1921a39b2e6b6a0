package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.lease.FormerLeaders;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.ShardCounters;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.turn.VosLatencies;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.DtxRefMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The leader's side of a replicated write: forwards and prepares in parallel, answers when every member has it durable,
 * tells the members later that it is committed. Any failure aborts everywhere and the client tries again with the same
 * DTX id. Owner: target loop.
 */
public final class LeaderWrites {
    /** Aborts that some member may not have heard of; above it updates are refused for a while. */
    public static final int OPEN_ABORTS_MAX = Aborts.OPEN_MAX;
    /** DAOS: DTX_THRESHOLD_COUNT. */
    private static final int COMMIT_BATCH = 512;
    /** Short, because members answer reads of a new leader only for settled updates. */
    private static final long COMMIT_AGE_NS = 200_000_000L;
    /** A device that hangs must not hang the client; the members' deadlines are shorter. */
    private static final long LOCAL_MAX_NS = 10_000_000_000L;
    /** A member that takes longer to answer may answer nobody. */
    private static final long LATE_NS = 400_000_000L;
    /** So long after a map change a resend may be of an update from before this target held the group. */
    private static final long STRANGER_NS = 90_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final FormerLeaders former;
    private final Outcomes outcomes;
    private final Resends resends;
    private final Aborts aborts;
    private final VosLatencies latencies;
    private final Map<DtxId, LeaderWrite> leading = new HashMap<>();
    private final List<Committable> committables = new ArrayList<>();
    private long oldestCommittableNs;
    /** When the present map was adopted. */
    private long adoptedNs;

    /** A DTX that all members have and the members still have to be told of. */
    private record Committable(DtxEntry dtx, List<Integer> members) {}

    public LeaderWrites(
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
        this.resends = new Resends(context, shard);
        this.aborts = new Aborts(context, shard, access, this::settleLater);
    }

    /** A client's update or punch; answers its epoch. */
    public void write(WriteOp op, Answer<Long> answer) {
        access.at(op.address(), answer::refuse, () -> {
            op.check();
            Access.allow(access.writer(op.address()));
            if (former.holds(op.address(), () -> write(op, answer), answer::refuse)) return;
            if (isKnown(op, answer)) return;
            if (op.dtx().isResent() && context.nowNs() - adoptedNs < STRANGER_NS)
                resends.ask(op, answer, () -> retry(op, answer));
            else execute(op, answer);
        });
    }

    /** Once for each, however often its client has had to send it: what was refused or was known already is none. */
    private void count(LeaderWrite w) {
        ShardCounters c = shard.counters();
        if (w.op.isUpdate()) {
            c.updates.increment();
            c.updateBytes.add(w.bytes);
        } else {
            c.punches.increment();
        }
    }

    private void execute(WriteOp op, Answer<Long> answer) {
        List<byte[]> scopes = op.scopes();
        Fault noRoom = context.host().noRoom(op.isDelete());
        if (noRoom != null) {
            answer.refuse(noRoom);
            return;
        }
        if (aborts.isFull(context.nowNs())) {
            answer.refuse(Fault.of(FaultCode.BUSY, "the outcome of many updates is open"));
            return;
        }
        if (shard.dtx().room().isShort()) {
            answer.refuse(Fault.of(FaultCode.BUSY, "target %d remembers as many updates as it may", context.target()));
            return;
        }
        if (op.isConditional()) {
            byte[] open = Conditions.openScope(shard, op, scopes);
            if (open != null) {
                Fault late = Fault.of(FaultCode.INPROGRESS, "another update of the key is under way");
                access.waitForOutcome(open, () -> retry(op, answer), answer::refuse, late);
                return;
            }
            Fault unmet = Conditions.unmet(context.kv(), shard, op);
            if (unmet != null) {
                answer.refuse(unmet);
                return;
            }
        }
        long now = context.nowNs();
        WriteOp at = op.withEpoch(context.host().hlcNow(), shard.mapVersion());
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        try {
            at.stage(shard.writer(), staging, false, now);
        } catch (FaultException e) {
            shard.writer().undo(staging, now);
            answer.refuse(e.fault());
            return;
        }
        launch(at, scopes, staging, answer);
    }

    private void retry(WriteOp op, Answer<Long> answer) {
        Fault f = access.stale(op.address().mapVersion());
        if (f == null) f = access.writer(op.address());
        if (f != null) answer.refuse(f);
        else if (!isKnown(op, answer)) execute(op, answer);
    }

    private void launch(WriteOp op, List<byte[]> scopes, VosWriter.Staging staging, Answer<Long> answer) {
        ShardAddress a = op.address();
        ShardGroup group = shard.group(a.oid(), a.group());
        DtxEntry entry = new DtxEntry(
                op.dtx().id(),
                op.dtx().epoch(),
                new DtxEntry.Place(shard.mapVersion(), a.container(), a.oid(), a.group()),
                op.dkey(),
                scopes,
                staging.keys());
        entry.setPreparedNs(context.nowNs());
        boolean isAlone = group.members().size() == 1;
        staging.op()
                .batch()
                .put(
                        Keys.dtx(shard.pool(), entry.id()),
                        isAlone
                                ? DtxEntry.encodeCommitted(
                                        entry.committed(), context.host().hlcNow())
                                : entry.encode());
        shard.changes().note(scopes, staging.op());
        LeaderWrite w = new LeaderWrite(op, entry, staging, answer, context.nowNs());
        for (int id : group.members()) if (id != shard.myId()) w.members.add(id);
        shard.dtx().add(entry);
        leading.put(entry.id(), w);
        entry.setLed(true);
        w.waiting.addAll(w.members);
        w.silent.addAll(w.members);
        w.startSending();
        for (int id : w.members) {
            PoolTarget t = shard.target(id);
            context.peers().shardWrite(t.rank(), t.index(), op, () -> onSent(w), fault -> onReply(w, id, fault));
        }
        context.turns().stage(staging.op(), fault -> onLocal(w, fault));
    }

    /** Something that is settled or under way already. */
    private boolean isKnown(WriteOp op, Answer<Long> answer) {
        Fault open = Fault.of(FaultCode.INPROGRESS, "the first try of this update is not settled yet");
        if (op.dtx().isResent()) shard.counters().resent.increment();
        if (leading.containsKey(op.dtx().id())) {
            answer.refuse(open);
            return true;
        }
        DtxEntry orphan = shard.dtx().prepared(op.dtx().id());
        if (orphan != null) {
            orphan.setNextSettleNs(context.nowNs());
            answer.refuse(open);
            return true;
        }
        // a first try, too: its resend may have overtaken it
        Long epoch = shard.dtx().committedEpoch(op.dtx().id());
        if (epoch == null) return false;
        answer.answer(epoch, null);
        return true;
    }

    /** Any thread. Nearly always the bytes are away long before the members answer: then the loop need not be woken. */
    private void onSent(LeaderWrite w) {
        if (w.onSent()) context.loop().execute(() -> maybeAnswer(w));
    }

    private void onReply(LeaderWrite w, int member, @Nullable Fault fault) {
        if (!w.waiting.remove(member)) return;
        if (fault == null || !isNoAnswer(fault)) w.silent.remove(member);
        if (fault != null) {
            if (fault.code() == FaultCode.STALE)
                fault.argument("need").ifPresent(v -> context.host().needMap(shard.pool(), Integer.parseInt(v)));
            fail(w, clientFault(member, fault));
        } else {
            maybeSettle(w);
        }
    }

    /** The member may not have the write yet, and get it still. */
    private static boolean isNoAnswer(Fault fault) {
        return fault.code() == FaultCode.TIMEDOUT || fault.code() == FaultCode.UNREACH;
    }

    private Fault clientFault(int member, Fault fault) {
        if (fault.code() == FaultCode.NOSPACE) return fault;
        return Fault.of(FaultCode.AGAIN, "rank %d: %s", shard.target(member).rank(), fault.message());
    }

    private void onLocal(LeaderWrite w, @Nullable Fault fault) {
        w.isLocalDone = true;
        w.isLocalDurable = fault == null;
        if (fault == null) {
            w.entry.markDurable();
            shard.changes().onDurable(w.entry.scopes(), w.entry.mapVersion(), w.staging.op());
            latencies.update().record(context.nowNs() - w.startNs, w.bytes);
        }
        if (w.fault != null) undoLocal(w);
        else if (fault != null) fail(w, localFault(fault));
        else maybeSettle(w);
    }

    /** A broken device is put out of the map soon; then another target leads. */
    private static Fault localFault(Fault fault) {
        return fault.code().retry() == FaultCode.Retry.OTHER_REPLICA
                ? Fault.of(FaultCode.AGAIN, "%s", fault.message())
                : fault;
    }

    /**
     * In the order of epochs where updates touch each other: else a reader would see the newer one alone, and later what the
     * older one has written beside it appear, or be hidden, as if it had come after. An older one that was aborted counts until
     * no member has it any more, because the next leader might commit it.
     */
    private void maybeSettle(LeaderWrite w) {
        if (!w.isComplete() || isOvertaking(w)) return;
        settle(w);
        settleLater(w);
    }

    private boolean isOvertaking(LeaderWrite w) {
        if (leading.size() > 1) {
            for (LeaderWrite o : leading.values())
                if (o.entry.epoch() < w.entry.epoch() && o.fault == null && o.touches(w)) return true;
        }
        return aborts.isHolding(w);
    }

    /** Those that have waited for this one, which is settled or will never be, and whoever has waited for them. */
    private void settleLater(LeaderWrite first) {
        ArrayDeque<LeaderWrite> over = new ArrayDeque<>(List.of(first));
        for (LeaderWrite w = over.poll(); w != null && !leading.isEmpty(); w = over.poll()) {
            for (LeaderWrite o : waitingFor(w)) {
                if (!o.isComplete() || isOvertaking(o)) continue;
                settle(o);
                over.add(o);
            }
        }
    }

    private List<LeaderWrite> waitingFor(LeaderWrite w) {
        List<LeaderWrite> later = new ArrayList<>();
        for (LeaderWrite o : leading.values())
            if (o.entry.epoch() > w.entry.epoch() && o.isComplete() && o.touches(w)) later.add(o);
        later.sort(Comparator.comparingLong(o -> o.entry.epoch()));
        return later;
    }

    private void settle(LeaderWrite w) {
        w.isSettled = true;
        count(w);
        forget(w);
        shard.dtx().remove(w.entry);
        if (w.members.isEmpty()) {
            shard.dtx().endCommit(w.entry.committed(), context.nowNs());
        } else {
            shard.dtx().startCommit(w.entry.committed());
            if (committables.isEmpty()) oldestCommittableNs = context.nowNs();
            committables.add(new Committable(w.entry, w.members));
        }
        access.wake(w.entry);
        maybeAnswer(w);
        if (committables.size() >= COMMIT_BATCH) flushCommits();
    }

    private void forget(LeaderWrite w) {
        leading.remove(w.entry.id(), w);
        w.entry.setLed(false);
    }

    private void fail(LeaderWrite w, Fault fault) {
        if (w.fault != null || w.isSettled) return;
        w.fault = fault;
        shard.counters().dtxAborts.increment();
        aborts.start(w);
        if (w.isLocalDone) undoLocal(w);
        maybeAnswer(w);
        settleLater(w);
    }

    private void undoLocal(LeaderWrite w) {
        if (w.isSettled) return;
        w.isSettled = true;
        forget(w);
        if (w.isLocalDurable) {
            outcomes.abort(w.entry);
        } else {
            shard.writer().giveUp(w.staging.records(), context.nowNs());
            shard.dtx().remove(w.entry);
            access.wake(w.entry);
        }
    }

    private void maybeAnswer(LeaderWrite w) {
        Fault f = w.fault;
        if (w.isAnswered || f == null && !w.isSettled) return;
        if (!w.decide()) return;
        w.isAnswered = true;
        if (f != null) w.answer.refuse(f);
        else w.answer.answer(w.entry.epoch(), null);
    }

    public boolean isIdle() {
        return leading.isEmpty();
    }

    /** Aborts that some member may not have heard of. */
    public int openAbortCount() {
        return aborts.openCount();
    }

    /** The loop ends with updates under way: their clients try again and find the outcome. */
    public void abandon() {
        for (LeaderWrite w : List.copyOf(leading.values())) {
            if (w.isAnswered || w.isSending()) continue;
            w.isAnswered = true;
            w.answer.refuse(Fault.of(FaultCode.AGAIN, "the engine restarts").with("state", "restarting"));
        }
    }

    public void onTick() {
        long now = context.nowNs();
        shard.counters().committable.record(committables.size());
        shard.counters().committed.record(shard.dtx().committedCount());
        if (!committables.isEmpty() && now - oldestCommittableNs >= COMMIT_AGE_NS) flushCommits();
        aborts.onTick();
        Set<Integer> late = new TreeSet<>();
        for (LeaderWrite w : List.copyOf(leading.values())) {
            if (now - w.startNs > LATE_NS)
                for (int id : w.waiting) late.add(shard.target(id).rank());
            if (now - w.startNs > LOCAL_MAX_NS)
                fail(w, Fault.of(FaultCode.AGAIN, "the update was not durable in time"));
        }
        if (!late.isEmpty()) context.host().awaits(shard.pool(), late);
    }

    /**
     * Writes that wait for a target which is no member any more would only wait for a deadline; what another target leads now is
     * its to decide, also what only waits for an older one.
     */
    public void onMap() {
        adoptedNs = context.nowNs();
        for (LeaderWrite w : List.copyOf(leading.values())) {
            ShardAddress a = w.op.address();
            ShardGroup g = shard.group(a.oid(), a.group());
            boolean isDisplaced = !g.isAvailable() || g.leader() != shard.myId();
            for (int id : w.waiting) isDisplaced |= !g.members().contains(id);
            if (isDisplaced) fail(w, Fault.of(FaultCode.AGAIN, "the pool map changed meanwhile"));
        }
        flushCommits();
    }

    /** Tells the members of all committable DTXs, and keeps their state. */
    public void flushCommits() {
        if (committables.isEmpty()) return;
        List<Committable> all = List.copyOf(committables);
        committables.clear();
        Map<Integer, List<DtxRefMessage>> byMember = new HashMap<>();
        List<DtxEntry> local = new ArrayList<>(all.size());
        for (Committable c : all) {
            local.add(c.dtx());
            for (int m : c.members())
                byMember.computeIfAbsent(m, k -> new ArrayList<>())
                        .add(WriteOp.dtxRef(c.dtx().id(), c.dtx().epoch()));
        }
        outcomes.commit(local, true);
        byMember.forEach((m, refs) -> {
            PoolTarget t = shard.target(m);
            context.peers().commit(t.rank(), DtxMessages.batch(shard, t, refs));
        });
    }
}
