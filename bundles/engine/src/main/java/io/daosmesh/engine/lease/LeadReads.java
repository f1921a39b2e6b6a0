package io.daosmesh.engine.lease;

import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.engine.shard.Waiting;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads that wait until this rank is sure that what it has is the newest. As the leader: for the leases of the other members
 * or, when one of them is silent, for the word of the pool service that no newer map exists. As another settled replica,
 * which the leader need not know of: for that word alone, see docs/decisions/0034. Owner: target loop.
 */
public final class LeadReads {
    /** After an answer of the pool service the next read asks it at once for so long. */
    private static final long SILENT_NS = 1_000_000_000L;

    /** @param whenConfirmed instead of trying again, once this map is known to be the newest */
    private record Read(List<Integer> ranks, Runnable whenConfirmed) {}

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final Waiting<Read> waiting = new Waiting<>("reads", Access.PARKED_MAX, Access.PARK_NS);
    /** Of groups that others lead. Apart, so that they take no room from those that are led here. */
    private final Waiting<Read> elsewhere = new Waiting<>("reads of replicas", Access.PARKED_MAX, Access.PARK_NS);

    private boolean isConfirming;
    private boolean hasConfirmed;
    private long confirmedNs;

    public LeadReads(TargetContext context, PoolShard shard, Access access) {
        this.context = context;
        this.shard = shard;
        this.access = access;
    }

    /**
     * Refuses the read of a group that this target does not lead, and parks it until the target is sure to; false if it may
     * be answered now.
     *
     * @param isConfirmed as {@code retry} has said
     * @param retry on the loop; true = it was confirmed that this map is the newest since the read came
     */
    public boolean waits(ShardAddress a, boolean isConfirmed, Consumer<Boolean> retry, Consumer<Fault> refuse) {
        Access.allow(access.leader(a));
        List<Integer> others = shard.otherRanks(shard.group(a.oid(), a.group()));
        if (others.isEmpty()) Access.allow(access.majority());
        return !isConfirmed && waitsForLease(others, retry, refuse);
    }

    private boolean waitsForLease(List<Integer> ranks, Consumer<Boolean> retry, Consumer<Fault> refuse) {
        if (context.host().leases().holds(shard.pool(), shard.mapVersion(), ranks)) return false;
        long now = context.nowNs();
        Read read = new Read(ranks, () -> retry.accept(true));
        if (!waiting.add(new Waiting.Waiter<>(read, now, () -> retry.accept(false), refuse, LeadReads::late)))
            return true;
        // a member is silent: no need to find that out for each read
        if (hasConfirmed && now - confirmedNs < SILENT_NS) confirm(now);
        return true;
    }

    /**
     * The same for the read of a group in which this target is a settled replica, whoever leads it: only the word of the pool
     * service counts. By then everything that was acknowledged before the read came is prepared here, or committed.
     */
    public boolean waitsForWord(ShardAddress a, boolean isConfirmed, Consumer<Boolean> retry, Consumer<Fault> refuse) {
        Access.allow(access.replica(a));
        if (isConfirmed) return false;
        long now = context.nowNs();
        Read read = new Read(List.of(), () -> retry.accept(true));
        if (elsewhere.add(new Waiting.Waiter<>(read, now, () -> retry.accept(false), refuse, LeadReads::unsure)))
            confirm(now);
        return true;
    }

    private static Fault unsure() {
        return Fault.of(FaultCode.AGAIN, "this rank is not sure that its pool map is the newest")
                .with("state", "isolated");
    }

    private static Fault late() {
        return Fault.of(FaultCode.AGAIN, "this rank is not sure to lead the group still")
                .with("state", "isolated");
    }

    /** A lease was granted. */
    public void onLease() {
        waiting.take(w -> context.host().leases().holds(shard.pool(), shard.mapVersion(), w.key().ranks))
                .forEach(w -> w.retry().run());
    }

    /** Who leads now is another question. */
    public void onMap() {
        waiting.takeAll().forEach(w -> context.loop().execute(w.retry()));
        elsewhere.takeAll().forEach(w -> context.loop().execute(w.retry()));
    }

    public void onTick() {
        if (isNobodyWaiting()) return;
        onLease();
        long now = context.nowNs();
        waiting.onTick(now);
        elsewhere.onTick(now);
        confirm(now);
    }

    private boolean isNobodyWaiting() {
        return waiting.isEmpty() && elsewhere.isEmpty();
    }

    private void confirm(long now) {
        if (isNobodyWaiting() || isConfirming) return;
        isConfirming = true;
        context.host().leases().confirm(shard.pool(), shard.mapVersion(), now);
    }

    /** @param version the newest one at some moment after {@code askedNs}; 0 = nobody could say */
    public void onConfirmed(int version, long askedNs) {
        isConfirming = false;
        if (version > shard.mapVersion()) context.host().needMap(shard.pool(), version);
        if (version != shard.mapVersion()) return;
        var sure = waiting.take(w -> w.sinceNs() - askedNs <= 0);
        var sureElsewhere = elsewhere.take(w -> w.sinceNs() - askedNs <= 0);
        long now = context.nowNs();
        // what others lead says nothing about the members of what is led here
        if (!sure.isEmpty()) {
            hasConfirmed = true;
            confirmedNs = now;
        }
        // for those that came in the meantime
        confirm(now);
        sure.forEach(w -> w.key().whenConfirmed.run());
        sureElsewhere.forEach(w -> w.key().whenConfirmed.run());
    }

    public void refuseAll(Fault why) {
        waiting.refuseAll(why);
        elsewhere.refuseAll(why);
    }
}
