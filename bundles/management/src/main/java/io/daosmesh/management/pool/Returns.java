package io.daosmesh.management.pool;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.RankReturnsMessage;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which ranks come back into a pool by themselves, and when: those whose death put them out and that are joined again. One
 * that dies again and again has to wait longer each time, because each return moves data. What a person or a device has put
 * out is brought back by a person or the engine that watches the device. Owner: its {@link PoolDb}.
 */
public final class Returns {
    /** Pauses after the first, second, ... death within {@link #MEMORY_HLC}; the last one holds for all later ones. */
    private static final long[] PAUSES_S = {0, 0, 30, 120, 600};

    private static final long MEMORY_HLC = Hlc.fromNanos(3_600_000_000_000L);

    /** A rank that falls silent again so soon counts as one that has died. */
    private static final long SILENT_AGAIN_HLC = Hlc.fromNanos(60_000_000_000L);

    /** Deaths remembered of a rank: more make no difference. */
    private static final int DEATHS_MAX = PAUSES_S.length;

    private final TreeMap<Integer, Deque<Long>> deaths = new TreeMap<>();
    /** The last silence of a rank, for as long as it matters. */
    private final TreeMap<Integer, Long> silences = new TreeMap<>();
    /** Version of the group map by which the last decision about a rank was made. */
    private final TreeMap<Integer, Integer> groupVersions = new TreeMap<>();
    /** The last exclusion of a rank. */
    private final TreeMap<Integer, Exclusion> exclusions = new TreeMap<>();

    /** A map version that was made by a group map of this version. */
    private record Exclusion(int mapVersion, int groupVersion) {}

    /** Targets of ranks of the pool have been put out or taken back. */
    void onDecision(Collection<Integer> ranks, int groupVersion, PoolMap map) {
        if (groupVersion > 0) ranks.forEach(r -> groupVersions.merge(r, groupVersion, Math::max));
        groupVersions.keySet().retainAll(map.ranks());
    }

    /** Ranks have been put out by the version of the map. */
    void onExclusion(Collection<Integer> ranks, int groupVersion, PoolMap map) {
        ranks.forEach(r -> exclusions.put(r, new Exclusion(map.version(), groupVersion)));
        exclusions.keySet().retainAll(map.ranks());
    }

    /**
     * Since when a rank cannot have served as it did before its last start: the map version was made by somebody who knew of
     * that start. {@link Integer#MAX_VALUE} if that is known of none.
     *
     * @param joinedVersion of a group map that tells of the start
     */
    int startedBefore(int joinedVersion) {
        return exclusions.values().stream()
                .filter(e -> e.groupVersion >= joinedVersion)
                .mapToInt(Exclusion::mapVersion)
                .min()
                .orElse(Integer.MAX_VALUE);
    }

    /** A group map older than this may be of before the rank's last death or return; 0 = any will do. */
    int groupVersion(int rank) {
        return groupVersions.getOrDefault(rank, 0);
    }

    /** Ranks have been put out for their death. */
    void onDeath(Collection<Integer> ranks, long hlc) {
        for (int rank : ranks) {
            Deque<Long> of = deaths.computeIfAbsent(rank, r -> new ArrayDeque<>());
            of.addLast(hlc);
            if (of.size() > DEATHS_MAX) of.removeFirst();
        }
        deaths.values().removeIf(of -> hlc - of.getLast() > MEMORY_HLC);
    }

    /** Ranks have been put out for their silence. A pause now and then is no reason to stay out; one after the other is. */
    void onSilence(Collection<Integer> ranks, long hlc) {
        silences.values().removeIf(last -> hlc - last >= SILENT_AGAIN_HLC);
        for (int rank : ranks) if (silences.put(rank, hlc) != null) onDeath(Set.of(rank), hlc);
    }

    /** Ranks that could come back into the map now, with the clock from when on they may. */
    public Map<Integer, Long> awaited(PoolMap map, GroupMap members) {
        Map<Integer, Long> awaited = new LinkedHashMap<>();
        for (int rank : returnable(map)) {
            if (members.version() < groupVersion(rank)) continue;
            members.member(rank)
                    .filter(m -> m.state() == MemberState.JOINED)
                    .ifPresent(m -> awaited.put(rank, fromHlc(m)));
        }
        return awaited;
    }

    /** It has to be there for as long as its pause: a start that takes long is no proof that it stays. */
    private long fromHlc(Member member) {
        Deque<Long> of = deaths.get(member.rank());
        if (of == null) return 0;
        long last = of.getLast();
        long count = of.stream().filter(d -> last - d < MEMORY_HLC).count();
        long pauseS = PAUSES_S[(int) Math.min(count, PAUSES_S.length) - 1];
        return Math.max(last, member.updatedHlc()) + Hlc.fromNanos(pauseS * 1_000_000_000L);
    }

    private static Set<Integer> returnable(PoolMap map) {
        Set<Integer> ranks = new TreeSet<>();
        for (PoolTarget t : map.targets()) if (isReturnable(t)) ranks.add(t.rank());
        return ranks;
    }

    static boolean isReturnable(PoolTarget t) {
        return t.state().isDisabled() && t.outage().cause() == Outage.Cause.DEATH;
    }

    Iterable<RankReturnsMessage> save() {
        Set<Integer> ranks = new TreeSet<>(deaths.keySet());
        ranks.addAll(groupVersions.keySet());
        ranks.addAll(silences.keySet());
        ranks.addAll(exclusions.keySet());
        return ranks.stream().map(this::save)::iterator;
    }

    private RankReturnsMessage save(int rank) {
        RankReturnsMessage.Builder b = RankReturnsMessage.newBuilder()
                .setRank(rank)
                .addAllDeaths(deaths.getOrDefault(rank, new ArrayDeque<>()))
                .setGroupVersion(groupVersion(rank))
                .setSilence(silences.getOrDefault(rank, 0L));
        Exclusion out = exclusions.get(rank);
        if (out != null) b.setOutVersion(out.mapVersion).setOutGroupVersion(out.groupVersion);
        return b.build();
    }

    void load(Iterable<RankReturnsMessage> saved) {
        deaths.clear();
        groupVersions.clear();
        silences.clear();
        exclusions.clear();
        for (RankReturnsMessage m : saved) {
            if (m.getDeathsCount() > 0) deaths.put(m.getRank(), new ArrayDeque<>(m.getDeathsList()));
            if (m.getGroupVersion() > 0) groupVersions.put(m.getRank(), m.getGroupVersion());
            if (m.getSilence() != 0) silences.put(m.getRank(), m.getSilence());
            if (m.getOutVersion() > 0)
                exclusions.put(m.getRank(), new Exclusion(m.getOutVersion(), m.getOutGroupVersion()));
        }
    }
}
