package io.daosmesh.engine.vos;

import java.util.ArrayList;
import java.util.List;

/** The parts of a range that no newer record has covered yet. Owner: one call. */
final class Uncovered {
    private record Gap(long from, long to) {}

    /** Receives a part that was uncovered until now. */
    @FunctionalInterface
    interface Taken {
        void part(long from, long to);
    }

    private List<Gap> gaps = new ArrayList<>();

    Uncovered(long from, long to) {
        if (from < to) gaps.add(new Gap(from, to));
    }

    boolean isEmpty() {
        return gaps.isEmpty();
    }

    void take(long from, long to, Taken taken) {
        List<Gap> left = new ArrayList<>(gaps.size() + 1);
        for (Gap g : gaps) {
            long a = Math.max(from, g.from);
            long b = Math.min(to, g.to);
            if (a >= b) {
                left.add(g);
                continue;
            }
            taken.part(a, b);
            if (g.from < a) left.add(new Gap(g.from, a));
            if (b < g.to) left.add(new Gap(b, g.to));
        }
        gaps = left;
    }
}
