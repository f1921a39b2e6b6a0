package io.daosmesh.swim;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Ranks whose news still has to be told, the least told first (SWIM, section 4.1), the newest first among equals: a
 * refutation must overtake the accusations around it. It holds ranks, not texts: what
 * is told is always what is true at that moment. Bounded: when full, the most told one gives way. Owner: membership
 * loop.
 */
final class GossipQueue {
    private static final class Entry {
        final int rank;
        int told;

        Entry(int rank) {
            this.rank = rank;
        }
    }

    private final List<Entry> entries = new ArrayList<>();
    private final int entriesMax;

    GossipQueue(int entriesMax) {
        this.entriesMax = entriesMax;
    }

    void add(int rank) {
        Entry mostTold = null;
        remove(rank);
        for (Entry entry : entries) {
            if (mostTold == null || entry.told > mostTold.told) {
                mostTold = entry;
            }
        }
        if (mostTold != null && entries.size() >= entriesMax) {
            entries.remove(mostTold);
        }
        entries.add(new Entry(rank));
    }

    void remove(int rank) {
        entries.removeIf(entry -> entry.rank == rank);
    }

    int size() {
        return entries.size();
    }

    /** Hands out up to {@code countMax} ranks, each told once more; those told {@code toldMax} times are dropped. */
    void pick(int countMax, int toldMax, int exceptRank, IntConsumer out) {
        if (entries.isEmpty() || countMax <= 0) {
            return;
        }
        Entry[] best = new Entry[countMax];
        int count = 0;
        for (Entry entry : entries) {
            if (entry.rank == exceptRank || count == countMax && best[count - 1].told < entry.told) {
                continue;
            }
            int at = count < countMax ? count++ : count - 1;
            while (at > 0 && best[at - 1].told >= entry.told) {
                best[at] = best[at - 1];
                at--;
            }
            best[at] = entry;
        }
        boolean anyDone = false;
        for (int i = 0; i < count; i++) {
            best[i].told++;
            anyDone |= best[i].told >= toldMax;
            out.accept(best[i].rank);
        }
        if (anyDone) {
            entries.removeIf(entry -> entry.told >= toldMax);
        }
    }
}
