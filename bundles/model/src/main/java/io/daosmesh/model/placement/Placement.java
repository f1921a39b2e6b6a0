package io.daosmesh.model.placement;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

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
        List<Integer> settled = pick(domains, replicas, Placement::settledUse);
        List<Integer> goal = pick(domains, replicas, Placement::goalUse);
        List<Integer> members = new ArrayList<>(settled);
        for (int t : goal) {
            if (!members.contains(t)) members.add(t);
        }
        return new ShardGroup(group, settled, goal, members);
    }

    private enum Use {
        /** Holds the shard. */
        HOLD,
        /** Its place is taken but nothing can be read there. */
        HOLE,
        /** As if it were not in the map. */
        SKIP
    }

    private static Use settledUse(PoolTarget t) {
        return switch (t.state()) {
            case UPIN, DRAIN -> Use.HOLD;
            case DOWN, UP -> t.hasHomeElsewhere() ? Use.SKIP : Use.HOLE;
            case DOWNOUT, NEW -> Use.SKIP;
        };
    }

    private static Use goalUse(PoolTarget t) {
        return switch (t.state()) {
            case UPIN, UP -> Use.HOLD;
            case DOWN, DOWNOUT, DRAIN, NEW -> Use.SKIP;
        };
    }

    /** The first {@code replicas} domains with a usable target, each with its best one; holes keep their place. */
    private static List<Integer> pick(
            List<List<PoolTarget>> domains, int replicas, java.util.function.Function<PoolTarget, Use> use) {
        List<Integer> held = new ArrayList<>(replicas);
        int places = 0;
        for (List<PoolTarget> domain : domains) {
            if (places == replicas) break;
            for (PoolTarget t : domain) {
                Use u = use.apply(t);
                if (u == Use.SKIP) continue;
                places++;
                if (u == Use.HOLD) held.add(t.id());
                break;
            }
        }
        return held;
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
