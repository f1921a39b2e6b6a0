package io.daosmesh.engine.scrub;

import io.daosmesh.engine.scrub.ScrubReport.Work;

/** What the scrubber of a shard has done, pass by pass. Owner: target loop. */
final class ScrubTally {
    private static final long NS_A_MS = 1_000_000;

    private boolean isInPass;
    private long startedNs;
    private long endedNs;
    private long passes;
    private long lastPassNs;
    private Work current = Work.NONE;
    private Work last = Work.NONE;
    private Work total = Work.NONE;
    private long busyNs;
    /** Since it was switched on, or since the target came back. */
    private long counted;

    boolean isInPass() {
        return isInPass;
    }

    long startedNs() {
        return startedNs;
    }

    void begin(long nowNs) {
        isInPass = true;
        startedNs = nowNs;
        current = Work.NONE;
    }

    void end(long nowNs) {
        isInPass = false;
        endedNs = nowNs;
        lastPassNs = nowNs - startedNs;
        last = current;
        passes++;
    }

    /** A pass that does not come to its end does not count. */
    void stop() {
        isInPass = false;
        counted = 0;
    }

    void forgetCorruptions() {
        counted = 0;
    }

    void verified(long checksums, long bytes) {
        current = current.plus(checksums, bytes);
        total = total.plus(checksums, bytes);
    }

    void corrupted() {
        current = current.plusCorruption();
        total = total.plusCorruption();
        counted++;
    }

    void worked(long ns) {
        busyNs += ns;
    }

    /**
     * @param nowNs, nowMs the same moment by the clock of the target and as Unix time
     * @param at where the pass goes on
     */
    ScrubState save(long nowNs, long nowMs, long passedBytes, byte[] at) {
        return new ScrubState(
                isInPass,
                nowMs - (nowNs - startedNs) / NS_A_MS,
                nowMs - (nowNs - endedNs) / NS_A_MS,
                passes,
                lastPassNs,
                current,
                last,
                total,
                busyNs,
                counted,
                passedBytes,
                at);
    }

    /** A clock that was set back since counts as no time gone by. */
    void load(ScrubState s, long nowNs, long nowMs) {
        isInPass = s.isInPass();
        startedNs = nowNs - Math.max(0, nowMs - s.startedMs()) * NS_A_MS;
        endedNs = nowNs - Math.max(0, nowMs - s.endedMs()) * NS_A_MS;
        passes = s.passes();
        lastPassNs = s.lastPassNs();
        current = s.current();
        last = s.last();
        total = s.total();
        busyNs = s.busyNs();
        counted = s.counted();
    }

    /** When the next pass may begin; the first one at once. */
    long nextNs(ScrubPolicy policy, long nowNs) {
        if (passes == 0) return nowNs;
        long earliestNs = endedNs + ScrubPace.IDLE_NS;
        long dueNs = startedNs + policy.periodNs();
        return dueNs - earliestNs > 0 ? dueNs : earliestNs;
    }

    ScrubReport report(ScrubPolicy policy, long nowNs) {
        boolean isWaiting = !isInPass && policy.mode() != ScrubPolicy.Mode.OFF;
        boolean isOverMax = policy.corruptionMax() > 0 && counted >= policy.corruptionMax();
        return new ScrubReport(
                isInPass,
                startedNs,
                isWaiting ? nextNs(policy, nowNs) : 0,
                passes,
                lastPassNs,
                current,
                last,
                total,
                busyNs,
                counted,
                isOverMax);
    }
}
