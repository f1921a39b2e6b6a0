package io.daosmesh.model.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Invariant.InvariantBroken;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PoolMapTest {
    private final PoolMap map = new PoolMap(
            new UUID(5, 6),
            1,
            List.of(
                    new PoolTarget(0, 0, 0, "/a", TargetState.UPIN, false, 1),
                    new PoolTarget(1, 1, 0, "/b", TargetState.UPIN, false, 1)));

    @Test
    void shouldRaiseTheVersionWithEveryChange() {
        PoolMap down = map.withStates(Set.of(1), TargetState.DOWN);

        assertEquals(2, down.version());
        assertTrue(down.needsRebuild());
        assertEquals(Set.of(1), down.disabledRanks());
        assertEquals(TargetState.DOWNOUT, down.afterRebuild().target(1).state());
        assertFalse(down.afterRebuild().needsRebuild());
    }

    @Test
    void shouldRememberWhetherAReturningTargetHasAHomeElsewhere() {
        PoolMap down = map.withStates(Set.of(1), TargetState.DOWN);

        assertFalse(down.withStates(Set.of(1), TargetState.UP).target(1).hasHomeElsewhere());
        assertTrue(down.afterRebuild()
                .withStates(Set.of(1), TargetState.UP)
                .target(1)
                .hasHomeElsewhere());
    }

    @Test
    void shouldKeepIdsAndStatesWhenItIsExtended() {
        PoolMap down = map.withStates(Set.of(1), TargetState.DOWN);
        PoolMap larger = down.extended(List.of(
                PoolTargetMessage.newBuilder().setRank(7).setFaultDomain("/c").build()));

        assertEquals(3, larger.version());
        assertEquals(down.targets(), larger.targets().subList(0, 2));
        PoolTarget added = larger.target(2);
        assertEquals(TargetState.UP, added.state());
        assertTrue(added.isBeingAdded() && added.hasHomeElsewhere() && !added.isHole() && !added.isHolder());
        assertEquals(larger, PoolMap.fromWire(larger.toWire()));
        PoolTarget filled = larger.afterRebuild().target(2);
        assertTrue(filled.isHolder() && !filled.isBeingAdded());
    }

    @Test
    void shouldTellWhoComesBackFromWhoIsAdded() {
        PoolMap drained = map.withStates(Set.of(1), TargetState.DRAIN).afterRebuild();

        assertFalse(drained.withStates(Set.of(1), TargetState.UP).target(1).isBeingAdded());
        assertFalse(map.withStates(Set.of(1), TargetState.DOWN)
                .withStates(Set.of(1), TargetState.UP)
                .target(1)
                .isBeingAdded());
    }

    @Test
    void shouldRefuseIllegalMoves() {
        assertThrows(InvariantBroken.class, () -> map.withStates(Set.of(0), TargetState.DOWNOUT));
    }

    @Test
    void shouldSurviveTheWire() {
        PoolMap down = map.withStates(Set.of(1), TargetState.DOWN);

        assertEquals(down, PoolMap.fromWire(down.toWire()));
    }

    @Test
    void shouldPrintMemberStatesAsDaosDoes() {
        assertEquals("AdminExcluded", MemberState.ADMIN_EXCLUDED.label());
        assertEquals("Joined", MemberState.JOINED.label());
        assertEquals("up_in", TargetState.UPIN.label());
    }
}
