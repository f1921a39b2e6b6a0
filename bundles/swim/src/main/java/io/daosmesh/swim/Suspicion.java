package io.daosmesh.swim;

import java.util.ArrayList;
import java.util.List;

/**
 * One running suspicion (Lifeguard, section 4.2): it starts at its longest and shrinks with every member that missed
 * the suspect's answers by itself: {@code max - (max - min) * log(C + 1) / log(K + 1)}. Owner: membership loop.
 */
final class Suspicion {
    private static final int LAST_CALLS = 2;

    private final long minNs;
    private final long maxNs;
    private final int confirmationsMax;
    private final List<Integer> accusers = new ArrayList<>(SwimUpdate.ACCUSERS_MAX);
    private long startNs;
    private int lastCalls;
    private long lastCallNs = Member.NEVER_NS;

    Suspicion(long startNs, long minNs, long maxNs, int confirmationsMax) {
        this.startNs = startNs;
        this.minNs = minNs;
        this.maxNs = maxNs;
        this.confirmationsMax = confirmationsMax;
    }

    /** True when this accuser is new and still counts. */
    boolean confirm(int accuser) {
        if (accusers.size() > confirmationsMax && !accusers.isEmpty() || accusers.contains(accuser)) {
            return false;
        }
        return accusers.add(accuser);
    }

    boolean isAccusedBy(int rank) {
        return accusers.contains(rank);
    }

    List<Integer> accusers() {
        return accusers;
    }

    long deadlineNs() {
        // the first accuser is the suspicion itself; with nobody left to confirm (K = 0) waiting longer gains nothing
        if (confirmationsMax == 0) {
            return startNs + minNs;
        }
        int confirmations = Math.max(0, Math.min(confirmationsMax, accusers.size() - 1));
        double share = Math.log(confirmations + 1.0) / Math.log(confirmationsMax + 1.0);
        return startNs + Math.max(minNs, maxNs - (long) ((maxNs - minNs) * share));
    }

    /** True twice, {@code answerNs} and twice that before the end: time to ask the suspect itself. */
    boolean mayCall(long nowNs, long answerNs) {
        int callsLeft = LAST_CALLS - lastCalls;
        if (callsLeft == 0 || nowNs < deadlineNs() - answerNs * callsLeft) {
            return false;
        }
        lastCalls++;
        lastCallNs = nowNs;
        return true;
    }

    /** Over, and the suspect had {@code answerNs} to answer the last call even if the end came early. */
    boolean isOver(long nowNs, long answerNs) {
        return nowNs >= deadlineNs() && lastCalls > 0 && nowNs - lastCallNs >= answerNs;
    }

    /** The own loop stood still for that long, so the suspect could not be heard either. */
    void shift(long ns) {
        startNs += ns;
        if (lastCalls > 0) {
            lastCallNs += ns;
        }
    }
}
