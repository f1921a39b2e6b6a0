package io.daosmesh.engine.migrate;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;

/**
 * How fast a rank moves data for rebuilds: as it likes while no client asks, else as fast as its clients do not notice. It compares
 * how long requests take with how long such requests took while nothing was moved, and lowers or raises its rate as TCP does
 * (RFC 5681: additive increase, multiplicative decrease). Never slower than {@link #FLOOR}, so that a rebuild ends. Pure; one
 * caller at a time.
 */
public final class YieldPace {
    /** Bytes a second, in and out each. */
    public static final long FLOOR = 8_000_000;
    /** Bytes a second: from here on nothing waits. */
    public static final long FULL = 1_000_000_000;

    public static final long LOOK_NS = 100_000_000;
    /** Longest pause: far below what a puller waits for a batch (10 s). */
    static final long PAUSE_MAX_NS = 2_000_000_000L;
    /** Then what requests take is not a matter of rebuild any more. */
    static final long QUIET_NS = 500_000_000;
    /** Without requests for so long nobody asks. */
    static final long IDLE_NS = 300_000_000;
    /** Requests under way and none ended in this time: they wait. */
    static final long STALL_NS = 200_000_000;
    /** Fewer say nothing about a mean, unless so much time has passed. */
    static final int REQUESTS_MIN = 20;

    static final long JUDGED_NS_MAX = 1_000_000_000;
    /** What the mean of requests may be of the quiet one. */
    static final double SLOWER_MAX = 1.4;

    static final double SLOWER_FINE = 1.2;
    private static final double LESS = 0.7;
    private static final double MORE = 1.05;
    private static final long MORE_BYTES = 500_000;
    /** Of one piece that a source gives out: what the rate allows in 10 ms. */
    private static final int PIECES_A_SECOND = 100;

    private static final int PIECE_BYTES_MIN = 64 << 10;
    /** So many requests of a kind are remembered for what is quiet. */
    private static final double REMEMBERED = 2_000;
    /** While something is moved, what is quiet follows so much slower. */
    private static final double DOUBT = 4;

    private long[] counts = new long[0];
    private long[] sumNs = new long[0];
    private double[] quietNs = new double[0];
    private double[] quietCount = new double[0];

    private long rate = FULL;
    private boolean isBegun;
    private long lookedNs;
    private long movedNs;
    private boolean hasMoved;
    private long askedNs;
    private long endedNs;
    private final Map<Way, Line> lines = new EnumMap<>(Way.class);
    private long pausedNs;

    private long judgedSinceNs;
    private long judged;
    private double tookNs;
    private double expectedNs;

    /** Data that comes, and data that goes. */
    public enum Way {
        IN,
        OUT
    }

    /** What has moved one way. */
    private static final class Line {
        private long dueNs;
        private long judgedBytes;
    }

    public YieldPace() {
        for (Way way : Way.values()) lines.put(way, new Line());
    }

    private Line line(Way way) {
        return Objects.requireNonNull(lines.get(way));
    }

    /** True when {@link #onLook} would do something. */
    public boolean isDue(long nowNs) {
        return !isBegun || nowNs - lookedNs >= LOOK_NS;
    }

    /**
     * Looks at what clients wait for.
     *
     * @param nowCounts requests that have ended until now, by kind: what takes equally long is one kind. Always as many
     * @param nowSumNs what they took together
     * @param active requests under way
     */
    public void onLook(long[] nowCounts, long[] nowSumNs, int active, long nowNs) {
        if (!isBegun) begin(nowCounts, nowSumNs, nowNs);
        lookedNs = nowNs;
        boolean isQuiet = !hasMoved || nowNs - movedNs >= QUIET_NS;
        long ended = 0;
        for (int i = 0; i < nowCounts.length; i++) {
            long n = nowCounts[i] - counts[i];
            if (n <= 0) continue;
            double took = nowSumNs[i] - sumNs[i];
            ended += n;
            learn(i, n, took / n, isQuiet);
            judged += n;
            tookNs += took;
            expectedNs += n * quietNs[i];
        }
        counts = nowCounts.clone();
        sumNs = nowSumNs.clone();
        if (ended > 0 || active > 0) askedNs = nowNs;
        if (ended > 0 || active == 0) endedNs = nowNs;
        if (isQuiet) rest(nowNs);
        else move(nowNs);
    }

    private void begin(long[] nowCounts, long[] nowSumNs, long nowNs) {
        isBegun = true;
        counts = nowCounts.clone();
        sumNs = nowSumNs.clone();
        quietNs = new double[counts.length];
        quietCount = new double[counts.length];
        askedNs = nowNs - IDLE_NS;
        endedNs = nowNs;
        judgedSinceNs = nowNs;
    }

    /** At the floor, and only there, a rebuild may be taken for quiet: else who changed what he asks would slow it down for good. */
    private void learn(int kind, long n, double meanNs, boolean isQuiet) {
        boolean mayLearn = isQuiet || quietCount[kind] == 0 || rate == FLOOR || meanNs < quietNs[kind];
        if (!mayLearn) return;
        double known = Math.min(quietCount[kind], REMEMBERED);
        double weight = isQuiet || known == 0 ? n : n / DOUBT;
        quietNs[kind] += (meanNs - quietNs[kind]) * weight / (known + weight);
        quietCount[kind] = Math.min(known + weight, REMEMBERED);
    }

    private boolean isAsked(long nowNs) {
        return nowNs - askedNs < IDLE_NS;
    }

    /** Nothing is moved: what comes next begins carefully where there are clients. */
    private void rest(long nowNs) {
        rate = isAsked(nowNs) ? FLOOR : FULL;
        judgeAnew(nowNs);
    }

    private void move(long nowNs) {
        if (!isAsked(nowNs)) {
            setRate(rate * 2, nowNs);
            judgeAnew(nowNs);
        } else if (nowNs - endedNs >= STALL_NS) {
            setRate((long) (rate * LESS), nowNs);
            judgeAnew(nowNs);
        } else if (judged >= REQUESTS_MIN || judged > 0 && nowNs - judgedSinceNs >= JUDGED_NS_MAX) {
            double slower = tookNs / expectedNs;
            if (slower > SLOWER_MAX) setRate((long) (rate * LESS), nowNs);
            else if (slower < SLOWER_FINE && isUsed(nowNs)) setRate((long) (rate * MORE) + MORE_BYTES, nowNs);
            judgeAnew(nowNs);
        }
    }

    /** A rate that nothing has come near says nothing about what clients would notice (RFC 7661). */
    private boolean isUsed(long nowNs) {
        long most = Math.max(line(Way.IN).judgedBytes, line(Way.OUT).judgedBytes);
        return 2e9 * most >= (double) rate * (nowNs - judgedSinceNs);
    }

    private void setRate(long wanted, long nowNs) {
        rate = Math.max(FLOOR, Math.min(FULL, wanted));
        if (rate == FULL) for (Line l : lines.values()) l.dueNs = nowNs;
    }

    private void judgeAnew(long nowNs) {
        judgedSinceNs = nowNs;
        judged = 0;
        for (Line l : lines.values()) l.judgedBytes = 0;
        tookNs = 0;
        expectedNs = 0;
    }

    /** What whoever moves the next bytes has to wait for now. */
    public long pauseNs(Way way, long nowNs) {
        if (rate == FULL) return 0;
        long pause = Math.max(0, Math.min(PAUSE_MAX_NS, line(way).dueNs - nowNs));
        pausedNs += pause;
        return pause;
    }

    /** Bytes are moved, now or after the pause that was told just before. */
    public void spend(Way way, long bytes, long nowNs) {
        hasMoved = true;
        movedNs = nowNs;
        Line line = line(way);
        line.judgedBytes += bytes;
        long from = rate == FULL || line.dueNs - nowNs < 0 ? nowNs : line.dueNs;
        line.dueNs = Math.min(nowNs + PAUSE_MAX_NS, from + (long) (1e9 * bytes / rate));
    }

    /** Bytes that a source shall give out at once. */
    public int pieceBytes(int most) {
        return (int) Math.max(PIECE_BYTES_MIN, Math.min(most, rate / PIECES_A_SECOND));
    }

    /** {@link #FULL} = no limit. */
    public long bytesPerSecond() {
        return rate;
    }

    /** All pauses together. */
    public long pausedNs() {
        return pausedNs;
    }
}
