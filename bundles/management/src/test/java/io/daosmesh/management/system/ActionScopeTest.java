package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemActionRequest.Action;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Rank 0 serves, rank 1 was stopped with others, rank 2 alone, rank 3 is excluded by the administrator. */
class ActionScopeTest {
    private static final GroupMap GROUP = new GroupMap(
            "s",
            1,
            List.of(
                    member(0, MemberState.JOINED, ""),
                    member(1, MemberState.STOPPED, ""),
                    member(2, MemberState.STOPPED, Departure.STOPPED_ALONE),
                    member(3, MemberState.ADMIN_EXCLUDED, "")));

    private static Member member(int rank, MemberState state, String info) {
        return new Member(rank, new UUID(0, rank), "n" + rank + ":1", "/" + rank, state, 1, 1, 0, info, 0);
    }

    private static List<Integer> chosen(Action action, boolean all, Integer... ranks) {
        SystemActionRequest r = SystemActionRequest.newBuilder()
                .setAction(action)
                .setAll(all)
                .addAllRanks(List.of(ranks))
                .build();
        return ActionScope.chosen(GROUP, r).stream().map(Member::rank).toList();
    }

    private static void assertRefused(Action action, boolean all, Integer... ranks) {
        FaultException e = assertThrows(FaultException.class, () -> chosen(action, all, ranks));
        assertEquals(FaultCode.INVAL, e.code());
    }

    @Test
    void shouldTakeAllForStopAndStartOnly() {
        assertEquals(List.of(0, 1, 2), chosen(Action.STOP, true));
        assertEquals(List.of(0, 1, 2), chosen(Action.START, true));
        assertRefused(Action.EXCLUDE, true);
        assertRefused(Action.STOP, false);
    }

    @Test
    void shouldRefuseRanksThatAreNotMeant() {
        assertEquals(List.of(3), chosen(Action.CLEAR_EXCLUDE, false, 3));
        assertRefused(Action.START, false, 3);
        assertRefused(Action.STOP, false, 0, 9);
    }

    @Test
    void shouldKnowWhoServesAndWhoIsLeftBehind() {
        assertTrue(ActionScope.isAllThatServe(GROUP, List.of(member(0, MemberState.JOINED, ""))));
        assertFalse(ActionScope.isAllThatServe(GROUP, List.of()));
        assertEquals(List.of(1), ActionScope.leftBehind(GROUP, List.of(member(0, MemberState.JOINED, ""))));
        assertEquals(List.of(), ActionScope.leftBehind(GROUP, List.of(member(1, MemberState.STOPPED, ""))));
    }
}
