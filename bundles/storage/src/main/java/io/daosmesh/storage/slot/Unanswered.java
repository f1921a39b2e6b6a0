package io.daosmesh.storage.slot;

import io.daosmesh.storage.health.SeenTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The requests that a device has been given and has not answered, each until its deadline: then all of them are given up,
 * because a device that leaves one alone for so long cannot be relied on for the others. Any thread; looks: owner loop.
 */
final class Unanswered {
    /** Seen at the next look, a quarter of a second later at most. */
    private static final long SLOW_NS = 200_000_000L;

    private final long answerNsMax;
    private final SeenTime time = new SeenTime();
    private final Set<BlobOp> waiting = ConcurrentHashMap.newKeySet();
    private final AtomicLong issued = new AtomicLong();
    private final AtomicInteger givenUpCount = new AtomicInteger();

    Unanswered(long answerNsMax) {
        this.answerNsMax = answerNsMax;
    }

    /** Before the device is given it: the answer may come at once. */
    void add(BlobOp op) {
        op.issuedNs = time.ns();
        op.issuedOrder = issued.incrementAndGet();
        waiting.add(op);
    }

    /** The device has answered; false when the request was given up before, and whoever asked has been told. */
    boolean remove(BlobOp op) {
        if (waiting.remove(op)) return true;
        givenUpCount.decrementAndGet();
        return false;
    }

    /** True while the device still owes the answer to a request that was given up: it may use its buffer yet. */
    boolean isSilent() {
        return givenUpCount.get() > 0;
    }

    /** True while a request is without an answer for longer than usual. */
    boolean isSlow() {
        if (isSilent()) return true;
        long latestNs = time.ns() - SLOW_NS;
        return waiting.stream().anyMatch(op -> op.issuedNs < latestNs);
    }

    /** Those that are given up now, the oldest first; none while all are within their time. */
    List<BlobOp> onLook(long nowNs) {
        time.onLook(nowNs);
        long latestNs = time.ns() - answerNsMax;
        if (waiting.stream().noneMatch(op -> op.issuedNs < latestNs)) return List.of();
        List<BlobOp> all = new ArrayList<>(waiting);
        all.sort(Comparator.comparingLong(op -> op.issuedOrder));
        all.removeIf(op -> !giveUp(op));
        return all;
    }

    private boolean giveUp(BlobOp op) {
        if (!waiting.remove(op)) return false;
        givenUpCount.incrementAndGet();
        return true;
    }
}
