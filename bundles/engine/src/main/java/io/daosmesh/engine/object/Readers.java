package io.daosmesh.engine.object;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
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

    private record Reader(List<Integer> ranks, long arrivedNs, Consumer<Boolean> retry, Consumer<Fault> refuse) {}

    /** What a shard remembers. */
    static final class Memory {
        private List<Reader> waiting = new ArrayList<>();
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
        if (m.waiting.size() >= Access.PARKED_MAX) {
            refuse.accept(Fault.of(FaultCode.BUSY, "%d reads wait already", Access.PARKED_MAX));
            return true;
        }
        long now = env.nowNs();
        m.waiting.add(new Reader(ranks, now, retry, refuse));
        // a member is silent: no need to find that out for each read
        if (m.hasConfirmed && now - m.confirmedNs < SILENT_NS) confirm(s, now);
        return true;
    }

    /** A lease was granted. */
    void onLease(PoolShard s) {
        if (s.readers.waiting.isEmpty()) return;
        List<Reader> go = new ArrayList<>();
        s.readers.waiting.removeIf(r -> {
            if (!env.host().leases().holds(s.pool(), s.mapVersion(), r.ranks)) return false;
            go.add(r);
            return true;
        });
        for (Reader r : go) r.retry.accept(false);
    }

    /** Who leads now is another question. */
    void onMap(PoolShard s) {
        List<Reader> all = s.readers.waiting;
        s.readers.waiting = new ArrayList<>();
        for (Reader r : all) env.loop().execute(() -> r.retry.accept(false));
    }

    void onTick(PoolShard s) {
        Memory m = s.readers;
        if (m.waiting.isEmpty()) return;
        onLease(s);
        long now = env.nowNs();
        Fault late = Fault.of(FaultCode.AGAIN, "this rank is not sure to lead the group still")
                .with("state", "isolated");
        m.waiting.removeIf(r -> {
            if (now - r.arrivedNs < Access.PARK_NS) return false;
            r.refuse.accept(late);
            return true;
        });
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
        List<Reader> go = new ArrayList<>();
        m.waiting.removeIf(r -> {
            if (r.arrivedNs - askedNs > 0) return false;
            go.add(r);
            return true;
        });
        m.hasConfirmed = true;
        m.confirmedNs = env.nowNs();
        // for those that came in the meantime
        confirm(s, m.confirmedNs);
        for (Reader r : go) r.retry.accept(true);
    }

    static void refuseAll(PoolShard s, Fault fault) {
        List<Reader> all = s.readers.waiting;
        s.readers.waiting = new ArrayList<>();
        for (Reader r : all) r.refuse.accept(fault);
    }
}
