package io.daosmesh.model.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PlacementTest {
    private static final int OBJECTS = 3000;

    private final PoolMap whole = map(8, 4);

    @Test
    void shouldKeepShardsOfAGroupInDistinctDomains() {
        for (int i = 0; i < OBJECTS; i++) {
            ShardGroup g = Placement.group(whole, oid(i, ObjectClass.RP_3), 0);

            Set<String> domains =
                    g.settled().stream().map(t -> whole.target(t).faultDomain()).collect(Collectors.toSet());
            assertEquals(3, domains.size());
            assertEquals(g.settled(), g.goal());
        }
    }

    @Test
    void shouldSpreadEvenlyOverTargets() {
        double[] counts = new double[whole.targets().size()];
        int shards = 0;
        for (int i = 0; i < OBJECTS; i++) {
            for (int t : Placement.group(whole, oid(i, ObjectClass.RP_2), 0).settled()) {
                counts[t]++;
                shards++;
            }
        }

        double expected = (double) shards / counts.length;
        double chiSquare = 0;
        for (double c : counts) chiSquare += (c - expected) * (c - expected) / expected;
        // 31 degrees of freedom: 61.1 is exceeded by chance once in a thousand
        assertTrue(chiSquare < 61.1, "chi square " + chiSquare);
    }

    @Test
    void shouldMoveOnlyLostShardsOnExclusionAndGiveThemBackOnReintegration() {
        Set<Integer> lost = Set.of(0, 1, 2, 3);
        PoolMap down = whole.withStates(lost, TargetState.DOWN);
        PoolMap out = down.afterRebuild();
        PoolMap up = out.withStates(lost, TargetState.UP);
        PoolMap back = up.afterRebuild();

        for (int i = 0; i < OBJECTS; i++) {
            ObjectId oid = oid(i, ObjectClass.RP_2);
            ShardGroup before = Placement.group(whole, oid, 0);
            Set<Integer> survivors = new HashSet<>(before.settled());
            survivors.removeAll(lost);

            ShardGroup degraded = Placement.group(down, oid, 0);
            assertEquals(survivors, new HashSet<>(degraded.settled()), "reads only where the data is");
            assertTrue(degraded.goal().containsAll(survivors));
            assertEquals(2, degraded.goal().size());
            ShardGroup settled = Placement.group(out, oid, 0);
            assertEquals(new HashSet<>(degraded.goal()), new HashSet<>(settled.settled()));

            ShardGroup returning = Placement.group(up, oid, 0);
            assertEquals(settled.settled(), returning.settled(), "a returning target is not read");
            assertEquals(before.goal(), returning.goal());
            assertTrue(returning.members().containsAll(before.settled()), "but it is written");
            assertEquals(before.settled(), Placement.group(back, oid, 0).settled());
        }
    }

    @Test
    void shouldNotReadATargetThatReturnsBeforeItsRebuildHadFinished() {
        PoolMap up = whole.withStates(Set.of(5), TargetState.DOWN).withStates(Set.of(5), TargetState.UP);

        for (int i = 0; i < OBJECTS; i++) {
            ObjectId oid = oid(i, ObjectClass.RP_2);
            ShardGroup before = Placement.group(whole, oid, 0);
            ShardGroup returning = Placement.group(up, oid, 0);
            if (!before.settled().contains(5)) continue;
            assertEquals(1, returning.settled().size());
            assertEquals(List.of(5), returning.missing());
        }
    }

    @Test
    void shouldMoveAboutOneNthOnExtensionAndToNewTargetsOnly() {
        PoolMap filling = whole.extended(node("/node8", 8, 4));
        PoolMap full = filling.afterRebuild(2);
        int moved = 0;
        int shards = 0;
        for (int i = 0; i < OBJECTS; i++) {
            ObjectId oid = oid(i, i % 2 == 0 ? ObjectClass.RP_2 : ObjectClass.RP_3);
            List<Integer> before = Placement.group(whole, oid, 0).settled();
            ShardGroup meanwhile = Placement.group(filling, oid, 0);
            List<Integer> after = Placement.group(full, oid, 0).settled();
            shards += before.size();
            moved += meanwhile.missing().size();

            assertEquals(before, meanwhile.settled(), "who served, serves on in the same order");
            assertTrue(meanwhile.members().containsAll(meanwhile.goal()), "what is filled is written to as well");
            assertTrue(meanwhile.missing().stream().allMatch(t -> t >= 32), "nothing moves between old targets");
            assertEquals(meanwhile.goal(), after);
            Set<String> domains =
                    after.stream().map(t -> full.target(t).faultDomain()).collect(Collectors.toSet());
            assertEquals(before.size(), domains.size());
        }

        double share = (double) moved / shards;
        assertTrue(share > 0.08 && share < 0.145, "one ninth expected, moved " + share);
    }

    @Test
    void shouldFillGroupsOnExtensionThatHadTooFewDomains() {
        PoolMap small = map(2, 2);
        PoolMap filling = small.extended(node("/node2", 2, 2));

        for (int i = 0; i < 100; i++) {
            ObjectId oid = oid(i, ObjectClass.RP_3);
            ShardGroup g = Placement.group(filling, oid, 0);
            assertEquals(Placement.group(small, oid, 0).settled(), g.settled());
            assertEquals(1, g.missing().size());
            assertEquals(
                    3,
                    Placement.group(filling.afterRebuild(2), oid, 0).settled().size());
        }
    }

    @Test
    void shouldServeAsBeforeWhenAnAddedTargetFailsBeforeItIsFilled() {
        PoolMap filling = whole.extended(node("/node8", 8, 4));
        Set<Integer> added = Set.of(32, 33, 34, 35);
        PoolMap failed = filling.withStates(added, TargetState.DOWN);
        PoolMap out = failed.afterRebuild(2);
        PoolMap again = out.withStates(added, TargetState.UP);

        for (int i = 0; i < OBJECTS; i++) {
            ObjectId oid = oid(i, ObjectClass.RP_2);
            List<Integer> before = Placement.group(whole, oid, 0).settled();
            assertEquals(before, Placement.group(failed, oid, 0).settled());
            assertEquals(before, Placement.group(failed, oid, 0).goal());
            assertEquals(before, Placement.group(out, oid, 0).settled());
            assertEquals(before, Placement.group(again, oid, 0).settled());
            assertEquals(
                    Placement.group(filling, oid, 0).goal(),
                    Placement.group(again, oid, 0).goal());
        }
        assertEquals(List.of(), out.losses(), "it held nothing that could be lost");
    }

    private static List<PoolTargetMessage> node(String domain, int rank, int targets) {
        List<PoolTargetMessage> all = new ArrayList<>();
        for (int i = 0; i < targets; i++)
            all.add(PoolTargetMessage.newBuilder()
                    .setRank(rank)
                    .setIndex(i)
                    .setFaultDomain(domain)
                    .build());
        return all;
    }

    @Test
    void shouldLeaveAHoleWhenNoDomainIsFree() {
        PoolMap small = map(3, 2).withStates(Set.of(0, 1), TargetState.DOWN).afterRebuild();

        for (int i = 0; i < 100; i++) {
            ShardGroup g = Placement.group(small, oid(i, ObjectClass.RP_3), 0);
            assertEquals(2, g.settled().size());
            assertEquals(2, g.goal().size());
        }
    }

    @Test
    void shouldServeADrainingTargetUntilItIsOut() {
        PoolMap draining = whole.withStates(Set.of(7), TargetState.DRAIN);

        for (int i = 0; i < OBJECTS; i++) {
            ObjectId oid = oid(i, ObjectClass.RP_2);
            ShardGroup g = Placement.group(draining, oid, 0);
            assertEquals(Placement.group(whole, oid, 0).settled(), g.settled());
            assertTrue(!g.goal().contains(7));
        }
    }

    private static ObjectId oid(int i, ObjectClass c) {
        return ObjectId.of(ObjectId.Type.ARRAY, c, 1, 0, i);
    }

    private static PoolMap map(int nodes, int targetsEach) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int n = 0; n < nodes; n++) {
            for (int t = 0; t < targetsEach; t++) {
                targets.add(new PoolTarget(targets.size(), n, t, "/node" + n, TargetState.UPIN, false, 1));
            }
        }
        return new PoolMap(new UUID(1, 2), 1, targets);
    }

    @Test
    void shouldKeepTheHoldersWhenAReturningTargetFailsAgain() {
        Set<Integer> lost = Set.of(12, 13, 14, 15);
        PoolMap out = whole.withStates(lost, TargetState.DOWN).afterRebuild();
        PoolMap failed = out.withStates(lost, TargetState.UP).withStates(lost, TargetState.DOWN);
        PoolMap again = failed.withStates(lost, TargetState.UP);
        for (long low = 0; low < 500; low++) {
            ObjectId oid = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, low);
            assertEquals(Placement.group(out, oid, 0), Placement.group(failed, oid, 0));
            assertEquals(
                    Placement.group(out, oid, 0).settled(),
                    Placement.group(again, oid, 0).settled());
        }
    }
}
