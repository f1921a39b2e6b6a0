package io.daosmesh.client.hedge;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Latencies of the present and of the last window, in classes a quarter of an octave wide: what a percentile says is too
 * long by 25 % at most. Any thread: counters.
 */
final class Latencies {
    /** Fewer say nothing about one in a hundred. */
    static final int SAMPLES_MIN = 64;

    private static final int CLASSES_OF_OCTAVE = 4;
    /** Up to 2^32 us, longer than any call. */
    private static final int CLASSES = 32 * CLASSES_OF_OCTAVE;

    private final AtomicLongArray[] windows = {new AtomicLongArray(CLASSES), new AtomicLongArray(CLASSES)};
    private volatile int present;

    void record(long nanos) {
        windows[present].incrementAndGet(classOf(nanos / 1000));
    }

    private static int classOf(long micros) {
        long us = Math.max(CLASSES_OF_OCTAVE, micros);
        int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(us);
        int part = (int) (us >>> octave - 2) & CLASSES_OF_OCTAVE - 1;
        return Math.min(CLASSES - 1, octave * CLASSES_OF_OCTAVE + part);
    }

    /** Upper end of the class. */
    private static long nanosOf(int index) {
        long octave = 1000L << index / CLASSES_OF_OCTAVE;
        return octave + octave / CLASSES_OF_OCTAVE * (index % CLASSES_OF_OCTAVE + 1);
    }

    /** The present window becomes the last one, unless too little has happened. One thread at a time. */
    void turn() {
        if (count(windows[present]) < SAMPLES_MIN) return;
        int next = 1 - present;
        for (int i = 0; i < CLASSES; i++) windows[next].set(i, 0);
        present = next;
    }

    private static long count(AtomicLongArray window) {
        long count = 0;
        for (int i = 0; i < CLASSES; i++) count += window.get(i);
        return count;
    }

    /** What one in a hundred exceeds, in nanoseconds; 0 = too little has happened to say. */
    long p99Ns() {
        long count = count(windows[0]) + count(windows[1]);
        if (count < SAMPLES_MIN) return 0;
        long above = count / 100;
        for (int i = CLASSES - 1; i > 0; i--) {
            above -= windows[0].get(i) + windows[1].get(i);
            if (above < 0) return nanosOf(i);
        }
        return nanosOf(0);
    }
}
