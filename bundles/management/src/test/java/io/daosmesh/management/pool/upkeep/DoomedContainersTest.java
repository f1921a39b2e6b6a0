package io.daosmesh.management.pool.upkeep;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class DoomedContainersTest implements DoomedContainers.Effects {
    private static final UUID CONTAINER = new UUID(0, 7);

    private final DoomedContainers doomed = new DoomedContainers();
    private final List<String> done = new ArrayList<>();

    @Override
    public void drop(UUID container, List<Member> members) {
        done.add(container.getLeastSignificantBits() + " on "
                + members.stream().map(Member::rank).toList());
    }

    /** Ranks 0 to 2; the named one is away. */
    private static GroupMap without(int away) {
        List<Member> members = IntStream.range(0, 3)
                .mapToObj(r -> new Member(
                        r,
                        new UUID(0, r),
                        "n" + r + ":1",
                        "/" + r,
                        r == away ? MemberState.EXCLUDED : MemberState.JOINED,
                        1,
                        1,
                        0,
                        "",
                        0))
                .toList();
        return new GroupMap("s", 1, members);
    }

    private void review(long nowNs, Map<UUID, Set<Integer>> held, int away, String... expected) {
        doomed.review(nowNs, held, without(away), this);
        assertEquals(List.of(expected), done);
        done.clear();
    }

    @Test
    void shouldAskThoseThatAreThereOneTimeAtOnce() {
        Map<UUID, Set<Integer>> held = Map.of(CONTAINER, Set.of(2));

        review(0, held, 2);
        review(0, held, -1, "7 on [2]");
        review(0, held, -1);
        doomed.onDone(CONTAINER);

        review(0, held, -1, "7 on [2]");
    }

    @Test
    void shouldLeaveARankThatFailedAloneForAWhile() {
        Map<UUID, Set<Integer>> held = Map.of(CONTAINER, Set.of(2));
        doomed.onFailed(0, 2);

        review(DoomedContainers.PAUSE_NS - 1, held, -1);
        review(DoomedContainers.PAUSE_NS, held, -1, "7 on [2]");
    }

    @Test
    void shouldDropAFewAtATime() {
        Map<UUID, Set<Integer>> held = new TreeMap<>();
        for (int i = 0; i < 2 * DoomedContainers.AT_ONCE_MAX; i++) held.put(new UUID(1, i), Set.of(0));

        doomed.review(0, held, without(-1), this);

        assertEquals(DoomedContainers.AT_ONCE_MAX, done.size());
    }
}
