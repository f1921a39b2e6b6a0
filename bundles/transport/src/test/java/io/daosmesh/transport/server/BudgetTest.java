package io.daosmesh.transport.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How clients share what a node can hold. */
class BudgetTest {
    private final Budget budget = new Budget(1000);

    private static void fill(Budget.Account a) {
        while (a.take(10)) continue;
    }

    @Test
    void shouldGiveHalfToOneAndLeaveRoomForTheNext() {
        Budget.Account greedy = budget.open("greedy");
        Budget.Account polite = budget.open("polite");
        fill(greedy);

        assertEquals(500, greedy.held());
        assertTrue(polite.take(200));
        assertFalse(greedy.take(10));
    }

    @Test
    void shouldGiveWhatIsReturnedToWhoHasLeast() {
        List<Budget.Account> greedy = new ArrayList<>();
        for (int i = 0; i < 9; i++) greedy.add(budget.open("g" + i));
        greedy.forEach(BudgetTest::fill);

        greedy.get(0).giveBack(20);

        assertFalse(greedy.get(0).take(10));
        assertTrue(budget.open("polite").take(10), "used " + budget.used());
        assertTrue(budget.used() <= 1000);
    }

    @Test
    void shouldGiveEverythingBack() {
        Budget.Account one = budget.open("a");
        Budget.Account again = budget.open("a");
        assertSame(one, again);
        assertTrue(one.take(300));
        one.close();
        again.giveBack(300);
        again.close();

        assertEquals(0, budget.used());
        assertEquals(0, budget.accounts());
    }
}
