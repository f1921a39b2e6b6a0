package io.daosmesh.itests.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.itests.sim.SwimScenarios.Outcome;
import io.daosmesh.itests.sim.SwimScenarios.Trouble;
import io.daosmesh.itests.sim.SwimWorld.Net;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.SwimConfig;
import java.util.List;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Bounds of failure detection, each over many seeds. A failure names its seed: run it again with that one alone. */
class SwimSimulationTest {
    private static final int SEEDS = 300;

    @Test
    void shouldDeclareKilledProcessOfThreeDeadWithinASecond() {
        eachSeed(seed -> SwimScenarios.runKillOfThree(true, 0, seed), (seed, outcome) -> {
            assertBetween(seed, 0, 1_000, outcome);
            assertEquals(0, outcome.falseDeaths(), seed);
        });
    }

    @Test
    void shouldDeclareKilledProcessOfThreeDeadWithinASecondDespiteLoss() {
        eachSeed(seed -> SwimScenarios.runKillOfThree(true, 0.05, seed), (seed, outcome) -> {
            assertBetween(seed, 0, 1_000, outcome);
            assertEquals(0, outcome.falseDeaths(), seed);
        });
    }

    @Test
    void shouldDeclareSilentMemberOfThreeDeadBetweenThreeAndAHalfAndSixSeconds() {
        eachSeed(seed -> SwimScenarios.runKillOfThree(false, 0, seed), (seed, outcome) -> {
            assertBetween(seed, 3_500, 6_000, outcome);
            assertEquals(0, outcome.falseDeaths(), seed);
        });
    }

    @Test
    void shouldDeclareSilentMemberOfThreeDeadWithinSixSecondsDespiteLoss() {
        // a suspicion that a lost message began just before may end half a second sooner
        eachSeed(seed -> SwimScenarios.runKillOfThree(false, 0.1, seed), (seed, outcome) -> {
            assertBetween(seed, 2_500, 6_000, outcome);
            assertEquals(0, outcome.falseDeaths(), seed);
        });
    }

    @Test
    void shouldExcludeNobodyWhenOneOfThreePausesForThreeSeconds() {
        eachSeed(seed -> SwimScenarios.runPauseOfThree(SwimConfig.ms(3_000), 0, seed), (seed, outcome) -> {
            assertEquals(0, outcome.falseDeaths(), seed);
            assertEquals(0, outcome.stuck(), seed);
        });
    }

    @Test
    void shouldComeBackAfterPauseThatWasTooLong() {
        eachSeed(seed -> SwimScenarios.runPauseOfThree(SwimConfig.ms(9_000), 0, seed), (seed, outcome) -> {
            assertEquals(1, outcome.falseDeaths(), seed + ": the paused member, and nobody that it accused");
            assertEquals(0, outcome.stuck(), seed);
        });
    }

    @Test
    void shouldGiveUpNobodyWhenOneOfThreeIsCutOffAndComeBackAfterwards() {
        for (long seed = 0; seed < 100; seed++) {
            SwimWorld world = world(3, seed);
            world.schedule(SwimConfig.ms(5_000), () -> world.moveToSide(0, 1));
            world.schedule(SwimConfig.ms(15_000), () -> world.moveToSide(0, 0));
            world.runUntil(SwimConfig.ms(15_000));
            assertEquals(MemberState.DEAD, world.swim(1).state(0), "seed " + seed);
            assertTrue(world.swim(0).state(1) != MemberState.DEAD, "seed " + seed + ": the minority judged");
            assertTrue(
                    world.nowNs() - world.swim(0).lastMajorityContactNs(world.nowNs()) > SwimConfig.ms(9_000),
                    "seed " + seed + ": the minority felt like a majority");

            world.runUntil(SwimConfig.ms(25_000));

            assertAllAlive(world, 3, seed);
        }
    }

    @Test
    void shouldGiveUpNobodyWhenTwoOfThreeFallSilent() {
        for (long seed = 0; seed < 100; seed++) {
            SwimWorld world = world(3, seed);
            world.schedule(SwimConfig.ms(5_000), () -> world.pause(1, SwimConfig.ms(20_000)));
            world.schedule(SwimConfig.ms(5_500), () -> world.pause(2, SwimConfig.ms(20_000)));
            world.runUntil(SwimConfig.ms(24_900));
            assertEquals(MemberState.SUSPECT, world.swim(0).state(1), "seed " + seed);
            assertEquals(MemberState.SUSPECT, world.swim(0).state(2), "seed " + seed);
            assertTrue(
                    world.nowNs() - world.swim(0).lastMajorityContactNs(world.nowNs()) > SwimConfig.ms(18_000),
                    "seed " + seed + ": the survivor felt like a majority");

            world.runUntil(SwimConfig.ms(35_000));

            assertAllAlive(world, 3, seed);
            assertEquals(0, deaths(world), "seed " + seed);
        }
    }

    @Test
    void shouldNotLetTheMinorityOfFiveFeelLikeAMajority() {
        for (long seed = 0; seed < 100; seed++) {
            SwimWorld world = world(5, seed);
            world.schedule(SwimConfig.ms(5_000), () -> world.moveToSide(0, 1));
            world.schedule(SwimConfig.ms(5_000), () -> world.moveToSide(1, 1));
            world.runUntil(SwimConfig.ms(30_000));

            for (int rank = 0; rank < 5; rank++) {
                long agoNs = world.nowNs() - world.swim(rank).lastMajorityContactNs(world.nowNs());
                assertEquals(rank >= 2, agoNs < SwimConfig.ms(3_000), "seed " + seed + " rank " + rank);
            }
        }
    }

    @Test
    void shouldNotDeclareAnnouncedRestartDead() {
        for (long seed = 0; seed < 100; seed++) {
            SwimWorld world = world(3, seed);
            world.schedule(SwimConfig.ms(5_000), () -> world.announceRestart(2, SwimConfig.ms(10_000)));
            world.schedule(SwimConfig.ms(5_050), () -> world.kill(2, true));
            world.schedule(SwimConfig.ms(14_000), () -> world.restart(2));
            world.runUntil(SwimConfig.ms(25_000));

            assertAllAlive(world, 3, seed);
            assertEquals(0, deaths(world), "seed " + seed);
        }
    }

    @Test
    void shouldDeclareOverstayedRestartDead() {
        SwimWorld world = world(3, 1);
        world.schedule(SwimConfig.ms(5_000), () -> world.announceRestart(2, SwimConfig.ms(10_000)));
        world.schedule(SwimConfig.ms(5_050), () -> world.kill(2, false));
        world.runUntil(SwimConfig.ms(14_900));
        assertEquals(MemberState.RESTARTING, world.swim(0).state(2));

        world.runUntil(SwimConfig.ms(18_500));

        assertEquals(MemberState.DEAD, world.swim(0).state(2));
        assertEquals(MemberState.DEAD, world.swim(1).state(2));
    }

    @Test
    void shouldFallBackToSuspicionWhenOnlyTwoAreLeft() {
        for (long seed = 0; seed < 100; seed++) {
            SwimWorld world = world(2, seed);
            world.schedule(SwimConfig.ms(5_000), () -> world.kill(1, true));
            world.runUntil(SwimConfig.ms(7_500));
            assertEquals(MemberState.SUSPECT, world.swim(0).state(1), "seed " + seed);
            world.runUntil(SwimConfig.ms(8_600));
            assertEquals(MemberState.DEAD, world.swim(0).state(1), "seed " + seed);
        }
    }

    @Test
    void shouldRepeatARunExactly() {
        Trouble trouble = new Trouble(2, 2, SwimConfig.ms(5_000), 2, SwimConfig.ms(5_000));

        Outcome once = SwimScenarios.runLarge(60, 0.1, trouble, SwimConfig.ms(20_000), 42);
        Outcome again = SwimScenarios.runLarge(60, 0.1, trouble, SwimConfig.ms(20_000), 42);

        assertEquals(List.of(boxed(once)), List.of(boxed(again)));
    }

    @Test
    void shouldDetectDeathsAmongThousandMembersWithLossPausesAndCuts() {
        Trouble trouble = new Trouble(20, 20, SwimConfig.ms(5_000), 20, SwimConfig.ms(5_000));

        // a seed that once gave a false death; more of them in docs/swim.md
        Outcome outcome = SwimScenarios.runLarge(1_000, 0.1, trouble, SwimConfig.ms(30_000), 2);

        assertEquals(0, outcome.missed(), "every survivor knows every death");
        assertTrue(SwimScenarios.quantile(outcome.firstNs(), 0.5) <= SwimConfig.ms(12_000), "median to the first");
        assertTrue(SwimScenarios.quantile(outcome.allNs(), 0.99) <= SwimConfig.ms(15_000), "p99 to all");
        assertEquals(0, outcome.falseDeaths());
        assertEquals(0, outcome.stuck());
        assertTrue(outcome.messagesPerMemberSecond() <= 15, "messages " + outcome.messagesPerMemberSecond());
    }

    private interface Check {
        void check(String seed, Outcome outcome);
    }

    private static void eachSeed(LongFunction<Outcome> run, Check check) {
        LongStream.range(0, SEEDS).forEach(seed -> check.check("seed " + seed, run.apply(seed)));
    }

    private static void assertBetween(String seed, long minMs, long maxMs, Outcome outcome) {
        assertEquals(0, outcome.missed(), seed);
        long firstMs = outcome.firstNs()[0] / 1_000_000;
        long allMs = outcome.allNs()[0] / 1_000_000;
        assertTrue(firstMs >= minMs && allMs <= maxMs, seed + ": first " + firstMs + " ms, all " + allMs + " ms");
    }

    private static SwimWorld world(int memberCount, long seed) {
        return new SwimWorld(SwimConfig.defaults(), memberCount, Net.lossy(0), seed);
    }

    private static void assertAllAlive(SwimWorld world, int memberCount, long seed) {
        for (int observer = 0; observer < memberCount; observer++) {
            for (int subject = 0; subject < memberCount; subject++) {
                assertEquals(MemberState.ALIVE, world.swim(observer).state(subject), "seed " + seed);
            }
        }
    }

    private static long deaths(SwimWorld world) {
        return world.beliefs().stream()
                .filter(belief -> belief.state() == MemberState.DEAD)
                .count();
    }

    private static List<Object> boxed(Outcome outcome) {
        return List.of(
                IntStream.range(0, outcome.firstNs().length)
                        .mapToObj(i -> outcome.firstNs()[i] + "/" + outcome.allNs()[i])
                        .toList(),
                outcome.falseDeaths(),
                outcome.messagesPerMemberSecond());
    }
}
