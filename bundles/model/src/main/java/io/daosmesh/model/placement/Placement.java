package io.daosmesh.model.placement;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.Loss;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;

/**
 * Where objects live: a pure function of (pool map, object id), the same on every client and server.
 *
 * <p>Rendezvous hashing (Thaler and Ravishankar 1998) in two steps: fault domains are ordered by their score for the group,
 * each contributes its best usable target, and the first {@code replicas} of them hold the group. So no two shards share
 * a domain, an exclusion moves only the lost shards, an extension moves about 1/n, and a reintegration gives back the old
 * layout. See docs/decisions for why not the jump map.
 */
public final class Placement {
    private Placement() {}

    /** Group that a dkey belongs to. */
    public static int groupOf(ObjectId oid, byte[] dkey) {
        return (int) Long.remainderUnsigned(hash(dkey), oid.groupCount());
    }

    /** 64-bit hash of a key: FNV-1a with a final mix; part of the layout, never to be changed. */
    public static long hash(byte[] key) {
        long h = 0xcbf29ce484222325L;
        for (byte b : key) {
            h ^= b & 0xff;
            h *= 0x100000001b3L;
        }
        return mix(h);
    }

    public static ShardGroup group(PoolMap map, ObjectId oid, byte[] dkey) {
        return group(map, oid, groupOf(oid, dkey));
    }

    public static ShardGroup group(PoolMap map, ObjectId oid, int group) {
        long key = mix(oid.high() ^ mix(oid.low() ^ mix(group + 0x9e3779b97f4a7c15L)));
        List<List<PoolTarget>> domains = orderedDomains(map, key);
        int replicas = oid.objectClass().replicas();
        List<Integer> settled = settled(map, domains, replicas);
        List<Integer> goal = places(domains, replicas, Placement::goalUse).held;
        List<Integer> members = new ArrayList<>(settled);
        for (int t : goal) {
            if (!members.contains(t)) members.add(t);
        }
        return new ShardGroup(group, settled, goal, members);
    }

    private enum Use {
        /** Holds the shard. */
        HOLD,
        /** Its place is taken but what it holds may be old. */
        HOLE,
        /** As if it were not in the map. */
        SKIP
    }

    private static Use use(PoolTarget t) {
        if (t.isHole()) return Use.HOLE;
        return t.isHolder() ? Use.HOLD : Use.SKIP;
    }

    private static Use use(Loss loss, PoolTarget t) {
        if (loss.holders().contains(t.id())) return Use.HOLD;
        return loss.holes().containsKey(t.id()) ? Use.HOLE : Use.SKIP;
    }

    private static Use goalUse(PoolTarget t) {
        return t.isHome() ? Use.HOLD : Use.SKIP;
    }

    /**
     * Targets that hold every acknowledged write of a group. Where all places are holes, those that were put out last do: each
     * update needed them. While none of them is back there is nobody, whatever the map would say without its losses; and of
     * several the first to return has been written to alone.
     */
    private static List<Integer> settled(PoolMap map, List<List<PoolTarget>> domains, int replicas) {
        Map<Integer, Loss.Hole> last = lost(map, domains, replicas);
        if (last.isEmpty()) {
            Places now = places(domains, replicas, Placement::use);
            if (!now.held.isEmpty()) return now.held;
            last = last(now.holes, id -> Loss.Hole.of(map.target(id)));
        }
        return last.keySet().stream()
                .filter(id -> map.target(id).state() == TargetState.UP)
                .toList();
    }

    /** The last holders of a group that a finished rebuild had nobody to copy from; empty = it has holders. */
    private static Map<Integer, Loss.Hole> lost(PoolMap map, List<List<PoolTarget>> domains, int replicas) {
        Map<Integer, Loss.Hole> last = Map.of();
        for (Loss loss : map.losses()) {
            if (!last.isEmpty() && !hasReturned(last, loss.version() - 1)) continue;
            Places then = places(domains, replicas, t -> use(loss, t));
            last = then.held.isEmpty() ? last(then.holes, loss.holes()::get) : Map.of();
        }
        return hasReturned(last, map.version()) ? Map.of() : last;
    }

    private static boolean hasReturned(Map<Integer, Loss.Hole> last, int byVersion) {
        return last.values().stream().anyMatch(h -> !h.isAway() && h.returnedVersion() <= byVersion);
    }

    /** Of several holes those that were put out last, and of these the first to return. */
    private static Map<Integer, Loss.Hole> last(List<Integer> holes, IntFunction<Loss.Hole> hole) {
        Map<Integer, Loss.Hole> all = new LinkedHashMap<>();
        for (int id : holes) all.put(id, hole.apply(id));
        int down = all.values().stream().mapToInt(Loss.Hole::downVersion).max().orElse(0);
        all.values().removeIf(h -> h.downVersion() < down);
        int claim = all.values().stream()
                .mapToInt(Loss.Hole::claimVersion)
                .filter(v -> v > 0)
                .min()
                .orElse(0);
        all.values().removeIf(h -> h.claimVersion() != claim);
        return all;
    }

    private record Places(List<Integer> held, List<Integer> holes) {}

    /** The first {@code replicas} domains with a usable target, each with its best one; holes keep their place. */
    private static Places places(
            List<List<PoolTarget>> domains, int replicas, java.util.function.Function<PoolTarget, Use> use) {
        Places places = new Places(new ArrayList<>(replicas), new ArrayList<>(0));
        for (List<PoolTarget> domain : domains) {
            if (places.held.size() + places.holes.size() == replicas) break;
            for (PoolTarget t : domain) {
                Use u = use.apply(t);
                if (u == Use.SKIP) continue;
                (u == Use.HOLD ? places.held : places.holes).add(t.id());
                break;
            }
        }
        return places;
    }

    /** Domains by falling score, the targets inside each likewise. */
    private static List<List<PoolTarget>> orderedDomains(PoolMap map, long key) {
        Map<String, List<PoolTarget>> byDomain = new TreeMap<>();
        for (PoolTarget t : map.targets()) {
            byDomain.computeIfAbsent(t.faultDomain(), d -> new ArrayList<>()).add(t);
        }
        List<Map.Entry<String, List<PoolTarget>>> entries = new ArrayList<>(byDomain.entrySet());
        entries.sort(byScore(e -> mix(key ^ hash(e.getKey().getBytes(java.nio.charset.StandardCharsets.UTF_8)))));
        List<List<PoolTarget>> ordered = new ArrayList<>(entries.size());
        for (Map.Entry<String, List<PoolTarget>> e : entries) {
            List<PoolTarget> targets = new ArrayList<>(e.getValue());
            targets.sort(byScore(t -> mix(key + 0x632be59bd9b4e019L * (t.id() + 1))));
            ordered.add(targets);
        }
        return ordered;
    }

    private static <T> Comparator<T> byScore(java.util.function.ToLongFunction<T> score) {
        return (a, b) -> Long.compareUnsigned(score.applyAsLong(b), score.applyAsLong(a));
    }

    /** Finaliser of SplitMix64 (Steele et al. 2014). */
    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
