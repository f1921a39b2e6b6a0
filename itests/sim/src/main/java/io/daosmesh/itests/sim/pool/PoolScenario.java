package io.daosmesh.itests.sim.pool;

import io.daosmesh.model.pool.TargetState;
import java.util.List;

/**
 * Clients write and read while ranks crash, lose power, sleep, are cut off, are put out and come back. Stateless; a run is
 * given by its arguments.
 */
public final class PoolScenario {
    /** Longer than any deadline, lease, fence and pause between tries in the shipped classes together. */
    private static final long END_MAX_NS = Timeline.ms(240_000);

    private static final int DOWN_MAX = 2;

    private PoolScenario() {}

    /** @param loss share of messages that are lost, {@code troubleMs} how long things go wrong */
    public record Plan(double loss, long troubleMs) {}

    /**
     * @param violations lost, stale or corrupt data, calls that never ended, broken invariants: none in a good run
     * @param notes the last things that happened
     */
    public record Outcome(
            List<String> violations,
            List<String> notes,
            long writes,
            long reads,
            long resends,
            int crashes,
            int exclusions,
            int rebuilds) {}

    private static final class Trouble {
        private final World world;
        private final long endNs;
        private int crashes;

        Trouble(World world, long forNs) {
            this.world = world;
            this.endNs = world.time.nowNs() + forNs;
        }

        boolean isOver() {
            return world.time.nowNs() >= endNs;
        }

        void next() {
            Timeline t = world.time;
            t.after(t.between(Timeline.ms(100), Timeline.ms(2_000)), () -> {
                if (isOver()) return;
                strike(world.nodes.get(t.below(World.RANKS)));
                next();
            });
        }

        private void strike(Node n) {
            Timeline t = world.time;
            switch (t.below(8)) {
                case 0, 1 -> crash(n);
                case 2 -> pause(n, t.between(Timeline.ms(50), Timeline.ms(6_000)));
                case 3 -> cutOff(n, t.between(Timeline.ms(100), Timeline.ms(6_000)));
                // also a rank that is well: the accusation may have been wrong
                case 4 -> putOut(n);
                case 5, 6 -> comeBack();
                default -> world.service.changeLeader();
            }
        }

        private void crash(Node n) {
            long down = world.nodes.stream().filter(o -> !o.isUp()).count();
            if (!n.isUp() || down == DOWN_MAX) return;
            boolean isPowerLoss = world.time.happens(0.5);
            world.note("rank " + n.rank + (isPowerLoss ? " loses power" : " is killed"));
            crashes++;
            n.crash(isPowerLoss);
            world.time.after(world.time.between(Timeline.ms(50), Timeline.ms(5_000)), () -> {
                world.note("rank " + n.rank + " starts");
                n.start(new EngineLife(n, world));
            });
        }

        private void pause(Node n, long forNs) {
            if (!n.isUp() || n.isPaused()) return;
            world.note("rank " + n.rank + " sleeps " + forNs / 1_000_000 + " ms");
            n.pause();
            maybePutOut(n, forNs);
            world.time.after(forNs, n::resume);
        }

        private void cutOff(Node n, long forNs) {
            if (n.isCutOff) return;
            world.note("rank " + n.rank + " is cut off for " + forNs / 1_000_000 + " ms");
            n.isCutOff = true;
            n.isSeenByClients = world.time.happens(0.5);
            world.time.after(forNs, () -> n.isCutOff = false);
            maybePutOut(n, forNs);
        }

        /** As failure detection would, sooner or later than it would. */
        private void maybePutOut(Node n, long silentNs) {
            if (world.time.happens(0.3)) return;
            world.time.after(world.time.between(0, silentNs), () -> putOut(n));
        }

        private void putOut(Node n) {
            if (world.service.exclude(n.rank, world.objects)) world.note("rank " + n.rank + " put out");
        }

        private void comeBack() {
            for (Node n : world.nodes) {
                boolean isWell = n.isUp() && !n.isPaused() && !n.isCutOff;
                if (isWell && world.service.reintegrate(n.rank)) {
                    world.note("rank " + n.rank + " comes back into the map");
                    return;
                }
            }
        }
    }

    /** One run. */
    public static Outcome run(Plan plan, long seed) {
        World world = new World(seed, plan.loss());
        // the pool is made before anybody uses it
        world.time.runUntil(() -> false, Timeline.ms(1_000));
        world.clients.forEach(Client::start);
        Trouble trouble = new Trouble(world, Timeline.ms(plan.troubleMs()));
        trouble.next();
        world.time.runUntil(() -> !world.violations.isEmpty() || trouble.isOver(), Timeline.ms(plan.troubleMs()));
        if (world.violations.isEmpty()) settle(world);
        if (world.violations.isEmpty()) compare(world);
        return new Outcome(
                world.violations,
                world.notes,
                world.writes,
                world.reads,
                world.resends,
                trouble.crashes,
                world.service.exclusions(),
                world.service.rebuilds());
    }

    /** Everything heals; every call must end and every rebuild be done. */
    private static void settle(World world) {
        world.note("trouble is over");
        world.isOpen = false;
        boolean isSettled = world.time.runUntil(
                () -> {
                    for (Node n : world.nodes)
                        if (n.isUp() && !n.isPaused() && !n.isCutOff) world.service.reintegrate(n.rank);
                    return isWhole(world) && world.clients.stream().allMatch(Client::isIdle);
                },
                END_MAX_NS);
        if (isSettled) return;
        StringBuilder left = new StringBuilder();
        for (Client c : world.clients) if (!c.isIdle()) left.append(c.doing()).append("; ");
        for (Node n : world.nodes) left.append(world.service.state(n.rank)).append(' ');
        world.violate("not settled in " + END_MAX_NS / 1_000_000_000 + " s: " + left);
    }

    private static boolean isWhole(World world) {
        return world.nodes.stream().allMatch(n -> n.isUp() && world.service.state(n.rank) == TargetState.UPIN);
    }

    private static void compare(World world) {
        // every rank has the last map by then, and what a rebuild has left behind is gone
        world.time.runUntil(() -> false, Timeline.ms(10_000));
        Client reader = world.clients.get(0);
        for (Register r : world.registers) {
            reader.compareReplicas(r);
            if (!world.time.runUntil(reader::isIdle, END_MAX_NS)) world.violate("not ended: " + reader.doing());
        }
        // what is still out of the buffers when nobody asks any more has leaked
        world.time.runUntil(() -> false, Timeline.ms(15_000));
        for (Node n : world.nodes) {
            EngineLife life = n.life();
            if (life != null && life.buffers.usedBytes() != 0)
                world.violate("rank " + n.rank + " has lost buffers of " + life.buffers.usedBytes() + " bytes");
        }
    }
}
