package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.pool.PoolScenario.Outcome;
import io.daosmesh.itests.sim.pool.PoolScenario.Plan;
import java.io.PrintStream;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Prints how the shipped pool classes do in virtual time. */
public final class PoolSimulation {
    private static final long TROUBLE_MS = 12_000;
    private static final int SHOWN_MAX = 5;

    private PoolSimulation() {}

    /** The plans of a simulation by name. */
    public static Map<String, Plan> plans() {
        Map<String, Plan> all = new LinkedHashMap<>();
        all.put("failures", plan(0));
        all.put("2 % loss", plan(0.02));
        all.put("maps skipped", plan(0, Hazard.SKIPPED_MAPS));
        all.put("late tries, calls given up", plan(0.02, Hazard.LATE_TRIES, Hazard.GIVEN_UP_CALLS));
        all.put("groups emptied", plan(0, Hazard.EMPTIED_GROUPS));
        all.put("odd input", plan(0.01, Hazard.ODD_INPUT));
        all.put("bad blocks", plan(0, Hazard.BAD_BLOCKS));
        all.put("pool extended", plan(0.01, Hazard.EXTENSION));
        all.put("devices full", plan(0.01, Hazard.FULL_TARGETS));
        all.put("devices hang", new Plan(0.01, 2 * TROUBLE_MS, Set.of(Hazard.HANGING_DEVICES)));
        all.put("targets stop", plan(0.01, Hazard.EMPTIED_GROUPS, Hazard.STOPPED_TARGETS));
        all.put("clocks set", plan(0.01, Hazard.CLOCK_STEPS));
        all.put("everything, 5 % loss", new Plan(0.05, 2 * TROUBLE_MS, EnumSet.allOf(Hazard.class)));
        return all;
    }

    private static Plan plan(double loss, Hazard... hazards) {
        return new Plan(loss, TROUBLE_MS, Set.of(hazards));
    }

    /**
     * Shares the runs among the plans, each with its seeds from {@code seed} on; true if nothing was violated or left undecided.
     *
     * @param only name of a plan; empty = all
     */
    public static boolean report(String only, long seed, int runs, PrintStream out) {
        Map<String, Plan> chosen = plans();
        if (!only.isEmpty()) chosen.keySet().retainAll(Set.of(only));
        int seeds = (runs + chosen.size() - 1) / chosen.size();
        out.printf(
                Locale.ROOT,
                "%nA pool of 5 ranks in virtual time, for each scenario seeds %d..%d%n%n",
                seed,
                seed + seeds - 1);
        out.println("| scenario | writes | reads | by replicas | resends | unknown | unavailable | unreadable"
                + " | odd refused | crashes | exclusions | emptied groups | idle targets | rebuilds | damaged copies | hung devices"
                + " | no room | rebuild without room | clocks waited for | undecided | violations |");
        out.println("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        boolean isFine = true;
        for (Map.Entry<String, Plan> e : chosen.entrySet()) isFine &= row(e.getKey(), e.getValue(), seed, seeds, out);
        return isFine;
    }

    private static boolean row(String name, Plan plan, long seed, int seeds, PrintStream out) {
        long[] sums = new long[20];
        StringBuilder broken = new StringBuilder();
        int shown = 0;
        for (long s = seed; s < seed + seeds; s++) {
            Outcome o = PoolScenario.run(plan, s);
            long[] of = numbers(o);
            for (int i = 0; i < sums.length; i++) sums[i] += of[i];
            if (!o.isFine()) describe(name, s, o, shown++ < SHOWN_MAX, broken);
        }
        StringBuilder line = new StringBuilder("| " + name);
        for (long sum : sums) line.append(" | ").append(String.format(Locale.ROOT, "%d", sum));
        out.println(line.append(" |"));
        out.flush();
        out.print(broken);
        return broken.isEmpty();
    }

    private static long[] numbers(Outcome o) {
        return new long[] {
            o.traffic().writes(),
            o.traffic().reads().all(),
            o.traffic().reads().ofReplicas(),
            o.traffic().resends(),
            o.traffic().unknown(),
            o.traffic().unavailable(),
            o.traffic().unreadable(),
            o.traffic().oddRefusals(),
            o.events().crashes(),
            o.events().exclusions(),
            o.events().emptied(),
            o.events().idle(),
            o.events().rebuilds(),
            o.events().damaged(),
            o.met().hangs(),
            o.met().full(),
            o.met().blocked(),
            o.met().clockWaits(),
            o.undecided(),
            o.violations().size()
        };
    }

    private static void describe(String plan, long seed, Outcome o, boolean isShown, StringBuilder broken) {
        String what = o.violations().isEmpty()
                ? "the checker could not decide"
                : o.violations().get(0);
        broken.append(String.format(
                Locale.ROOT,
                "seed %d: %s%n    alone: ./mesh sim --plan '%s' --seed %d --runs 1%n",
                seed,
                what,
                plan,
                seed));
        if (isShown)
            for (String note : o.notes()) broken.append("    ").append(note).append('\n');
    }
}
