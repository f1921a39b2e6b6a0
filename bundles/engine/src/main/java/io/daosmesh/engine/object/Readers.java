package io.daosmesh.engine.object;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reads that wait until this rank is sure to be the leader still: for the leases of the other members or, when one of them
 * is silent, for the word of the pool service that no newer map exists. Owner: target loop.
 */
final class Readers {
    /** After an answer of the pool service the next read asks it at once for so long. */
    private static final long SILENT_NS = 1_000_000_000L;

    private final Env env;

    Readers(Env env) {
        this.env = env;
    }

    /** @param whenConfirmed instead of trying again, once this map is known to be the newest */
    private record Read(List<Integer> ranks, Runnable whenConfirmed) {}

    /** What a shard remembers. */
    static final class Memory {
        final Waiting<Read> waiting = new Waiting<>("reads", Access.PARKED_MAX, Access.PARK_NS);
        private boolean isConfirming;
        private boolean hasConfirmed;
        private long confirmedNs;
    }

    /**
     * Parks the read of a group that this target leads unless it may be answered now; true if it was taken care of.
     *
     * @param retry on the loop; true = it was confirmed that this map is the newest since the read came
     */
    boolean waits(PoolShard s, List<Integer> ranks, Consumer<Boolean> retry, Consumer<Fault> refuse) {
        if (env.host().leases().holds(s.pool(), s.mapVersion(), ranks)) return false;
        Memory m = s.readers;
        long now = env.nowNs();
        Read read = new Read(ranks, () -> retry.accept(true));
        if (!m.waiting.add(new Waiting.Waiter<>(read, now, () -> retry.accept(false), refuse, Readers::late)))
            return true;
        // a member is silent: no need to find that out for each read
        if (m.hasConfirmed && now - m.confirmedNs < SILENT_NS) confirm(s, now);
        return true;
    }

    private static Fault late() {
        return Fault.of(FaultCode.AGAIN, "this rank is not sure to lead the group still")
                .with("state", "isolated");
    }

    /** A lease was granted. */
    void onLease(PoolShard s) {
        s.readers
                .waiting
                .take(w -> env.host().leases().holds(s.pool(), s.mapVersion(), w.key().ranks))
                .forEach(w -> w.retry().run());
    }

    /** Who leads now is another question. */
    void onMap(PoolShard s) {
        s.readers.waiting.takeAll().forEach(w -> env.loop().execute(w.retry()));
    }

    void onTick(PoolShard s) {
        Memory m = s.readers;
        if (m.waiting.isEmpty()) return;
        onLease(s);
        long now = env.nowNs();
        m.waiting.onTick(now);
        confirm(s, now);
    }

    private void confirm(PoolShard s, long now) {
        Memory m = s.readers;
        if (m.waiting.isEmpty() || m.isConfirming) return;
        m.isConfirming = true;
        env.host().leases().confirm(s.pool(), s.mapVersion(), now);
    }

    /** @param version the newest one at some moment after {@code askedNs}; 0 = nobody could say */
    void onConfirmed(PoolShard s, int version, long askedNs) {
        Memory m = s.readers;
        m.isConfirming = false;
        if (version > s.mapVersion()) env.host().needMap(s.pool(), version);
        if (version != s.mapVersion()) return;
        var sure = m.waiting.take(w -> w.sinceNs() - askedNs <= 0);
        m.hasConfirmed = true;
        m.confirmedNs = env.nowNs();
        // for those that came in the meantime
        confirm(s, m.confirmedNs);
        sure.forEach(w -> w.key().whenConfirmed.run());
    }
}
