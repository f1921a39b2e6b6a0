package io.daosmesh.itests.sim;

import io.daosmesh.itests.sim.SwimScenarios.Outcome;
import io.daosmesh.itests.sim.SwimScenarios.Trouble;
import io.daosmesh.swim.SwimConfig;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.function.LongFunction;
import java.util.stream.LongStream;

/** Prints how the shipped failure detection does in virtual time. */
final class SwimSimulation {
    private static final int SMALL_RUNS = 300;

    private SwimSimulation() {}

    static void report(long seed, int memberCount, PrintStream out) {
        out.printf(Locale.ROOT, "SWIM in virtual time, seed %d%n%n", seed);
        out.println("| scenario | first DEAD median / p99 s | DEAD at all median / p99 s | false deaths | missed |"
                + " wrong at the end | messages / member / s |");
        out.println("|---|---|---|---|---|---|---|");
        row(
                out,
                "3 members, one killed, connections refused",
                small(seed, s -> SwimScenarios.runKillOfThree(true, 0, s)));
        row(out, "3 members, one killed, silent", small(seed, s -> SwimScenarios.runKillOfThree(false, 0, s)));
        row(out, "3 members, silent, 10 % loss", small(seed, s -> SwimScenarios.runKillOfThree(false, 0.1, s)));
        long pauseNs = SwimConfig.ms(3_000);
        row(out, "3 members, one paused 3 s", small(seed, s -> SwimScenarios.runPauseOfThree(pauseNs, 0, s)));
        row(out, "3 members, paused 3 s, 10 % loss", small(seed, s -> SwimScenarios.runPauseOfThree(pauseNs, 0.1, s)));
        large(out, "20 killed silently, no loss", memberCount, 0, new Trouble(20, 0, 0, 0, 0), seed);
        Trouble mixed = new Trouble(20, 20, SwimConfig.ms(5_000), 20, SwimConfig.ms(5_000));
        large(out, "20 killed, 20 paused 5 s, 20 cut off 5 s, 10 % loss", memberCount, 0.1, mixed, seed);
        Trouble cut = new Trouble(0, 0, 0, memberCount / 20, SwimConfig.ms(20_000));
        large(out, "5 % cut off for 20 s, 21 s after healing, 10 % loss", memberCount, 0.1, cut, seed);
    }

    private static void large(PrintStream out, String name, int memberCount, double loss, Trouble trouble, long seed) {
        Outcome outcome = SwimScenarios.runLarge(memberCount, loss, trouble, SwimConfig.ms(45_000), seed);
        row(out, memberCount + " members, " + name, outcome);
    }

    static Outcome small(long seed, LongFunction<Outcome> run) {
        List<Outcome> outcomes = LongStream.range(seed * SMALL_RUNS, (seed + 1) * SMALL_RUNS)
                .mapToObj(run)
                .toList();
        return SwimScenarios.merge(outcomes);
    }

    private static void row(PrintStream out, String name, Outcome o) {
        out.printf(
                Locale.ROOT,
                "| %s | %s | %s | %d | %d | %d | %.1f |%n",
                name,
                quantiles(o.firstNs()),
                quantiles(o.allNs()),
                o.falseDeaths(),
                o.missed(),
                o.stuck(),
                o.messagesPerMemberSecond());
    }

    private static String quantiles(long[] sortedNs) {
        if (sortedNs.length == 0) {
            return "-";
        }
        return String.format(
                Locale.ROOT,
                "%.2f / %.2f (%.2f..%.2f)",
                SwimScenarios.quantile(sortedNs, 0.5) / 1e9,
                SwimScenarios.quantile(sortedNs, 0.99) / 1e9,
                sortedNs[0] / 1e9,
                sortedNs[sortedNs.length - 1] / 1e9);
    }
}
