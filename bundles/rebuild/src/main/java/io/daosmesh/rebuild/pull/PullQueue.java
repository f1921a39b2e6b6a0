package io.daosmesh.rebuild.pull;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a rank still has to pull in one session: bounded, without duplicates, every failure counted. Owner: rebuild loop.
 * Pure.
 */
public final class PullQueue {
    /** Objects waiting at most; a scanner that finds it full is told DER_BUSY and tries again. */
    public static final int QUEUED_MAX = 50_000;

    /** Objects pulled at the same time by a rank. */
    public static final int IN_FLIGHT_MAX = 2;

    /** Tries of one object before the session fails. */
    static final int TRIES_MAX = 5;

    /**
     * How often a holder may say "not yet" in addition: at 0.2 s a time longer than it takes to settle an update whose
     * outcome got lost (5 s), or a map to arrive.
     */
    static final int WAITS_MAX = 150;

    /** Pause before a work is tried again whose new home has no room. */
    public static final long ROOM_RETRY_NS = 5_000_000_000L;

    private final Deque<Attempt> queue = new ArrayDeque<>();
    /** Have no room at their new home; the others go on. */
    private final Deque<Attempt> blocked = new ArrayDeque<>();

    private long unblockAtNs;
    private final Map<Integer, Long> lastBatch = new HashMap<>();
    private int inFlight;
    private long received;
    private long pulled;
    private long records;
    private long bytes;
    private int status;
    private String detail = "";

    /**
     * @param tries failed tries so far: each goes to another holder
     * @param waits tries that the same holder could not serve yet
     * @param salvaged holders that have given what they can read; -1 = no holder alone is known to lack something
     */
    public record Attempt(Work work, int tries, int waits, int salvaged) {
        public Attempt(Work work) {
            this(work, 0, 0, -1);
        }

        /** No holder can read everything: records come from all of them, those that none can read as lost ones. */
        public boolean isSalvage() {
            return salvaged >= 0;
        }
    }

    /**
     * Takes a batch whole or not at all: DER_BUSY when it would not fit. Each rank numbers its batches from 1 and sends
     * the next after the answer to the last, so one number a rank is enough to recognise a batch that was sent again.
     */
    public void accept(int fromRank, long batch, List<Work> works) {
        if (batch <= lastBatch.getOrDefault(fromRank, 0L)) return;
        if (queue.size() + works.size() > QUEUED_MAX) {
            throw Fault.of(FaultCode.BUSY, "%d objects are waiting to be pulled", queue.size())
                    .asException();
        }
        lastBatch.put(fromRank, batch);
        received += works.size();
        works.forEach(w -> queue.add(new Attempt(w)));
    }

    /** The next object to pull now; empty when none is waiting or enough are under way. */
    public Optional<Attempt> next() {
        if (inFlight >= IN_FLIGHT_MAX || queue.isEmpty() || status != 0) return Optional.empty();
        inFlight++;
        return Optional.of(queue.remove());
    }

    public void onPulled(long recordCount, long byteCount) {
        inFlight--;
        pulled++;
        records += recordCount;
        bytes += byteCount;
    }

    /** One of several holders has given what it can read. */
    public void onSalvaged(Attempt attempt, long recordCount, long byteCount) {
        inFlight--;
        records += recordCount;
        bytes += byteCount;
        queue.addFirst(new Attempt(attempt.work(), 0, attempt.waits(), attempt.salvaged() + 1));
    }

    /**
     * Puts the object back, or fails the session when it has been tried often enough: never drops it silently. What no holder
     * can read, and a new home without room, fail nothing.
     */
    public void onPullFailed(Attempt attempt, Fault fault, long nowNs) {
        inFlight--;
        FaultCode code = fault.code();
        Attempt again = new Attempt(attempt.work(), attempt.tries() + 1, attempt.waits(), attempt.salvaged());
        if (code.retry() == FaultCode.Retry.LATER && attempt.waits() < WAITS_MAX) {
            queue.add(new Attempt(attempt.work(), attempt.tries(), attempt.waits() + 1, attempt.salvaged()));
        } else if (code == FaultCode.NOSPACE) {
            if (blocked.isEmpty()) unblockAtNs = nowNs + ROOM_RETRY_NS;
            blocked.add(attempt);
        } else if (again.tries() < TRIES_MAX && code != FaultCode.STALE) {
            queue.add(again);
        } else if (!attempt.isSalvage() && isUnreadable(code)) {
            queue.add(new Attempt(attempt.work(), 0, attempt.waits(), 0));
        } else {
            status = code.number();
            detail = fault.text().isEmpty() ? code.meaning() : fault.text();
        }
    }

    private static boolean isUnreadable(FaultCode code) {
        return code == FaultCode.CSUM || code == FaultCode.NVME_IO;
    }

    /** Those without room are tried again now and then: what was deleted meanwhile may have made some. True if there are any. */
    public boolean retryBlocked(long nowNs) {
        if (blocked.isEmpty() || nowNs - unblockAtNs < 0) return false;
        queue.addAll(blocked);
        blocked.clear();
        return true;
    }

    /** Objects whose new home has no room. */
    public int blocked() {
        return blocked.size();
    }

    public boolean isDone() {
        return inFlight == 0 && (queue.isEmpty() && blocked.isEmpty() || status != 0);
    }

    public long received() {
        return received;
    }

    public long pulled() {
        return pulled;
    }

    public long records() {
        return records;
    }

    public long bytes() {
        return bytes;
    }

    public int status() {
        return status;
    }

    public String detail() {
        return detail;
    }
}
