package io.daosmesh.itests.sim;

import io.daosmesh.itests.sim.pool.PoolSimulation;

/** All simulations of shipped classes in virtual time: {@code ./mesh sim [--seed N] [--members N] [--runs N] [--plan NAME]}. */
public final class Simulation {
    private static final int RUNS_MAX = 10_000;

    private Simulation() {}

    /** Exit status 0; 1 when a simulated promise was broken, 2 for wrong usage. */
    public static void main(String[] args) {
        long seed = 1;
        int memberCount = 1_000;
        int runs = 100;
        String plan = "";
        try {
            for (int i = 0; i < args.length; i += 2) {
                switch (args[i]) {
                    case "--seed" -> seed = Long.parseLong(args[i + 1]);
                    case "--members" -> memberCount = Integer.parseInt(args[i + 1]);
                    case "--runs" -> runs = Integer.parseInt(args[i + 1]);
                    case "--plan" -> plan = args[i + 1];
                    default -> throw new IllegalArgumentException(args[i]);
                }
            }
            if (memberCount < 100 || memberCount > 5_000 || runs < 1 || runs > RUNS_MAX || !isPlan(plan))
                throw new IllegalArgumentException("out of range");
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException wrong) {
            System.err.println(
                    "usage: sim [--seed N] [--members 100..5000] [--runs 1.." + RUNS_MAX + "] [--plan NAME]");
            System.err.println(
                    "plans: " + String.join("; ", PoolSimulation.plans().keySet()));
            System.exit(2);
            return;
        }
        if (plan.isEmpty()) SwimSimulation.report(seed, memberCount, System.out);
        if (!PoolSimulation.report(plan, seed, runs, System.out)) System.exit(1);
    }

    private static boolean isPlan(String name) {
        return name.isEmpty() || PoolSimulation.plans().containsKey(name);
    }
}
