package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.pool.TargetState;
import java.util.List;
import java.util.Set;

/**
 * Clients write and read while ranks crash, lose power, sleep, are cut off, are put out and come back. Stateless; a run is
 * given by its arguments.
 */
public final class PoolScenario {
    private PoolScenario() {}

    /**
     * @param loss share of messages that are lost
     * @param troubleMs how long things go wrong
     * @param hazards what goes wrong besides the usual
     */
    public record Plan(double loss, long troubleMs, Set<Hazard> hazards) {
        public Plan {
            hazards = Set.copyOf(hazards);
        }

        /** Clients give up calls that nobody can answer for some seconds. */
        boolean isHurried() {
            return hazards.contains(Hazard.GIVEN_UP_CALLS)
                    || hazards.contains(Hazard.EMPTIED_GROUPS)
                    || hazards.contains(Hazard.BAD_BLOCKS);
        }
    }

    /**
     * @param violations lost, stale or corrupt data, calls that never ended, broken invariants: none in a good run
     * @param notes the last things that happened
     * @param undecided histories that the checker could not decide: none in a good run
     */
    public record Outcome(
            List<String> violations, List<String> notes, Traffic traffic, Events events, Met met, int undecided) {
        public boolean isFine() {
            return violations.isEmpty() && undecided == 0;
        }
    }

    /**
     * What clients did.
     *
     * @param unknown writes given up that may have happened, or happen later
     * @param unreadable of the unavailable ones, those whose value has no readable copy left
     * @param unavailable calls that were refused or given up since nobody could answer
     */
    public record Traffic(
            long writes,
            Reads reads,
            long resends,
            long unknown,
            long unavailable,
            long unreadable,
            long oddRefusals) {}

    /** @param ofReplicas among them those that another replica than the leader has answered */
    public record Reads(long all, long ofReplicas) {}

    /**
     * What happened to ranks.
     *
     * @param inWrites crashes that tore a batch on its way into the log
     * @param idle targets that stopped and were put out as having taken nothing since another one
     * @param damaged copies that somebody could not read
     * @param scrubbed values verified by the scrubbers of those that lived at the end
     */
    public record Events(
            int crashes,
            int inWrites,
            int exclusions,
            int emptied,
            int idle,
            int rebuilds,
            long damaged,
            long scrubbed) {}

    /**
     * Hazards that were met.
     *
     * @param hangs devices that were left to hang
     * @param full writes that found no room
     * @param blocked times that a rank said it had no room for what it shall pull
     * @param clockWaits looks of starts that found their clock behind what is stored
     */
    public record Met(int hangs, long full, long blocked, long clockWaits) {}

    /** One run. */
    public static Outcome run(Plan plan, long seed) {
        World world = new World(plan, seed);
        // the pool is made before anybody uses it
        world.time.runUntil(() -> false, Timeline.ms(1_000));
        world.users().forEach(User::start);
        Trouble trouble = new Trouble(world, Timeline.ms(plan.troubleMs()));
        trouble.next();
        world.time.runUntil(() -> !world.violations.isEmpty() || trouble.isOver(), Timeline.ms(plan.troubleMs()));
        if (world.violations.isEmpty()) settle(world);
        if (world.violations.isEmpty()) compare(world);
        if (world.violations.isEmpty()) world.judge();
        PoolService s = world.service;
        return new Outcome(
                world.violations,
                world.notes,
                new Traffic(
                        world.writes,
                        new Reads(world.reads, world.readsOfReplicas),
                        world.resends,
                        world.unknown,
                        world.unavailable,
                        world.unreadable,
                        world.oddRefusals),
                new Events(
                        trouble.crashes(),
                        trouble.crashesInWrites(),
                        s.exclusions(),
                        s.emptied(),
                        s.idle(),
                        s.rebuilds(),
                        world.damaged,
                        world.scrubbed()),
                new Met(trouble.hangs(), world.refusedAsFull, world.blocked, world.clockWaits),
                world.undecided);
    }

    /** Everything heals; every call must end and every rebuild be done. */
    private static void settle(World world) {
        world.note("trouble is over");
        world.isOpen = false;
        boolean isSettled = world.time.runUntil(
                () -> !world.violations.isEmpty()
                        || isWhole(world) && world.users().stream().allMatch(User::isIdle),
                World.END_MAX_NS);
        if (isSettled) return;
        StringBuilder left = new StringBuilder();
        for (User u : world.users()) if (!u.isIdle()) left.append(u.doing()).append("; ");
        for (Node n : world.nodes) left.append(world.service.state(n.rank)).append(' ');
        world.violate("not settled in " + World.END_MAX_NS / 1_000_000_000 + " s: " + left);
    }

    private static boolean isWhole(World world) {
        return world.nodes.stream().allMatch(n -> n.isUp() && world.service.state(n.rank) == TargetState.UPIN);
    }

    private static void compare(World world) {
        // every rank has the last map by then, and what a rebuild has left behind is gone
        world.time.runUntil(() -> false, Timeline.ms(10_000));
        Client reader = world.clients.get(0);
        for (Register r : world.registers) {
            reader.compareReplicas(r, World.END_MAX_NS);
            await(world, reader);
            if (!r.isContested) {
                // what was written last is there too
                reader.compareReplicas(r, World.END_MAX_NS);
                await(world, reader);
            }
        }
        for (OddUser.Key k : world.oddKeys) {
            world.oddUsers.get(0).fetch(k, World.END_MAX_NS);
            await(world, world.oddUsers.get(0));
        }
        // what is still out of the buffers when nobody asks any more has leaked
        world.isQuiet = true;
        world.time.runUntil(() -> false, Timeline.ms(15_000));
        for (Node n : world.nodes) {
            EngineLife life = n.life();
            if (life != null && life.buffers.usedBytes() != 0)
                world.violate("rank " + n.rank + " has lost buffers of " + life.buffers.usedBytes() + " bytes");
        }
    }

    private static void await(World world, User user) {
        if (!world.time.runUntil(user::isIdle, 2 * World.END_MAX_NS)) world.violate("not ended: " + user.doing());
    }
}
