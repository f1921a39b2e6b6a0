package io.daosmesh.management.pool.upkeep;

import io.daosmesh.management.log.LostVoters;
import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Keeps the replicas of a pool's service on ranks that live, and as many as are wanted: one step a review, each derived from what is, so that a new leader goes
 * on where the last one died. The Raft group moves first; the pool's own record, the management service and the remains on the lost
 * node follow. Pure. Owner: management loop of the leader.
 */
public final class ReplicaMoves {
    /**
     * What a review looks at.
     *
     * @param replicas voters of the Raft group, by address
     * @param retired ranks that may still have an old replica
     */
    public record Seen(
            PoolEntryMessage entry, PoolMap map, GroupMap members, List<String> replicas, List<Integer> retired) {}

    /** What has to be done. */
    public interface Effects {
        /** The Raft group has moved: the pool's record follows. Ends in {@link #onDone}, as does a move. */
        void record(List<Integer> ranks);

        void move(String from, Member to, List<String> next);

        /** One replica more; ends in {@link #onDone}. */
        void add(Member to, List<String> next);

        /** A replica whose node has lost its log. Ends in {@link #onDone}. */
        void renew(String lost, List<String> replicas);

        /** Ends in {@link #onCleared}. */
        void clear(Member retired, boolean isNeeded);

        /** Ends in {@link #onReported}. */
        void report(PoolServiceRanksMessage news);
    }

    private final String address;
    private final long graceNs;
    /** Since when replicas are lost; by address. */
    private final Map<String, Long> lostSinceNs = new HashMap<>();

    private final LostVoters forgetful = new LostVoters();

    private final Set<Integer> clearing = new HashSet<>();
    private boolean isBusy;
    private boolean isReporting;
    private int reportedVersion;

    /**
     * @param address of this node
     * @param graceNs how long a replica may be lost before another rank gets it
     */
    public ReplicaMoves(String address, long graceNs) {
        this.address = address;
        this.graceNs = graceNs;
    }

    /** Leadership has changed: times and news start from nothing. */
    public void forget() {
        lostSinceNs.clear();
        forgetful.forget();
        reportedVersion = 0;
    }

    public void review(long nowNs, Seen seen, Effects out) {
        report(seen.entry, out);
        for (int rank : seen.retired) {
            seen.members.member(rank).ifPresent(m -> clear(m, seen.replicas.contains(m.address()), out));
        }
        if (isBusy) return;
        Set<String> recorded = new TreeSet<>();
        for (int rank : seen.entry.getServiceRanksList()) {
            seen.members.member(rank).ifPresent(m -> recorded.add(m.address()));
        }
        if (!recorded.equals(new TreeSet<>(seen.replicas))) record(seen, out);
        else if (!renewLost(seen, out) && !replaceLost(nowNs, seen, out)) grow(seen, out);
    }

    /** @param addresses of voters whose nodes have no replica, or another one than the group knows */
    public void onLost(List<String> addresses) {
        forgetful.onLook(addresses);
    }

    private boolean renewLost(Seen seen, Effects out) {
        Optional<String> first = forgetful.next(seen.replicas).filter(a -> !a.equals(address));
        if (first.isEmpty()) return false;
        isBusy = true;
        out.renew(first.get(), seen.replicas);
        return true;
    }

    /**
     * The management service learns where to send people, whom the pool lets in, and which ranks have a part of it: each
     * leadership, after each change.
     */
    private void report(PoolEntryMessage entry, Effects out) {
        int version = entry.getServiceVersion();
        if (isReporting || version <= reportedVersion) return;
        isReporting = true;
        PoolServiceRanksMessage.Builder news = PoolServiceRanksMessage.newBuilder()
                .setPool(entry.getPool())
                .addAllRanks(entry.getServiceRanksList())
                .addAllPoolRanks(entry.getRanksList())
                .setVersion(version);
        if (entry.hasAcl()) news.setAcl(entry.getAcl());
        out.report(news.build());
    }

    /** A node that came back after its replica had moved away drops what it still has. */
    private void clear(Member m, boolean isNeeded, Effects out) {
        if (!isNeeded && !m.state().isInGroup() || !clearing.add(m.rank())) return;
        out.clear(m, isNeeded);
    }

    private void record(Seen seen, Effects out) {
        List<Integer> ranks = new ArrayList<>();
        for (String replica : seen.replicas) {
            List<Integer> there = seen.members.members().stream()
                    .filter(m -> m.address().equals(replica))
                    .map(Member::rank)
                    .toList();
            there.stream()
                    .filter(seen.entry.getServiceRanksList()::contains)
                    .findFirst()
                    .or(() -> there.stream().filter(seen.map.ranks()::contains).findFirst())
                    .ifPresent(ranks::add);
        }
        if (ranks.size() != seen.replicas.size()) return;
        isBusy = true;
        out.record(ranks);
    }

    /** True if a replica is lost, whether or not it can be replaced now. */
    private boolean replaceLost(long nowNs, Seen seen, Effects out) {
        List<String> lost = ServicePlacement.lost(seen.replicas, seen.members);
        lostSinceNs.keySet().retainAll(lost);
        for (String from : lost) {
            long sinceNs = lostSinceNs.computeIfAbsent(from, a -> nowNs);
            // A leader does not vote itself out: the next one will, if this one's node goes for good.
            if (nowNs - sinceNs < graceNs || from.equals(address)) continue;
            Optional<Member> to = ServicePlacement.successor(seen.map, seen.members, seen.replicas, from, seen.retired);
            if (to.isEmpty()) continue;
            List<String> next = new ArrayList<>(seen.replicas);
            next.remove(from);
            next.add(to.get().address());
            isBusy = true;
            out.move(from, to.get(), next);
            return true;
        }
        return !lost.isEmpty();
    }

    /** A pool that was made on few ranks has fewer replicas than it wants. One at a time: Raft adds no majority at once. */
    private void grow(Seen seen, Effects out) {
        int wanted = PoolProperties.serviceReplicasOf(seen.entry);
        ServicePlacement.addition(seen.map, seen.members, seen.replicas, wanted, seen.retired)
                .ifPresent(to -> {
                    List<String> next = new ArrayList<>(seen.replicas);
                    next.add(to.address());
                    isBusy = true;
                    out.add(to, next);
                });
    }

    public void onDone() {
        isBusy = false;
    }

    public void onCleared(int rank) {
        clearing.remove(rank);
    }

    /** @param version that the management service knows now; 0 = it has not answered */
    public void onReported(int version) {
        isReporting = false;
        if (version > 0) reportedVersion = version;
    }
}
