package io.daosmesh.model.leader;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Whom to ask next for what only the leader of a replicated service answers: the one believed to lead, then one candidate after the
 * other, hints first. Only for requests that are safe to resend. The driver asks {@link #next}, does that, tells of every refusal, and
 * keeps what it learns of the leader for the next call. Pure. Owner: one call.
 */
public final class LeaderSearch {
    /** A leader that has too much to do is asked again after a pause, so many times before the others. */
    private static final int BUSY_TRIES_MAX = 3;

    private static final int LEARNED_MAX = 64;

    /**
     * How hard a caller tries.
     *
     * @param roundsMax over all candidates
     * @param hintsMax followed in a row without a pause: they may lead in a circle while a leader is being elected
     * @param isPatient pauses after every refusal, and not after every round only: for callers that are many
     * @param isOffEnough a round in which nobody can be reached is the last
     */
    public record Manner(
            int roundsMax, int hintsMax, boolean isPatient, boolean isOffEnough, long pauseMinMs, long pauseMaxMs) {}

    /** What to do next. */
    public sealed interface Step {
        /** Send the request there; a refusal goes to {@link #onFault}. */
        record Ask(String address) implements Step {}

        record Pause(long ms) implements Step {}

        /** Everybody known has been asked: {@link #begin} another round. */
        record Round() implements Step {}

        record GiveUp(Fault why) implements Step {}
    }

    private final Manner manner;
    private final Deque<String> queue = new ArrayDeque<>();
    /** Named by refusals. */
    private final Set<String> learned = new LinkedHashSet<>();

    private String asked = "";
    /** Has let a deadline pass; empty = nobody has. */
    private String silent = "";

    private String leader;
    private Fault last;
    private boolean isOver;
    private boolean isAnybodyThere;
    private int rounds;
    private int hintsInARow;
    private int busyInARow;
    private int pauses;
    private long pauseMs;

    /**
     * @param leader who is believed to lead; empty = not known
     * @param silence what to say when the time is over before anybody has refused
     */
    public LeaderSearch(Manner manner, String leader, Fault silence) {
        this.manner = manner;
        this.leader = leader;
        this.last = silence;
        if (!leader.isEmpty()) queue.add(leader);
    }

    /** Whoever the last refusal has named, or a busy one that leads; empty = not known. */
    public String leader() {
        return leader;
    }

    /** The last one: it leads if it answers. */
    public String asked() {
        return asked;
    }

    public int rounds() {
        return rounds;
    }

    /** Begins a round over these and whoever refusals have named; one that was silent comes last. */
    public void begin(List<String> candidates) {
        rounds++;
        isAnybodyThere = false;
        hintsInARow = 0;
        Stream.concat(candidates.stream(), learned.stream()).distinct().forEach(queue::add);
        if (queue.remove(silent)) queue.add(silent);
        if (queue.isEmpty()) onNobody(Fault.of(FaultCode.NO_SERVICE));
    }

    /** It cannot be found out now whom to ask. */
    public void onNobody(Fault fault) {
        asked = "";
        onFault(fault);
    }

    /**
     * Says the same until it is done, but for a pause.
     *
     * @param leftNs until the caller's deadline
     */
    public Step next(long leftNs) {
        if (isOver || leftNs <= 0) return new Step.GiveUp(last);
        if (pauseMs > 0) {
            long ms = pauseMs;
            pauseMs = 0;
            isOver = ms * 1_000_000 >= leftNs;
            return isOver ? new Step.GiveUp(last) : new Step.Pause(ms);
        }
        String to = queue.peek();
        if (to == null) return new Step.Round();
        asked = to;
        return new Step.Ask(to);
    }

    /** Whether the same request may be answered by another replica, or by the same one later. */
    public static boolean mayTryAgain(Fault fault) {
        return switch (fault.code().retry()) {
            case LATER, AT_HINT -> true;
            // what is stale is the request itself
            case AFTER_MAP_REFRESH -> fault.code() != FaultCode.STALE;
            case NEVER, OTHER_REPLICA -> false;
        };
    }

    public void onFault(Fault fault) {
        queue.remove(asked);
        boolean isOff = fault.code() == FaultCode.UNREACH;
        isAnybodyThere |= !isOff;
        // a dead host says less than what a living one refused with
        if (!isAnybodyThere || !isOff) last = fault;
        if (fault.code() == FaultCode.TIMEDOUT) silent = asked;
        isOver = !mayTryAgain(fault);
        if (isOver) return;
        if (isBusyLeader(fault)) {
            busyInARow++;
            queue.addFirst(asked);
            pause();
            return;
        }
        busyInARow = 0;
        leader = "";
        String hint = fault.code().retry() == FaultCode.Retry.AT_HINT ? hint(fault) : "";
        if (hint.isEmpty()) hintsInARow = 0;
        else hintsInARow++;
        if (hint.isEmpty() || hintsInARow > manner.hintsMax && !manner.isPatient) onDeadEnd();
        else follow(hint);
    }

    private boolean isBusyLeader(Fault fault) {
        boolean isBusy = fault.code() == FaultCode.BUSY || fault.code() == FaultCode.AGAIN;
        return isBusy
                && manner.roundsMax > 1
                && asked.equals(leader)
                && !asked.isEmpty()
                && busyInARow < BUSY_TRIES_MAX;
    }

    /** The address a refusal points at; empty when it names none. */
    private String hint(Fault fault) {
        fault.argument("replicas")
                .ifPresent(list ->
                        Stream.of(list.replaceAll("[\\[\\] ]", "").split(",")).forEach(this::learn));
        String hint = fault.argument("leader")
                .filter(h -> h.contains(":") && !h.equals(asked))
                .orElse("");
        if (hint.isEmpty() || !hint.equals(silent)) return hint;
        // others may take it for the leader still: it is asked again in the next round, not for each of them
        learn(hint);
        return "";
    }

    private void learn(String address) {
        if (address.contains(":") && learned.size() < LEARNED_MAX) learned.add(address);
    }

    private void follow(String hint) {
        learn(hint);
        leader = hint;
        queue.remove(hint);
        queue.addFirst(hint);
        if (hintsInARow > manner.hintsMax) pause();
    }

    private void onDeadEnd() {
        boolean isEndOfRound = queue.isEmpty() && rounds > 0;
        if (isEndOfRound) isOver = rounds >= manner.roundsMax || manner.isOffEnough && !isAnybodyThere;
        if (isEndOfRound || manner.isPatient) pause();
    }

    private void pause() {
        pauseMs = Math.min(manner.pauseMaxMs, manner.pauseMinMs << Math.min(pauses++, 16));
    }
}
