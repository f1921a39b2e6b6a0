package io.daosmesh.engine.write;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.Resolution;
import io.daosmesh.engine.shard.Access;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.TargetContext;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes that this leader has aborted and that a member may still have prepared, because it has not heard of it. If the
 * leader died now, the next one would find such a write with all members that are left and commit it, at its old epoch.
 * So no condition on its keys is judged here, and no later write that touches it is acknowledged, until every member has let
 * go of it. Owner: target loop.
 */
final class Aborts {
    private static final long ASK_NS = 300_000_000L;
    /** Above the deadline of a forwarded write: one that was not answered may still arrive until then. */
    private static final long LATE_NS = 3_000_000_000L;
    /** Of a shard. Above it updates wait for as long as a member needs at most to ask by itself, and twice that. */
    static final int OPEN_MAX = 1024;

    private static final long FULL_NS = 10_000_000_000L;

    private final TargetContext context;
    private final PoolShard shard;
    private final Access access;
    private final Consumer<LeaderWrite> onClosed;
    private final List<Open> open = new ArrayList<>();
    private long fullUntilNs;

    /** @param onClosed told which write no member has any more */
    Aborts(TargetContext context, PoolShard shard, Access access, Consumer<LeaderWrite> onClosed) {
        this.onClosed = onClosed;
        this.context = context;
        this.shard = shard;
        this.access = access;
    }

    int openCount() {
        return open.size();
    }

    boolean isFull(long nowNs) {
        return nowNs < fullUntilNs;
    }

    private static final class Open {
        final LeaderWrite write;
        final DtxEntry entry;
        final List<Integer> waiting;
        /** Members that have not answered the write, and may not even have it yet. */
        final Set<Integer> silent;

        long nextAskNs;

        Open(LeaderWrite write, long nextAskNs) {
            this.write = write;
            this.entry = write.entry;
            this.waiting = new ArrayList<>(write.members);
            this.silent = Set.copyOf(write.silent);
            this.nextAskNs = nextAskNs;
        }
    }

    void start(LeaderWrite write) {
        DtxEntry entry = write.entry;
        List<Integer> members = write.members;
        if (members.isEmpty()) return;
        long now = context.nowNs();
        // under a newer map another target may lead the group: then it decides, and asks here first
        if (entry.mapVersion() == shard.mapVersion()) for (int id : members) tell(entry, id);
        if (open.size() >= OPEN_MAX) {
            fullUntilNs = now + FULL_NS;
            return;
        }
        open.add(new Open(write, now));
        shard.dtx().addDoubt(entry);
    }

    private void tell(DtxEntry entry, int member) {
        PoolTarget t = shard.target(member);
        context.peers().abort(t.rank(), DtxMessages.batch(shard, t, entry));
    }

    void onTick() {
        long now = context.nowNs();
        for (Open o : List.copyOf(open)) {
            if (o.nextAskNs > now) continue;
            o.nextAskNs = now + ASK_NS;
            ShardGroup g = shard.group(o.entry.oid(), o.entry.group());
            boolean isMine = g.isAvailable() && g.leader() == shard.myId();
            o.waiting.removeIf(id -> !isMine || !g.members().contains(id));
            if (o.waiting.isEmpty()) close(o);
            else ask(o, now);
        }
    }

    private void ask(Open o, long now) {
        int version = shard.mapVersion();
        for (int id : List.copyOf(o.waiting)) {
            if (o.silent.contains(id) && now - o.entry.preparedNs() < LATE_NS) continue;
            PoolTarget t = shard.target(id);
            context.peers().resolve(t.rank(), DtxMessages.question(shard, t, o.entry), (state, fault) -> {
                if (state == null || version != shard.mapVersion() || !open.contains(o)) return;
                if (Resolution.vote(state) == Resolution.Vote.PREPARED) {
                    tell(o.entry, id);
                    return;
                }
                o.waiting.remove((Integer) id);
                if (o.waiting.isEmpty()) close(o);
            });
        }
    }

    private void close(Open o) {
        if (!open.remove(o)) return;
        shard.dtx().removeDoubt(o.entry);
        access.wake(o.entry);
        onClosed.accept(o.write);
    }

    /** True if one that came before it may yet be committed, beside it. Another try of the same replaces what members have. */
    boolean isHolding(LeaderWrite w) {
        for (Open o : open) {
            boolean isSame = o.entry.id().equals(w.entry.id());
            boolean isBefore = !isSame && o.entry.epoch() < w.entry.epoch();
            if (isBefore && o.write.touches(w) && !w.hides(o.write)) return true;
        }
        return false;
    }
}
