package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.pool.PoolScenario.Outcome;
import io.daosmesh.itests.sim.pool.PoolScenario.Plan;
import java.io.PrintStream;
import java.util.Locale;

/** Prints how the shipped pool classes do in virtual time. */
public final class PoolSimulation {
    private PoolSimulation() {}

    /** Runs every plan with {@code runs} seeds from {@code seed} on; true if nothing was violated. */
    public static boolean report(long seed, int runs, PrintStream out) {
        out.printf("%nA pool of 5 ranks in virtual time, seeds %d..%d%n%n", seed, seed + runs - 1);
        out.println("| scenario | writes | reads | resends | crashes | exclusions | rebuilds | violations |");
        out.println("|---|---|---|---|---|---|---|---|");
        boolean isFine = row("30 s of trouble, no loss", new Plan(0, 30_000), seed, runs, out);
        isFine &= row("30 s of trouble, 2 % loss", new Plan(0.02, 30_000), seed, runs, out);
        return isFine & row("30 s of trouble, 10 % loss", new Plan(0.1, 30_000), seed, runs, out);
    }

    private static boolean row(String name, Plan plan, long seed, int runs, PrintStream out) {
        long[] sums = new long[7];
        StringBuilder broken = new StringBuilder();
        for (long s = seed; s < seed + runs; s++) {
            Outcome o = PoolScenario.run(plan, s);
            long[] of = {
                o.writes(),
                o.reads(),
                o.resends(),
                o.crashes(),
                o.exclusions(),
                o.rebuilds(),
                o.violations().size()
            };
            for (int i = 0; i < sums.length; i++) sums[i] += of[i];
            if (!o.violations().isEmpty()) {
                broken.append("seed ")
                        .append(s)
                        .append(": ")
                        .append(o.violations().get(0))
                        .append('\n');
                for (String note : o.notes()) broken.append("    ").append(note).append('\n');
            }
        }
        out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %d | %d | %d | %d | %d |%n",
                name,
                sums[0],
                sums[1],
                sums[2],
                sums[3],
                sums[4],
                sums[5],
                sums[6]);
        out.print(broken);
        return broken.isEmpty();
    }
}
