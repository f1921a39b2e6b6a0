package io.daosmesh.itests.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.itests.sim.pool.PoolScenario;
import io.daosmesh.itests.sim.pool.PoolScenario.Outcome;
import io.daosmesh.itests.sim.pool.PoolScenario.Plan;
import java.util.List;
import org.junit.jupiter.api.Test;

/** No acknowledged write lost, no stale or corrupt read, every call ends: over many seeds. A failure names its seed. */
class PoolSimulationTest {
    private static final long TROUBLE_MS = 30_000;

    @Test
    void shouldKeepItsPromisesWhileRanksFail() {
        Totals totals = run(new Plan(0, TROUBLE_MS), 12);

        assertTrue(totals.writes > 5_000, "it went on writing: " + totals.writes);
        assertTrue(totals.crashes > 20 && totals.exclusions > 20 && totals.rebuilds > 20, totals.toString());
    }

    @Test
    void shouldKeepItsPromisesWhenMessagesAreLostAsWell() {
        Totals totals = run(new Plan(0.02, TROUBLE_MS), 12);

        assertTrue(totals.writes > 500, "it went on writing: " + totals.writes);
    }

    @Test
    void shouldRepeatARunExactly() {
        Plan plan = new Plan(0.02, 10_000);

        Outcome once = PoolScenario.run(plan, 42);

        assertEquals(once, PoolScenario.run(plan, 42));
    }

    private record Totals(long writes, int crashes, int exclusions, int rebuilds) {}

    private static Totals run(Plan plan, int seeds) {
        long writes = 0;
        int crashes = 0;
        int exclusions = 0;
        int rebuilds = 0;
        for (long seed = 0; seed < seeds; seed++) {
            Outcome o = PoolScenario.run(plan, seed);
            assertEquals(List.of(), o.violations(), "seed " + seed + "\n" + String.join("\n", o.notes()));
            writes += o.writes();
            crashes += o.crashes();
            exclusions += o.exclusions();
            rebuilds += o.rebuilds();
        }
        return new Totals(writes, crashes, exclusions, rebuilds);
    }
}
