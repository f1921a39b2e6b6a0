package io.daosmesh.storage.bio;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Tells when every read that began before a moment has ended. Reads are counted by generation; a generation is closed when
 * something waits for it. Owner: target loop, but reads end on any thread. Pure.
 */
final class ReadGenerations {
    /** Open at most; when the oldest has a read that hangs, the last one simply stays open. */
    private static final int MAX = 64;

    private final AtomicIntegerArray underWay = new AtomicIntegerArray(MAX);
    private final long first;
    private long present;
    private long oldest;

    /** @param first number of its first generation; reads of older ones are another owner's */
    ReadGenerations(long first) {
        this.first = first;
        this.present = first;
        this.oldest = first;
    }

    /** Without the reads under way: those of an owner that has ended may never be told of. */
    ReadGenerations next() {
        return new ReadGenerations(present + 1);
    }

    /** Of a read that begins now. */
    long begin() {
        underWay.incrementAndGet((int) (present % MAX));
        return present;
    }

    /** Any thread. */
    void end(long generation) {
        if (generation >= first) underWay.decrementAndGet((int) (generation % MAX));
    }

    /** Reads under way have this generation or an older one. */
    long present() {
        return present;
    }

    /** Reads from now on have a newer generation. */
    void close() {
        while (oldest < present && underWay.get((int) (oldest % MAX)) == 0) oldest++;
        if (present - oldest < MAX - 1) present++;
        while (oldest < present && underWay.get((int) (oldest % MAX)) == 0) oldest++;
    }

    /** All reads of this generation and older ones have ended. */
    boolean isOver(long generation) {
        return generation < oldest;
    }
}
