package io.daosmesh.rebuild.scan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ScanTest {
    private static final UUID CONTAINER = new UUID(3, 4);

    private final PoolMap whole = map(4);

    @Test
    void shouldLeaveTargetsThatAreOutAlone() {
        PoolMap before = new PoolMap(
                new java.util.UUID(1, 1),
                1,
                List.of(
                        new PoolTarget(0, 7, 0, "/a", TargetState.UPIN, false, 1),
                        new PoolTarget(1, 7, 1, "/a", TargetState.UPIN, false, 1),
                        new PoolTarget(2, 8, 0, "/b", TargetState.UPIN, false, 1)));

        PoolMap map = before.withStates(Set.of(0), TargetState.DOWN);

        assertEquals(List.of(map.target(1)), Scan.scanned(map, 7));
        assertEquals(List.of(map.target(2)), Scan.scanned(map, 8));
    }

    @Test
    void shouldNameEachLostShardExactlyOnce() {
        PoolMap degraded = whole.withStates(Set.of(1), TargetState.DOWN);

        for (int i = 0; i < 200; i++) {
            ObjectId oid = oid(i);
            int lost = 0;
            int named = 0;
            for (int g = 0; g < oid.groupCount(); g++) {
                if (Placement.group(whole, oid, g).settled().contains(1)) lost++;
            }
            for (PoolTarget t : degraded.targets()) {
                named += Scan.works(degraded, t.id(), CONTAINER, oid).size();
            }

            assertEquals(lost, named, oid.toString());
        }
    }

    @Test
    void shouldPullFromATargetThatHoldsTheGroup() {
        PoolMap degraded = whole.withStates(Set.of(1), TargetState.DOWN);

        for (int i = 0; i < 200; i++) {
            for (PoolTarget t : degraded.targets()) {
                for (Work w : Scan.works(degraded, t.id(), CONTAINER, oid(i))) {
                    ShardGroup before = Placement.group(whole, oid(i), w.group());
                    assertTrue(before.settled().contains(w.source()));
                    assertNotEquals(1, w.destination());
                    assertTrue(!before.settled().contains(w.destination()));
                }
            }
        }
    }

    @Test
    void shouldFindNothingForeignWhereTheGroupsBelong() {
        for (int i = 0; i < 50; i++) {
            ObjectId oid = oid(i);
            for (PoolTarget t : whole.targets()) {
                Set<Integer> foreign = Scan.foreignGroups(whole, t.id(), oid);
                for (int g = 0; g < oid.groupCount(); g++) {
                    boolean isHere = Placement.group(whole, oid, g).members().contains(t.id());
                    assertEquals(!isHere, foreign.contains(g));
                }
            }
        }
    }

    private static ObjectId oid(int i) {
        return ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_2, 2, 0, i);
    }

    private static PoolMap map(int ranks) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < ranks; r++) {
            targets.add(new PoolTarget(r, r, 0, "/node" + r, TargetState.UPIN, false, 1));
        }
        return new PoolMap(new UUID(1, 2), 1, targets);
    }
}
