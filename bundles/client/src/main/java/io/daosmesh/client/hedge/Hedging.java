package io.daosmesh.client.hedge;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * When a read that is not answered may be asked of another replica, and which ranks are not asked first for a while. Pure:
 * time comes in. Any thread, since answers come on any: counters, and one entry a rank that is slow.
 *
 * <p>The delay is three times what one in a hundred reads of the kind has taken lately; so hardly one in a thousand is asked
 * twice while all is well. When much is slow, one request in twenty at most is: more would only make it slower. A rank that
 * was overtaken three times without much else is left alone, but for a probe now and then, so that its reads cost one request
 * each, and no delay.
 */
public final class Hedging {
    /** What reads are compared with. */
    public enum Kind {
        /** Of 64 KiB at most, or of a value whose length is not known. */
        SHORT,
        LONG
    }

    static final long DELAY_MIN_NS = 5_000_000L;
    static final long DELAY_MAX_NS = 500_000_000L;
    static final int DELAY_FACTOR = 3;

    /** One hedge for so many requests. */
    static final int REQUESTS_OF_HEDGE = 20;
    /** Hedges saved up at most: all of a busy client at once when a node falls silent. */
    static final int SAVED_MAX = 16;

    static final long WINDOW_NS = 5_000_000_000L;

    /** What an overtaken read counts, against one for each that is answered before. */
    private static final int OVERTAKEN_WEIGHT = 4;

    private static final int AVOIDED_FROM = 3 * OVERTAKEN_WEIGHT;
    /** So that a rank that is well again is soon trusted. */
    private static final int SLOWNESS_MAX = AVOIDED_FROM + OVERTAKEN_WEIGHT - 1;

    private static final long PROBE_FIRST_NS = 100_000_000L;
    private static final long PROBE_MAX_NS = 1_000_000_000L;

    /**
     * How a rank does.
     *
     * @param probeNs when it is asked again
     * @param pauseNs from that probe to the next; 0 = it is asked as any other
     */
    private record Slowness(int weight, long probeNs, long pauseNs) {
        boolean isAvoided(long nowNs) {
            return weight >= AVOIDED_FROM && nowNs - probeNs < 0;
        }
    }

    private final Latencies ofShort = new Latencies();
    private final Latencies ofLong = new Latencies();
    private final AtomicLong saved = new AtomicLong((long) SAVED_MAX * REQUESTS_OF_HEDGE);
    private final Map<Integer, Slowness> slow = new ConcurrentHashMap<>();
    private volatile long shortDelayNs = DELAY_MAX_NS;
    private volatile long longDelayNs = DELAY_MAX_NS;
    private long turnNs;

    /** @param nowNs of the same clock as all later ones */
    public Hedging(long nowNs) {
        this.turnNs = nowNs + WINDOW_NS;
    }

    /** How long a read waits before another replica is asked: 5 ms to 500 ms. */
    public long delayNs(Kind kind) {
        return kind == Kind.SHORT ? shortDelayNs : longDelayNs;
    }

    /** A read was sent. */
    public void onSent() {
        saved.updateAndGet(have -> Math.min((long) SAVED_MAX * REQUESTS_OF_HEDGE, have + 1));
    }

    /** True if one more request may be sent for a read; it counts as sent then. */
    public boolean mayHedge() {
        return saved.getAndUpdate(have -> have < REQUESTS_OF_HEDGE ? have : have - REQUESTS_OF_HEDGE)
                >= REQUESTS_OF_HEDGE;
    }

    /** The leader of a group has answered a read. */
    public void onAnswered(Kind kind, long tookNs) {
        (kind == Kind.SHORT ? ofShort : ofLong).record(tookNs);
    }

    /** A rank has answered before it was overtaken. */
    public void onInTime(int rank, long nowNs) {
        if (slow.isEmpty()) return;
        slow.computeIfPresent(rank, (r, s) -> s.weight <= 1 ? null : new Slowness(s.weight - 1, nowNs, 0));
    }

    /** Another replica has answered what the rank was asked before, or the rank could not be reached. */
    public void onOvertaken(int rank, long nowNs) {
        slow.compute(rank, (r, s) -> overtaken(s, nowNs));
    }

    private static Slowness overtaken(@Nullable Slowness before, long nowNs) {
        if (before == null) return new Slowness(OVERTAKEN_WEIGHT, nowNs, 0);
        int weight = Math.min(SLOWNESS_MAX, before.weight + OVERTAKEN_WEIGHT);
        if (weight < AVOIDED_FROM) return new Slowness(weight, nowNs, 0);
        long pauseNs = Math.max(PROBE_FIRST_NS, before.pauseNs);
        // those that were on their way together do not put off the next probe
        return new Slowness(weight, before.isAvoided(nowNs) ? before.probeNs : nowNs + pauseNs, pauseNs);
    }

    /** True if reads go elsewhere first. */
    public boolean isAvoided(int rank, long nowNs) {
        if (slow.isEmpty()) return false;
        Slowness s = slow.get(rank);
        return s != null && s.isAvoided(nowNs);
    }

    /** True if a read may be sent to the rank; of those of an avoided one a single one, now and then. */
    public boolean mayAsk(int rank, long nowNs) {
        if (slow.isEmpty()) return true;
        Slowness s = slow.get(rank);
        if (s == null || s.weight < AVOIDED_FROM || s.pauseNs == 0) return true;
        long nextPauseNs = Math.min(PROBE_MAX_NS, 2 * s.pauseNs);
        return !s.isAvoided(nowNs) && slow.replace(rank, s, new Slowness(s.weight, nowNs + s.pauseNs, nextPauseNs));
    }

    /**
     * Those that hold all of a group, the leader first.
     *
     * @param rankOf of the first, the second ...
     * @param salt spreads the reads of a leader over the others
     */
    public record Holders(int count, IntUnaryOperator rankOf, int salt) {
        int rank(int index) {
            return rankOf.applyAsInt(index);
        }

        /** Of the others the k-th to be asked. */
        int other(int k) {
            return 1 + Math.floorMod(salt + k, count - 1);
        }
    }

    /**
     * @param first who is asked, as a number among the holders: 0 = the leader
     * @param second who is asked when that takes too long; -1 = nobody
     */
    public record Choice(int first, int second) {}

    /** @param isFirstTry else the leader, whatever it is known for: others have refused */
    public Choice choose(Holders h, boolean isFirstTry, long nowNs) {
        if (h.count == 1) return new Choice(0, -1);
        int best = bestOther(h, 0, nowNs);
        int other = best < 0 ? h.other(0) : h.other(best);
        if (best < 0 || !isFirstTry || mayAsk(h.rank(0), nowNs)) return new Choice(0, other);
        int next = bestOther(h, best + 1, nowNs);
        return new Choice(other, next < 0 ? 0 : h.other(next));
    }

    /** The first of the others from the k-th on that is not avoided; -1 = all are. */
    private int bestOther(Holders h, int from, long nowNs) {
        for (int k = from; k < h.count - 1; k++) if (!isAvoided(h.rank(h.other(k)), nowNs)) return k;
        return -1;
    }

    /** Call it now and then while requests are under way; one thread at a time. */
    public void onTick(long nowNs) {
        shortDelayNs = delayNs(ofShort);
        longDelayNs = delayNs(ofLong);
        if (nowNs - turnNs < 0) return;
        turnNs = nowNs + WINDOW_NS;
        ofShort.turn();
        ofLong.turn();
    }

    private static long delayNs(Latencies of) {
        long p99Ns = of.p99Ns();
        return p99Ns == 0 ? DELAY_MAX_NS : Math.max(DELAY_MIN_NS, Math.min(DELAY_MAX_NS, DELAY_FACTOR * p99Ns));
    }
}
