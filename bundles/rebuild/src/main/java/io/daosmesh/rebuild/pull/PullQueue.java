package io.daosmesh.rebuild.pull;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a rank still has to pull in one session: bounded, without duplicates, every failure counted. Owner: rebuild loop.
 * Pure.
 */
public final class PullQueue implements Survey.Outcome {
    /** Objects waiting at most; a scanner that finds it full is told DER_BUSY and tries again. */
    public static final int QUEUED_MAX = 50_000;

    /** Objects pulled at the same time by a rank. */
    public static final int IN_FLIGHT_MAX = 2;

    /** With so many ready to be pulled nothing more is asked about. */
    static final int PULLED_AHEAD_MAX = 4_096;

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
    /** Parts that are missing yet, of groups of which only some dkeys are pulled. */
    private final Map<Work, Integer> parts = new HashMap<>();
    /** Nobody has asked for them, and nobody counts them. */
    private final Set<Work> own = new HashSet<>();

    private final Survey survey = new Survey();
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
     * @param isFirst of the parts of its group
     */
    public record Attempt(Work work, int tries, int waits, int salvaged, boolean isFirst) {
        public Attempt(Work work, boolean isFirst) {
            this(work, 0, 0, -1, isFirst);
        }

        private Attempt after(int newTries, int newWaits, int newSalvaged) {
            return new Attempt(work, newTries, newWaits, newSalvaged, isFirst);
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
        int waiting = queue.size() + survey.size();
        if (waiting + works.size() > QUEUED_MAX) {
            throw Fault.of(FaultCode.BUSY, "%d objects are waiting to be pulled", waiting)
                    .asException();
        }
        lastBatch.put(fromRank, batch);
        received += works.size();
        survey.add(works, false);
    }

    /** Groups that this rank holds something of and has to pull, if there is anything of them elsewhere. */
    public void addOwn(List<Work> works) {
        survey.add(works, true);
    }

    /** Whether more of {@link #addOwn} is welcome. */
    public boolean hasRoom() {
        return queue.size() + survey.size() <= QUEUED_MAX / 2;
    }

    /** What has to be asked before works are pulled; answered by {@link #onSurveyed} or {@link #onSurveyFailed}. */
    public Optional<List<Survey.Arrival>> nextSurvey(long nowNs) {
        return status == 0 && queue.size() < PULLED_AHEAD_MAX ? survey.next(nowNs) : Optional.empty();
    }

    public void onSurveyed(List<Change> changes) {
        survey.onAnswer(changes, this);
    }

    public void onSurveyFailed(long nowNs, long pauseNs) {
        survey.onFailed(nowNs, pauseNs, this);
    }

    @Override
    public void skip(Survey.Arrival arrival) {
        if (!arrival.isOwn()) pulled++;
    }

    @Override
    public void pull(Survey.Arrival arrival, List<Work> pieces) {
        if (arrival.isOwn()) own.add(arrival.work());
        else if (!pieces.get(0).dkeys().isEmpty()) parts.put(arrival.work(), pieces.size());
        for (Work w : pieces) queue.add(new Attempt(w, w.equals(pieces.get(0))));
    }

    /** The next object to pull now; empty when none is waiting or enough are under way. */
    public Optional<Attempt> next() {
        if (inFlight >= IN_FLIGHT_MAX || queue.isEmpty() || status != 0) return Optional.empty();
        inFlight++;
        return Optional.of(queue.remove());
    }

    public void onPulled(Attempt attempt, long recordCount, long byteCount) {
        inFlight--;
        records += recordCount;
        bytes += byteCount;
        Work whole = attempt.work().of(List.of());
        if (own.remove(whole) || parts.computeIfPresent(whole, (w, n) -> n == 1 ? null : n - 1) != null) return;
        pulled++;
    }

    /** One of several holders has given what it can read. */
    public void onSalvaged(Attempt attempt, long recordCount, long byteCount) {
        inFlight--;
        records += recordCount;
        bytes += byteCount;
        queue.addFirst(attempt.after(0, attempt.waits(), attempt.salvaged() + 1));
    }

    /**
     * Puts the object back, or fails the session when it has been tried often enough: never drops it silently. What no holder
     * can read, and a new home without room, fail nothing.
     */
    public void onPullFailed(Attempt attempt, Fault fault, long nowNs) {
        inFlight--;
        FaultCode code = fault.code();
        Attempt again = attempt.after(attempt.tries() + 1, attempt.waits(), attempt.salvaged());
        if (code.retry() == FaultCode.Retry.LATER && attempt.waits() < WAITS_MAX) {
            queue.add(attempt.after(attempt.tries(), attempt.waits() + 1, attempt.salvaged()));
        } else if (code == FaultCode.NOSPACE) {
            if (blocked.isEmpty()) unblockAtNs = nowNs + ROOM_RETRY_NS;
            blocked.add(attempt);
        } else if (again.tries() < TRIES_MAX && code != FaultCode.STALE) {
            queue.add(again);
        } else if (!attempt.isSalvage() && isUnreadable(code)) {
            queue.add(attempt.after(0, attempt.waits(), 0));
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
        boolean isEmpty = queue.isEmpty() && blocked.isEmpty() && survey.size() == 0;
        return inFlight == 0 && (isEmpty || status != 0);
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
