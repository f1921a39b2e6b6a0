package io.daosmesh.itests.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.itests.sim.pool.Hazard;
import io.daosmesh.itests.sim.pool.PoolScenario;
import io.daosmesh.itests.sim.pool.PoolScenario.Outcome;
import io.daosmesh.itests.sim.pool.PoolScenario.Plan;
import io.daosmesh.itests.sim.pool.PoolSimulation;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * No acknowledged write lost, no stale or corrupt read, nothing unavailable called absent, every history linearizable, every
 * call ends: a hundred seeds over all plans. A failure names its plan and seed.
 */
class PoolSimulationTest {
    private static final int SEEDS = 100;

    static Stream<String> plans() {
        return PoolSimulation.plans().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("plans")
    void shouldKeepItsPromises(String name) {
        Plan plan = PoolSimulation.plans().get(name);
        int seeds = SEEDS / PoolSimulation.plans().size() + 1;
        int half = seeds / 2;
        Totals t = new Totals();

        for (long seed = 0; seed < seeds; seed++) {
            Outcome o = PoolScenario.run(plan, seed);
            assertEquals(List.of(), o.violations(), name + ", seed " + seed + "\n" + String.join("\n", o.notes()));
            assertEquals(0, o.undecided(), "the checker could not decide: " + name + ", seed " + seed);
            t.add(o);
        }

        assertTrue(t.writes > 50L * seeds, "it went on writing: " + t.writes);
        assertTrue(t.readsOfReplicas > 5L * seeds, "replicas answered: " + t.readsOfReplicas);
        assertTrue(t.crashes > half && t.exclusions > half && t.rebuilds > half, "enough went wrong: " + t);
        assertTrue(t.inWrites > seeds / 4, "batches torn: " + t.inWrites);
        assertTrue(t.scrubbed > 50L * seeds, "values scrubbed: " + t.scrubbed);
        if (plan.hazards().contains(Hazard.EMPTIED_GROUPS))
            assertTrue(t.emptied > seeds, "groups emptied: " + t.emptied);
        if (plan.hazards().equals(Set.of(Hazard.EMPTIED_GROUPS, Hazard.STOPPED_TARGETS)))
            assertTrue(t.idle > 0, "stopped with nothing taken: " + t.idle);
        if (plan.hazards().contains(Hazard.GIVEN_UP_CALLS)) assertTrue(t.unknown > seeds, "unknown: " + t.unknown);
        if (plan.hazards().contains(Hazard.BAD_BLOCKS)) assertTrue(t.damaged > seeds, "damaged: " + t.damaged);
        if (plan.hazards().contains(Hazard.ODD_INPUT)) assertTrue(t.oddRefusals > seeds, "odd: " + t.oddRefusals);
        if (plan.hazards().equals(Set.of(Hazard.HANGING_DEVICES))) assertTrue(t.hangs > seeds / 3, "hung: " + t.hangs);
        if (plan.hazards().equals(Set.of(Hazard.FULL_TARGETS)))
            assertTrue(t.full > seeds && t.blocked > 0, "no room: " + t.full + ", for rebuilds: " + t.blocked);
        if (plan.hazards().equals(Set.of(Hazard.CLOCK_STEPS))) assertTrue(t.clockWaits > 0, "waits: " + t.clockWaits);
    }

    @Test
    void shouldRepeatARunExactly() {
        Plan plan = new Plan(0.02, 10_000, EnumSet.allOf(Hazard.class));

        Outcome once = PoolScenario.run(plan, 42);

        assertEquals(once, PoolScenario.run(plan, 42));
    }

    private static final class Totals {
        private long writes;
        private long readsOfReplicas;
        private long unknown;
        private long oddRefusals;
        private long damaged;
        private long scrubbed;
        private long full;
        private long blocked;
        private long clockWaits;
        private int hangs;
        private int crashes;
        private int inWrites;
        private int exclusions;
        private int emptied;
        private int idle;
        private int rebuilds;

        void add(Outcome o) {
            writes += o.traffic().writes();
            readsOfReplicas += o.traffic().reads().ofReplicas();
            unknown += o.traffic().unknown();
            oddRefusals += o.traffic().oddRefusals();
            damaged += o.events().damaged();
            scrubbed += o.events().scrubbed();
            full += o.met().full();
            blocked += o.met().blocked();
            clockWaits += o.met().clockWaits();
            hangs += o.met().hangs();
            crashes += o.events().crashes();
            inWrites += o.events().inWrites();
            exclusions += o.events().exclusions();
            emptied += o.events().emptied();
            idle += o.events().idle();
            rebuilds += o.events().rebuilds();
        }

        @Override
        public String toString() {
            return crashes + " crashes, " + exclusions + " exclusions, " + rebuilds + " rebuilds";
        }
    }
}
