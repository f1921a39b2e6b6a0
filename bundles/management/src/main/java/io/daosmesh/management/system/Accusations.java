package io.daosmesh.management.system;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Who says of which ranks that they are dead. One server may lie, or be cut off itself: where two others are alive, it takes the
 * word of two nodes, or one and a probe that fails. Owner: management loop. Pure.
 */
public final class Accusations {
    /** Who reports a death does so again every second until the rank has left: a word as old as this was taken back. */
    static final long KEPT_NS = 30_000_000_000L;

    /** Two that agree are enough; the others have spoken of another life. */
    static final int WITNESSES_MAX = 4;

    /** From one probe of a rank to the next, however many reports there are. */
    public static final long PROBE_NS = 400_000_000L;

    /** What is to be done about a report. */
    public enum Verdict {
        /** Its subject has left the group, or lives a newer life. */
        NOTHING,
        DEAD,
        /** The word of one: ask the rank's node whether it is there. */
        PROBE,
        /** The word of one, and its node has just been asked. */
        WAIT
    }

    private record Word(long incarnation, long heardNs) {}

    private static final class Accused {
        /** By address, the latest last. */
        private final Map<String, Word> words = new LinkedHashMap<>();

        private long probedNs;

        private Accused(long nowNs) {
            probedNs = nowNs - PROBE_NS;
        }
    }

    /** By rank; only those of the group map. */
    private final Map<Integer, Accused> byRank = new HashMap<>();

    /** @param witness address of the node that reports it */
    public Verdict onReport(long nowNs, GroupMap map, int rank, long incarnation, String witness) {
        forget(nowNs, map);
        Member member = map.member(rank)
                .filter(m -> m.state().isInGroup() && m.incarnation() <= incarnation)
                .orElse(null);
        if (member == null) return Verdict.NOTHING;
        // a node may speak for its own ranks
        if (witness.equals(member.address()) || othersOf(map, member) < 2) return Verdict.DEAD;
        Accused accused = byRank.computeIfAbsent(rank, r -> new Accused(nowNs));
        accused.words.remove(witness);
        if (accused.words.size() == WITNESSES_MAX)
            accused.words.remove(accused.words.keySet().iterator().next());
        boolean isSaidByAnother = accused.words.values().stream().anyMatch(w -> w.incarnation == incarnation);
        accused.words.put(witness, new Word(incarnation, nowNs));
        if (isSaidByAnother) return Verdict.DEAD;
        if (nowNs - accused.probedNs < PROBE_NS) return Verdict.WAIT;
        accused.probedNs = nowNs;
        return Verdict.PROBE;
    }

    private void forget(long nowNs, GroupMap map) {
        Set<Integer> inGroup = map.members().stream()
                .filter(m -> m.state().isInGroup())
                .map(Member::rank)
                .collect(Collectors.toSet());
        byRank.keySet().retainAll(inGroup);
        byRank.values().removeIf(a -> {
            a.words.values().removeIf(w -> nowNs - w.heardNs >= KEPT_NS);
            return a.words.isEmpty();
        });
    }

    /** Nodes that could say something about it. */
    private static long othersOf(GroupMap map, Member accused) {
        return map.members().stream()
                .filter(m -> m.state().isInGroup())
                .map(Member::address)
                .filter(a -> !a.equals(accused.address()))
                .distinct()
                .count();
    }

    int size() {
        return byRank.size();
    }
}
