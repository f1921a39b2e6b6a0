package io.daosmesh.engine.access;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Handles that clients show and this rank does not know: each is asked about once, however many requests wait for it, and
 * those of one pool together. A flood of invented handles costs a pool's service one small question each 200 ms, and
 * crowds out nobody who comes from another machine. Owner: one lock, which also guards all writes to the table, so that no
 * answer can bring back a handle that has ended meanwhile. Pure: time comes in, effects go out.
 */
public final class Questions {
    /** Handles that wait, over all pools. */
    static final int HANDLES_MAX = 4096;
    /** Of them, shown by one machine: half of what one question holds. An agent vouches for the names of its machine's users. */
    static final int HANDLES_PER_MACHINE_MAX = 256;
    /** Requests that wait. */
    static final int WAITERS_MAX = 8192;

    static final int BATCH_MAX = 512;
    /** Handles remembered as unknown to their pool's service. */
    static final int REFUSED_MAX = 4096;

    static final long REFUSED_NS = 5_000_000_000L;
    /** Below a client's patience with one try, 3 s. */
    static final long WAIT_MAX_NS = 2_500_000_000L;

    static final long PAUSE_MIN_NS = 2_000_000L;
    /** After questions that brought nothing: five in a second. */
    static final long PAUSE_MAX_NS = 200_000_000L;

    /** A request that waits. */
    public interface Waiter {
        /** One of the two: what the handle is good for, or why that is not known; neither when there is no such handle. */
        void onAnswer(@Nullable Grant grant, @Nullable Fault fault);
    }

    /** What the owner does afterwards, without its lock. */
    public interface Effects {
        void send(Batch batch);

        /** Calls {@link #onWake} later. */
        void wake(ByteString pool, long delayNs);

        void answer(Waiter waiter, @Nullable Grant grant, @Nullable Fault fault);
    }

    /** One question to a pool's service. */
    public record Batch(ByteString pool, long number, List<ByteString> handles) {}

    /** Comparable, so that chosen keys of one hash value do not make a map slow. */
    private record Key(ByteString pool, ByteString handle) implements Comparable<Key> {
        private static final Comparator<ByteString> BY_BYTES = ByteString.unsignedLexicographicalComparator();

        @Override
        public int compareTo(Key other) {
            int byHandle = BY_BYTES.compare(handle, other.handle);
            return byHandle != 0 ? byHandle : BY_BYTES.compare(pool, other.pool);
        }
    }

    private static final class Question {
        private final ByteString handle;
        private final String machine;
        private final long sinceNs;
        private final List<Waiter> waiters = new ArrayList<>(1);
        /** What the answer on its way says may be out of date. */
        private boolean isDoubtful;

        Question(ByteString handle, String machine, long sinceNs) {
            this.handle = handle;
            this.machine = machine;
            this.sinceNs = sinceNs;
        }
    }

    private static final class OfPool {
        private final ByteString pool;
        /** In the order they came; those that are on their way, too. */
        private final LinkedHashMap<ByteString, Question> open = new LinkedHashMap<>();

        private List<Question> asked = List.of();
        private long batch;
        private long nextNs;
        private long pauseNs;
        private boolean isWoken;

        OfPool(ByteString pool, long nowNs) {
            this.pool = pool;
            this.nextNs = nowNs;
        }
    }

    private final HandleTable table;
    private final Map<ByteString, OfPool> pools = new HashMap<>();
    private final Map<String, Integer> perMachine = new HashMap<>();
    /** Until when; the oldest first. */
    private final LinkedHashMap<Key, Long> refused = new LinkedHashMap<>();

    private int handleCount;
    private int waiterCount;
    private long batchCount;

    public Questions(HandleTable table) {
        this.table = table;
    }

    /** A request shows a handle that the table did not have. */
    public void onUnknown(ByteString pool, ByteString handle, String machine, Waiter waiter, long nowNs, Effects out) {
        Grant known = table.get(handle);
        if (known != null || isRefused(new Key(pool, handle), nowNs)) {
            out.answer(waiter, known, null);
            return;
        }
        OfPool p = pools.computeIfAbsent(pool, x -> new OfPool(x, nowNs));
        Question q = p.open.get(handle);
        boolean isFull = waiterCount >= WAITERS_MAX || q == null && !mayOpen(machine);
        if (isFull) {
            out.answer(waiter, null, Fault.of(FaultCode.BUSY, "too many handles wait for the pool service"));
            return;
        }
        if (q == null) q = open(p, handle, machine, nowNs);
        q.waiters.add(waiter);
        waiterCount++;
        pump(p, nowNs, out);
    }

    private boolean mayOpen(String machine) {
        return handleCount < HANDLES_MAX && perMachine.getOrDefault(machine, 0) < HANDLES_PER_MACHINE_MAX;
    }

    private Question open(OfPool p, ByteString handle, String machine, long nowNs) {
        Question q = new Question(handle, machine, nowNs);
        p.open.put(handle, q);
        handleCount++;
        perMachine.merge(machine, 1, Integer::sum);
        return q;
    }

    private void close(OfPool p, Question q, @Nullable Grant grant, @Nullable Fault fault, Effects out) {
        if (!p.open.remove(q.handle, q)) return;
        handleCount--;
        perMachine.computeIfPresent(q.machine, (m, n) -> n == 1 ? null : n - 1);
        waiterCount -= q.waiters.size();
        q.waiters.forEach(w -> out.answer(w, grant, fault));
    }

    private boolean isRefused(Key key, long nowNs) {
        Long untilNs = refused.get(key);
        return untilNs != null && untilNs - nowNs > 0;
    }

    private void refuse(OfPool p, Question q, long nowNs, Effects out) {
        Key key = new Key(p.pool, q.handle);
        refused.remove(key);
        if (refused.size() >= REFUSED_MAX)
            refused.remove(refused.keySet().iterator().next());
        refused.put(key, nowNs + REFUSED_NS);
        close(p, q, null, null, out);
    }

    /** One question at a time to a pool, with a pause between them. */
    private void pump(OfPool p, long nowNs, Effects out) {
        if (!p.asked.isEmpty() || p.open.isEmpty()) return;
        if (p.nextNs - nowNs > 0) {
            if (!p.isWoken) out.wake(p.pool, p.nextNs - nowNs);
            p.isWoken = true;
            return;
        }
        p.asked = p.open.values().stream().limit(BATCH_MAX).toList();
        p.asked.forEach(q -> q.isDoubtful = false);
        p.batch = ++batchCount;
        out.send(new Batch(p.pool, p.batch, p.asked.stream().map(q -> q.handle).toList()));
    }

    public void onWake(ByteString pool, long nowNs, Effects out) {
        OfPool p = pools.get(pool);
        if (p == null) return;
        p.isWoken = false;
        expire(p, nowNs, out);
        pump(p, nowNs, out);
    }

    private void expire(OfPool p, long nowNs, Effects out) {
        Fault late = Fault.of(FaultCode.BUSY, "the pool service has not been asked about the handle in time");
        for (Question q : List.copyOf(p.open.values())) {
            if (nowNs - q.sinceNs < WAIT_MAX_NS) return;
            close(p, q, null, late, out);
        }
    }

    /** @param found what the service knows of those that were asked; what is absent has ended or never was */
    public void onAnswer(Batch batch, Map<ByteString, Grant> found, long nowNs, Effects out) {
        OfPool p = asking(batch);
        if (p == null) return;
        boolean isUseful = false;
        for (Question q : p.asked) {
            if (q.isDoubtful || p.open.get(q.handle) != q) continue;
            Grant grant = found.get(q.handle);
            if (grant == null) {
                refuse(p, q, nowNs, out);
                continue;
            }
            isUseful = true;
            table.put(q.handle, grant);
            close(p, q, grant, null, out);
        }
        rest(p, isUseful, nowNs, out);
    }

    /** Nobody has answered: those who wait may try again. */
    public void onFailure(Batch batch, Fault fault, long nowNs, Effects out) {
        OfPool p = asking(batch);
        if (p == null) return;
        Fault told = fault.code() == FaultCode.NONEXIST
                ? fault
                : Fault.of(FaultCode.BUSY, "the pool service does not tell about the handle: %s", fault.message());
        for (Question q : p.asked) close(p, q, null, told, out);
        rest(p, false, nowNs, out);
    }

    private @Nullable OfPool asking(Batch batch) {
        OfPool p = pools.get(batch.pool());
        return p != null && p.batch == batch.number() && !p.asked.isEmpty() ? p : null;
    }

    private void rest(OfPool p, boolean isUseful, long nowNs, Effects out) {
        p.asked = List.of();
        p.pauseNs = isUseful ? PAUSE_MIN_NS : Math.min(PAUSE_MAX_NS, Math.max(PAUSE_MIN_NS, p.pauseNs * 2));
        p.nextNs = nowNs + p.pauseNs;
        expire(p, nowNs, out);
        pump(p, nowNs, out);
    }

    /** The pool service says that these have ended. An answer about them that is still on its way is older. */
    public void onGone(ByteString pool, Collection<ByteString> handles, long nowNs, Effects out) {
        OfPool p = pools.get(pool);
        for (ByteString handle : handles) {
            table.remove(pool, handle);
            Question q = p == null ? null : p.open.get(handle);
            if (p != null && q != null) refuse(p, q, nowNs, out);
        }
    }

    /** Any of the pool's may have ended: each is asked about again when it is shown. */
    public void onAllGone(ByteString pool) {
        table.removeAll(pool);
        refused.keySet().removeIf(key -> key.pool.equals(pool));
        OfPool p = pools.get(pool);
        if (p != null) p.asked.forEach(q -> q.isDoubtful = true);
    }

    /** The pool is destroyed, or has left this rank. */
    public void onPoolGone(ByteString pool, Effects out) {
        onAllGone(pool);
        OfPool p = pools.remove(pool);
        if (p != null) closeAll(p, Fault.of(FaultCode.NONEXIST, "the pool is not on this rank"), out);
    }

    /** The engine stops. */
    public void onClose(Effects out) {
        Fault stops = Fault.of(FaultCode.BUSY, "the engine stops").with("state", "restarting");
        for (OfPool p : List.copyOf(pools.values())) closeAll(p, stops, out);
        pools.clear();
    }

    private void closeAll(OfPool p, Fault fault, Effects out) {
        for (Question q : List.copyOf(p.open.values())) close(p, q, null, fault, out);
    }
}
