package io.daosmesh.management.pool.upkeep;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RebuildHoldTest {
    private final RebuildHold hold = new RebuildHold();
    private final PoolMap whole = new PoolMap(
            new UUID(1, 1),
            1,
            List.of(
                    new PoolTarget(0, 0, 0, "/a", TargetState.UPIN, false, 1),
                    new PoolTarget(1, 1, 0, "/b", TargetState.UPIN, false, 1),
                    new PoolTarget(2, 2, 0, "/c", TargetState.UPIN, false, 1)));

    private static GroupMap members(MemberState first, MemberState second) {
        return new GroupMap(
                "daos_server", 5, List.of(member(0, MemberState.JOINED), member(1, first), member(2, second)));
    }

    private static Member member(int rank, MemberState state) {
        return new Member(rank, new UUID(1, rank), "10.0.0.1:1", "/n" + rank, state, 1, 1, 0, "", 0);
    }

    private final GroupMap joined = members(MemberState.JOINED, MemberState.JOINED);

    private PoolMap out(PoolMap map, int target, Outage.Cause cause) {
        return map.withStates(Set.of(target), TargetState.DOWN, cause);
    }

    @Test
    void shouldHoldForAMemberThatIsSilent() {
        PoolMap map = out(whole, 1, Outage.Cause.DEATH);

        assertTrue(hold.holds(map, joined, 0));
        assertTrue(hold.holds(map, joined, RebuildHold.HOLD_MAX_NS - 1));
        assertFalse(hold.holds(map, joined, RebuildHold.HOLD_MAX_NS), "not for ever");
    }

    @Test
    void shouldLetTheRebuildBeginWhenTheRankHasLeft() {
        PoolMap map = out(whole, 1, Outage.Cause.DEATH);
        hold.holds(map, joined, 0);

        assertFalse(hold.holds(map, members(MemberState.EXCLUDED, MemberState.JOINED), 1));
    }

    @Test
    void shouldNotHoldUpWhatAnotherFaultNeeds() {
        PoolMap silent = out(whole, 1, Outage.Cause.DEATH);

        assertFalse(hold.holds(out(silent, 2, Outage.Cause.DEVICE), joined, 0), "of a device");
        assertFalse(hold.holds(out(silent, 2, Outage.Cause.ADMIN), joined, 0), "by hand");
        assertFalse(
                hold.holds(out(silent, 2, Outage.Cause.DEATH), members(MemberState.JOINED, MemberState.EXCLUDED), 0),
                "of a dead one");
        assertFalse(
                hold.holds(silent.withStates(Set.of(1), TargetState.UP, Outage.Cause.NONE), joined, 0), "comes back");
        assertFalse(hold.holds(whole, joined, 0), "nothing to rebuild");
    }
}
