package io.daosmesh.client;

import java.util.List;
import java.util.TreeSet;

/** The largest of many chunk numbers, of which only a few are kept. Owner: the listing that fills it. */
final class LastChunks {
    /** A chunk that is listed has bytes, unless it was punched meanwhile: usually the first one is the last. */
    static final int KEPT_MAX = 64;

    private final TreeSet<Long> kept = new TreeSet<>();
    private boolean isCut;

    LastChunks with(long chunk) {
        kept.add(chunk);
        if (kept.size() > KEPT_MAX) {
            kept.pollFirst();
            isCut = true;
        }
        return this;
    }

    /** The largest first. */
    List<Long> descending() {
        return List.copyOf(kept.descendingSet());
    }

    int count() {
        return kept.size();
    }

    /** There are smaller ones than {@link #smallest}. */
    boolean isCut() {
        return isCut;
    }

    long smallest() {
        return kept.first();
    }
}
