package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.target.Answer;
import io.daosmesh.engine.target.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxRefMessage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The leader's side of a replicated write: forwards and prepares in parallel, answers when every member has it durable,
 * tells the members later that it is committed. Any failure aborts everywhere and the client tries again with the same
 * DTX id. Owner: target loop.
 */
final class LeaderWrites {
    /** DAOS: DTX_THRESHOLD_COUNT. */
    private static final int COMMIT_BATCH = 512;
    /** Short, because members answer reads of a new leader only for settled updates. */
    private static final long COMMIT_AGE_NS = 200_000_000L;
    /** A device that hangs must not hang the client; the members' deadlines are shorter. */
    private static final long LOCAL_MAX_NS = 10_000_000_000L;
    /** So long after a map change a resend may be of an update from before this target held the group. */
    private static final long STRANGER_NS = 90_000_000_000L;

    private final Env env;
    private final Access access;
    private final Outcomes outcomes;
    private final Resends resends;
    private final Aborts aborts;
    private final VosLatencies latencies;

    LeaderWrites(Env env, Access access, Outcomes outcomes, VosLatencies latencies) {
        this.latencies = latencies;
        this.env = env;
        this.access = access;
        this.outcomes = outcomes;
        this.resends = new Resends(env);
        this.aborts = new Aborts(env, outcomes);
    }

    /** The shard leads the group at the operation's map version. */
    void start(PoolShard s, WriteOp op, Answer<Long> answer) {
        if (isKnown(s, op, answer)) return;
        if (op.dtx().isResent() && env.nowNs() - s.adoptedNs < STRANGER_NS)
            resends.ask(s, op, answer, () -> retry(s, op, answer));
        else execute(s, op, answer);
    }

    private void execute(PoolShard s, WriteOp op, Answer<Long> answer) {
        List<byte[]> scopes = op.scopes();
        if (op.isConditional()) {
            if (s.aborts.isFull(env.nowNs())) {
                answer.refuse(Fault.of(FaultCode.BUSY, "the outcome of many updates is open"));
                return;
            }
            byte[] open = Conditions.openScope(s, op, scopes);
            if (open != null) {
                Fault late = Fault.of(FaultCode.INPROGRESS, "another update of the key is under way");
                access.waitForOutcome(s, open, () -> retry(s, op, answer), answer::refuse, late);
                return;
            }
            Fault unmet = Conditions.unmet(env.kv(), s, op);
            if (unmet != null) {
                answer.refuse(unmet);
                return;
            }
        }
        long now = env.nowNs();
        WriteOp at = op.withEpoch(env.host().hlcNow(), s.mapVersion());
        VosWriter.Staging staging = new VosWriter.Staging(new StagedOp(true));
        try {
            at.stage(s.writer(), staging, false, now);
        } catch (FaultException e) {
            s.writer().undo(staging, now);
            answer.refuse(e.fault());
            return;
        }
        launch(s, at, scopes, staging, answer);
    }

    private void retry(PoolShard s, WriteOp op, Answer<Long> answer) {
        Fault f = Access.stale(s, op.address().mapVersion());
        if (f == null) f = access.writer(s, op.address());
        if (f != null) answer.refuse(f);
        else if (!isKnown(s, op, answer)) execute(s, op, answer);
    }

    private void launch(PoolShard s, WriteOp op, List<byte[]> scopes, VosWriter.Staging staging, Answer<Long> answer) {
        ShardAddress a = op.address();
        ShardGroup group = s.group(a.oid(), a.group());
        DtxEntry entry = new DtxEntry(
                op.dtx().id(),
                op.dtx().epoch(),
                new DtxEntry.Place(s.mapVersion(), a.container(), a.oid(), a.group()),
                op.dkey(),
                scopes,
                staging.keys());
        entry.setPreparedNs(env.nowNs());
        boolean isAlone = group.members().size() == 1;
        staging.op()
                .batch()
                .put(
                        Keys.dtx(s.pool(), entry.id()),
                        isAlone
                                ? DtxEntry.encodeCommitted(
                                        entry.committed(), env.host().hlcNow())
                                : entry.encode());
        LeaderWrite w = new LeaderWrite(op, entry, staging, answer, env.nowNs());
        for (int id : group.members()) if (id != s.myId()) w.members.add(id);
        s.dtx().add(entry);
        s.leading.put(entry.id(), w);
        entry.setLed(true);
        s.changes++;
        w.waiting.addAll(w.members);
        w.silent.addAll(w.members);
        w.sending.set(w.members.size());
        for (int id : w.members) {
            PoolTarget t = s.target(id);
            env.peers().shardWrite(t.rank(), t.index(), op, () -> onSent(w), fault -> onReply(s, w, id, fault));
        }
        env.turns().stage(staging.op(), fault -> onLocal(s, w, fault));
    }

    /** Something that is settled or under way already. */
    private boolean isKnown(PoolShard s, WriteOp op, Answer<Long> answer) {
        Fault open = Fault.of(FaultCode.INPROGRESS, "the first try of this update is not settled yet");
        if (op.dtx().isResent()) s.counters().resent.incrementAndGet();
        if (s.leading.containsKey(op.dtx().id())) {
            answer.refuse(open);
            return true;
        }
        DtxEntry orphan = s.dtx().prepared(op.dtx().id());
        if (orphan != null) {
            orphan.setNextSettleNs(env.nowNs());
            answer.refuse(open);
            return true;
        }
        // a first try, too: its resend may have overtaken it
        Long epoch = s.dtx().committedEpoch(op.dtx().id());
        if (epoch == null) return false;
        answer.answer(epoch, null);
        return true;
    }

    /** Any thread. Nearly always the bytes are away long before the members answer: then the loop need not be woken. */
    private void onSent(LeaderWrite w) {
        if (w.sending.decrementAndGet() == 0 && w.isDecided) env.loop().execute(() -> maybeAnswer(w));
    }

    private void onReply(PoolShard s, LeaderWrite w, int member, @Nullable Fault fault) {
        if (!w.waiting.remove(member)) return;
        if (fault == null || !isNoAnswer(fault)) w.silent.remove(member);
        if (fault != null) {
            if (fault.code() == FaultCode.STALE)
                fault.argument("need").ifPresent(v -> env.host().needMap(s.pool(), Integer.parseInt(v)));
            fail(s, w, clientFault(s, member, fault));
        } else {
            maybeSettle(s, w);
        }
    }

    /** The member may not have the write yet, and get it still. */
    private static boolean isNoAnswer(Fault fault) {
        return fault.code() == FaultCode.TIMEDOUT || fault.code() == FaultCode.UNREACH;
    }

    private static Fault clientFault(PoolShard s, int member, Fault fault) {
        if (fault.code() == FaultCode.NOSPACE) return fault;
        return Fault.of(FaultCode.AGAIN, "rank %d: %s", s.target(member).rank(), fault.message());
    }

    private void onLocal(PoolShard s, LeaderWrite w, @Nullable Fault fault) {
        w.isLocalDone = true;
        w.isLocalDurable = fault == null;
        if (fault == null) {
            w.entry.markDurable();
            latencies.update().record(env.nowNs() - w.startNs, w.bytes);
        }
        if (w.fault != null) undoLocal(s, w);
        else if (fault != null) fail(s, w, localFault(fault));
        else maybeSettle(s, w);
    }

    /** A broken device is put out of the map soon; then another target leads. */
    private static Fault localFault(Fault fault) {
        return fault.code().retry() == FaultCode.Retry.OTHER_REPLICA
                ? Fault.of(FaultCode.AGAIN, "%s", fault.message())
                : fault;
    }

    /**
     * In the order of epochs where updates touch each other: else a reader would see the newer one alone, and later what the
     * older one has written beside it appear, or be hidden, as if it had come after.
     */
    private void maybeSettle(PoolShard s, LeaderWrite w) {
        if (!w.isComplete() || isOvertaking(s, w)) return;
        settle(s, w);
        settleLater(s, w);
    }

    private static boolean isOvertaking(PoolShard s, LeaderWrite w) {
        if (s.leading.size() == 1) return false;
        for (LeaderWrite o : s.leading.values())
            if (o.entry.epoch() < w.entry.epoch() && o.fault == null && o.touches(w)) return true;
        return false;
    }

    /** Those that have waited for this one, which is settled or will never be, and whoever has waited for them. */
    private void settleLater(PoolShard s, LeaderWrite first) {
        ArrayDeque<LeaderWrite> over = new ArrayDeque<>(List.of(first));
        for (LeaderWrite w = over.poll(); w != null && !s.leading.isEmpty(); w = over.poll()) {
            for (LeaderWrite o : waitingFor(s, w)) {
                if (!o.isComplete() || isOvertaking(s, o)) continue;
                settle(s, o);
                over.add(o);
            }
        }
    }

    private static List<LeaderWrite> waitingFor(PoolShard s, LeaderWrite w) {
        List<LeaderWrite> later = new ArrayList<>();
        for (LeaderWrite o : s.leading.values())
            if (o.entry.epoch() > w.entry.epoch() && o.isComplete() && o.touches(w)) later.add(o);
        later.sort(Comparator.comparingLong(o -> o.entry.epoch()));
        return later;
    }

    private void settle(PoolShard s, LeaderWrite w) {
        w.isSettled = true;
        forget(s, w);
        s.dtx().remove(w.entry);
        if (w.members.isEmpty()) {
            s.dtx().endCommit(w.entry.committed(), env.nowNs());
        } else {
            s.dtx().startCommit(w.entry.committed());
            if (s.committables.isEmpty()) s.oldestCommittableNs = env.nowNs();
            s.committables.add(new PoolShard.Committable(w.entry.committed(), w.members));
        }
        outcomes.wake(s, w.entry);
        maybeAnswer(w);
        if (s.committables.size() >= COMMIT_BATCH) flushCommits(s);
    }

    private void forget(PoolShard s, LeaderWrite w) {
        s.leading.remove(w.entry.id(), w);
        w.entry.setLed(false);
    }

    private void fail(PoolShard s, LeaderWrite w, Fault fault) {
        if (w.fault != null || w.isSettled) return;
        w.fault = fault;
        s.counters().dtxAborts.incrementAndGet();
        aborts.start(s, w.entry, w.members, w.silent);
        if (w.isLocalDone) undoLocal(s, w);
        maybeAnswer(w);
        settleLater(s, w);
    }

    private void undoLocal(PoolShard s, LeaderWrite w) {
        if (w.isSettled) return;
        w.isSettled = true;
        forget(s, w);
        if (w.isLocalDurable) {
            outcomes.abort(s, w.entry);
        } else {
            s.writer().giveUp(w.staging.records(), env.nowNs());
            s.dtx().remove(w.entry);
            outcomes.wake(s, w.entry);
        }
    }

    private void maybeAnswer(LeaderWrite w) {
        Fault f = w.fault;
        if (w.isAnswered || f == null && !w.isSettled) return;
        w.isDecided = true; // before the look at what is still being sent: whoever is later answers
        if (w.sending.get() > 0) return;
        w.isAnswered = true;
        if (f != null) w.answer.refuse(f);
        else w.answer.answer(w.entry.epoch(), null);
    }

    void abandon(PoolShard s) {
        for (LeaderWrite w : List.copyOf(s.leading.values())) {
            if (w.isAnswered || w.sending.get() > 0) continue;
            w.isAnswered = true;
            w.answer.refuse(Fault.of(FaultCode.AGAIN, "the engine restarts").with("state", "restarting"));
        }
    }

    void onTick(PoolShard s) {
        long now = env.nowNs();
        s.counters().committable.record(s.committables.size());
        s.counters().committed.record(s.dtx().committedCount());
        if (!s.committables.isEmpty() && now - s.oldestCommittableNs >= COMMIT_AGE_NS) flushCommits(s);
        aborts.onTick(s);
        for (LeaderWrite w : List.copyOf(s.leading.values())) {
            if (now - w.startNs > LOCAL_MAX_NS)
                fail(s, w, Fault.of(FaultCode.AGAIN, "the update was not durable in time"));
        }
    }

    /** Writes that wait for a target which is no member any more would only wait for a deadline. */
    void onMap(PoolShard s) {
        for (LeaderWrite w : List.copyOf(s.leading.values())) {
            ShardAddress a = w.op.address();
            ShardGroup g = s.group(a.oid(), a.group());
            boolean isDisplaced = !g.isAvailable() || g.leader() != s.myId();
            for (int id : w.waiting) isDisplaced |= !g.members().contains(id);
            if (isDisplaced && !w.waiting.isEmpty())
                fail(s, w, Fault.of(FaultCode.AGAIN, "the pool map changed meanwhile"));
        }
        flushCommits(s);
    }

    /** Tells the members of all committable DTXs, and keeps their state. */
    void flushCommits(PoolShard s) {
        if (s.committables.isEmpty()) return;
        List<PoolShard.Committable> all = List.copyOf(s.committables);
        s.committables.clear();
        Map<Integer, List<DtxRefMessage>> byMember = new HashMap<>();
        List<DtxTable.Committed> local = new ArrayList<>(all.size());
        for (PoolShard.Committable c : all) {
            local.add(c.dtx());
            for (int m : c.members())
                byMember.computeIfAbsent(m, k -> new ArrayList<>())
                        .add(ref(c.dtx().id(), c.dtx().epoch()));
        }
        outcomes.commit(s, local);
        byMember.forEach((m, refs) -> {
            PoolTarget t = s.target(m);
            env.peers().commit(t.rank(), batch(s, t, refs));
        });
    }

    static DtxRefMessage ref(io.daosmesh.model.id.DtxId id, long epoch) {
        return DtxRefMessage.newBuilder()
                .setDtx(WriteOp.dtxMessage(id))
                .setEpoch(epoch)
                .build();
    }

    static DtxBatchRequest batch(PoolShard s, PoolTarget t, List<DtxRefMessage> refs) {
        return DtxBatchRequest.newBuilder()
                .setPool(Ids.bytes(s.pool()))
                .setTarget(t.index())
                .setMapVersion(s.mapVersion())
                .addAllDtxs(refs)
                .build();
    }
}
