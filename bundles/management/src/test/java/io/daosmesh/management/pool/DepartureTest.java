package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class DepartureTest {
    private static final int GROUP_VERSION = 7;

    private final Returns returns = new Returns();
    private final PoolMap map = map(3);

    private static PoolMap map(int ranks) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < ranks; r++) targets.add(new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1));
        return new PoolMap(new UUID(7, 7), 1, targets);
    }

    private static Member member(int rank, MemberState state, String info) {
        return new Member(rank, new UUID(1, rank), "10.0.0.1:1", "/n" + rank, state, 1, 1, 0, info, 0);
    }

    private static GroupMap members(MemberState... states) {
        List<Member> all = new ArrayList<>();
        for (MemberState s : states)
            all.add(member(all.size(), s, s == MemberState.STOPPED ? Departure.STOPPED_ALONE : ""));
        return new GroupMap("daos_server", GROUP_VERSION, all);
    }

    private Map<Departure, Set<Integer>> left(GroupMap members) {
        return Departure.of(map, members, returns);
    }

    @Test
    void shouldTellTheDeadTheStoppedAndTheExcludedApart() {
        assertEquals(
                Map.of(Departure.DEATH, Set.of(1), Departure.STOP, Set.of(2)),
                left(members(MemberState.JOINED, MemberState.EXCLUDED, MemberState.STOPPED)));
        assertEquals(
                Map.of(Departure.EXCLUSION, Set.of(0)),
                left(members(MemberState.ADMIN_EXCLUDED, MemberState.JOINED, MemberState.STOPPING)));
        assertEquals(Map.of(Departure.DEATH, Set.of(2)), left(members(MemberState.JOINED, MemberState.JOINED)));
    }

    @Test
    void shouldLetGoOfNobodyWhenAllAreStopped() {
        assertEquals(Map.of(), left(members(MemberState.STOPPED, MemberState.STOPPED, MemberState.STOPPED)));
        GroupMap together = new GroupMap(
                "daos_server",
                GROUP_VERSION,
                List.of(
                        member(0, MemberState.JOINED, ""),
                        member(1, MemberState.STOPPED, ""),
                        member(2, MemberState.STOPPED, "")));
        assertEquals(Map.of(), left(together), "they are being started one by one");
    }

    @Test
    void shouldNotJudgeByAnOlderGroupMapThanTheLastDecision() {
        GroupMap old = members(MemberState.JOINED, MemberState.EXCLUDED, MemberState.JOINED);
        returns.onDecision(Set.of(1), GROUP_VERSION + 1, map);
        assertEquals(Map.of(), left(old));

        GroupMap fresh = new GroupMap("daos_server", GROUP_VERSION + 1, old.members());
        assertEquals(Map.of(Departure.DEATH, Set.of(1)), left(fresh));
    }

    @Test
    void shouldTellWhoIsMissed() {
        GroupMap members = members(MemberState.JOINED, MemberState.ERRORED, MemberState.STOPPING);
        assertEquals(Set.of(1, 2), Departure.absent(map, members));
        PoolMap without = map.withStates(Set.of(1), TargetState.DOWN);
        assertEquals(Set.of(2), Departure.absent(without, members));
    }
}
