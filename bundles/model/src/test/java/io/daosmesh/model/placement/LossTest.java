package io.daosmesh.model.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.Loss;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Whatever happens to targets, in whatever order: nobody is called a holder of a group who has not got all of it. */
class LossTest {
    private static final List<ObjectClass> CLASSES = List.of(ObjectClass.SINGLE, ObjectClass.RP_2, ObjectClass.RP_3);

    private static PoolMap map(int nodes, int targetsEach) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int n = 0; n < nodes; n++)
            for (int t = 0; t < targetsEach; t++)
                targets.add(new PoolTarget(targets.size(), n, t, "/node" + n, TargetState.UPIN, false, 1));
        return new PoolMap(new UUID(1, 2), 1, targets);
    }

    private static ObjectId oid(long i, ObjectClass c) {
        return ObjectId.of(ObjectId.Type.KEY_VALUE, c, 1, 0, i);
    }

    @Test
    void shouldCallASingleCopyUnavailableUntilItsTargetIsBack() {
        PoolMap whole = map(3, 1);
        ObjectId oid = oid(1, ObjectClass.SINGLE);
        int holder = Placement.group(whole, oid, 0).leader();
        PoolMap down = whole.withStates(Set.of(holder), TargetState.DOWN);
        PoolMap out = down.afterRebuild();
        PoolMap up = out.withStates(Set.of(holder), TargetState.UP);
        PoolMap back = up.afterRebuild();

        assertFalse(Placement.group(down, oid, 0).isAvailable());
        assertFalse(Placement.group(out, oid, 0).isAvailable(), "the end of a rebuild makes no data");
        assertEquals(List.of(holder), Placement.group(up, oid, 0).settled());
        assertEquals(List.of(holder), Placement.group(back, oid, 0).settled());
        assertEquals(List.of(), back.losses(), "what is over is forgotten");
    }

    @Test
    void shouldTrustOnlyTheLastOfTwoHolders() {
        PoolMap whole = map(3, 1);
        ObjectId oid = oid(7, ObjectClass.RP_2);
        List<Integer> holders = Placement.group(whole, oid, 0).settled();
        Set<Integer> first = Set.of(holders.get(0));
        Set<Integer> second = Set.of(holders.get(1));
        PoolMap out = whole.withStates(first, TargetState.DOWN)
                .withStates(second, TargetState.DOWN)
                .afterRebuild(2);
        PoolMap old = out.withStates(first, TargetState.UP);

        assertFalse(Placement.group(old, oid, 0).isAvailable(), "it missed what the other one got");
        assertFalse(Placement.group(old.afterRebuild(2), oid, 0).isAvailable());
        PoolMap both = old.afterRebuild(2).withStates(second, TargetState.UP);
        assertEquals(List.copyOf(second), Placement.group(both, oid, 0).settled());
        assertEquals(List.copyOf(first), Placement.group(both, oid, 0).missing());
        assertEquals(
                Set.copyOf(holders),
                Set.copyOf(Placement.group(both.afterRebuild(2), oid, 0).settled()));
    }

    /** Who was away for a moment in which nothing was written has what a target held that is damaged now. */
    @Test
    void shouldTrustWhoIsBackWhenTheOtherHolderTookNothingMeanwhile() {
        PoolMap whole = map(3, 1);
        ObjectId oid = oid(7, ObjectClass.RP_2);
        List<Integer> holders = Placement.group(whole, oid, 0).settled();
        Set<Integer> silent = Set.of(holders.get(0));
        Set<Integer> damaged = Set.of(holders.get(1));
        PoolMap back = whole.withStates(silent, TargetState.DOWN).withStates(silent, TargetState.UP);

        PoolMap idle = back.withIdleDown(damaged, whole.version() + 1, Outage.Cause.DEVICE);
        PoolMap busy = back.withIdleDown(damaged, back.version(), Outage.Cause.DEVICE);

        assertEquals(List.copyOf(silent), Placement.group(idle, oid, 0).settled());
        assertTrue(Placement.group(idle.afterRebuild(2), oid, 0).isAvailable());
        assertFalse(Placement.group(busy, oid, 0).isAvailable(), "it took an update that the silent one missed");
    }

    @Test
    void shouldRememberNothingThatReplicasMakeGood() {
        PoolMap out = map(4, 1).withStates(Set.of(1), TargetState.DOWN).afterRebuild(2);

        assertEquals(List.of(), out.losses());
    }

    @Test
    void shouldSurviveTheWireWithItsLosses() {
        PoolMap out = map(3, 2)
                .withStates(Set.of(0, 1), TargetState.DOWN)
                .afterRebuild()
                .withStates(Set.of(1), TargetState.UP)
                .afterRebuild();

        assertEquals(1, out.losses().size());
        assertEquals(out, PoolMap.fromWire(out.toWire()));
    }

    @Test
    void shouldRefuseToForgetWhenItRemembersAsMuchAsItMay() {
        PoolMap m = map(Loss.LOSSES_MAX + 2, 1);
        for (int i = 0; i < Loss.LOSSES_MAX; i++)
            m = m.withStates(Set.of(i), TargetState.DOWN).afterRebuild();
        PoolMap full = m.withStates(Set.of(Loss.LOSSES_MAX), TargetState.DOWN);

        FaultException refused = assertThrows(FaultException.class, full::afterRebuild);

        assertEquals(FaultCode.OVERFLOW, refused.code());
    }

    @Test
    void shouldNeverCallATargetAHolderThatMissesAWrite() {
        for (long seed = 0; seed < 400; seed++) {
            Model m = new Model(seed);
            for (int step = 0; step < 120; step++) m.step();
            m.allBack();
        }
    }

    /** What targets hold of some groups, by the rules that engines follow. */
    private static final class Model {
        private final long seed;
        private final SplittableRandom random;
        private final List<ObjectId> objects = new ArrayList<>();
        /** Writes by object, then by target. */
        private final Map<ObjectId, Map<Integer, Set<Long>>> held = new HashMap<>();

        private final Map<ObjectId, Set<Long>> acknowledged = new HashMap<>();
        /** Newest map version by which a target took an update or was a source, by target. */
        private final Map<Integer, Integer> updated = new HashMap<>();

        private final int copiesMin;
        private PoolMap map;
        private long writes;
        private String history = "";

        Model(long seed) {
            this.seed = seed;
            random = new SplittableRandom(seed);
            map = map(3 + random.nextInt(3), 1 + random.nextInt(2));
            copiesMin = 1 + random.nextInt(2);
            for (int i = 0; i < 12; i++) {
                ObjectClass c = CLASSES.get(random.nextInt(CLASSES.size()));
                if (c.replicas() < copiesMin) c = ObjectClass.RP_2;
                ObjectId oid = oid(random.nextLong(1L << 40), c);
                objects.add(oid);
                held.put(oid, new HashMap<>());
                acknowledged.put(oid, new HashSet<>());
            }
        }

        void step() {
            int writes = random.nextInt(7);
            for (int i = 0; i < writes; i++) write(objects.get(random.nextInt(objects.size())));
            switch (random.nextInt(13) == 0 ? -1 : random.nextInt(4)) {
                case -1 -> extend();
                case 0 -> change(TargetState.DOWN);
                case 1 -> change(TargetState.UP);
                case 2 -> change(random.nextInt(3) == 0 ? TargetState.DRAIN : TargetState.UP);
                default -> rebuilt();
            }
            check();
        }

        /** By one rank of a new node, or of an old one. */
        private void extend() {
            int ranks = map.ranks().size();
            if (ranks >= 8) return;
            String domain = "/node" + (random.nextInt(4) == 0 ? random.nextInt(ranks) : ranks);
            map = map.extended(List.of(PoolTargetMessage.newBuilder()
                    .setRank(ranks)
                    .setFaultDomain(domain)
                    .build()));
            history += "\n" + map.version() + ": extended by rank " + ranks + " of " + domain;
        }

        private void write(ObjectId oid) {
            ShardGroup g = Placement.group(map, oid, 0);
            if (!g.isAvailable()) return;
            long w = ++writes;
            boolean isAcknowledged = true;
            for (int id : g.members()) {
                // an update that some member has not got was never acknowledged
                if (random.nextInt(20) == 0) isAcknowledged = false;
                else {
                    held.get(oid).computeIfAbsent(id, k -> new HashSet<>()).add(w);
                    updated.put(id, map.version());
                }
            }
            if (isAcknowledged) acknowledged.get(oid).add(w);
        }

        private void change(TargetState next) {
            List<PoolTarget> may = map.targets().stream()
                    .filter(t -> t.state().mayBecome(next))
                    .toList();
            if (may.isEmpty()) return;
            PoolTarget t = may.get(random.nextInt(may.size()));
            Set<Integer> ids = random.nextBoolean()
                    ? Set.of(t.id())
                    : may.stream()
                            .filter(o -> o.rank() == t.rank())
                            .map(PoolTarget::id)
                            .collect(Collectors.toSet());
            map = next == TargetState.DOWN && random.nextBoolean()
                    ? map.withIdleDown(ids, idleSince(ids), Outage.Cause.DEVICE)
                    : map.withStates(ids, next);
            history += "\n" + map.version() + ": " + ids + " " + next;
            if (next == TargetState.UP) ids.forEach(this::clean);
        }

        private int idleSince(Set<Integer> ids) {
            return 1
                    + ids.stream()
                            .mapToInt(id -> updated.getOrDefault(id, 0))
                            .max()
                            .orElse(0);
        }

        /** What others have complete is deleted by the one who comes back. */
        private void clean(int id) {
            for (ObjectId oid : objects) {
                ShardGroup g = Placement.group(map, oid, 0);
                if (!g.isAvailable() || g.settled().contains(id)) continue;
                held.get(oid).remove(id);
                // on the word of one of them
                for (int source : g.settled()) updated.put(source, map.version());
            }
        }

        private void rebuilt() {
            if (map.targets().stream().noneMatch(t -> t.isHolder() || t.state() == TargetState.UP)) return;
            for (ObjectId oid : objects) {
                ShardGroup g = Placement.group(map, oid, 0);
                if (!g.isAvailable()) continue;
                Set<Long> source = held.get(oid).getOrDefault(g.leader(), Set.of());
                for (int home : g.missing()) held.get(oid).put(home, new HashSet<>(source));
            }
            map = map.afterRebuild(copiesMin);
            history += "\n" + map.version() + ": rebuilt";
            for (ObjectId oid : objects) {
                ShardGroup g = Placement.group(map, oid, 0);
                if (g.isAvailable())
                    held.get(oid).keySet().removeIf(id -> !g.members().contains(id));
            }
        }

        private void check() {
            for (ObjectId oid : objects) {
                ShardGroup g = Placement.group(map, oid, 0);
                for (int id : g.settled()) {
                    Set<Long> missing = new HashSet<>(acknowledged.get(oid));
                    missing.removeAll(held.get(oid).getOrDefault(id, Set.of()));
                    assertTrue(
                            missing.isEmpty(),
                            () -> "seed " + seed + ": target " + id + " misses " + missing + " of " + oid + " in " + map
                                    + history);
                }
            }
        }

        void allBack() {
            for (int round = 0; round < 3; round++) {
                Set<Integer> out = map.targets().stream()
                        .filter(t -> t.state().isDisabled())
                        .map(PoolTarget::id)
                        .collect(Collectors.toSet());
                if (!out.isEmpty()) {
                    map = map.withStates(out, TargetState.UP);
                    out.forEach(this::clean);
                }
                rebuilt();
                check();
            }
            for (ObjectId oid : objects)
                assertTrue(
                        Placement.group(map, oid, 0).isAvailable(),
                        () -> "seed " + seed + ": " + oid + " never came back in " + map + history);
            assertEquals(List.of(), map.losses(), "seed " + seed);
        }
    }
}
