package io.daosmesh.itests.sim;

import io.daosmesh.itests.sim.SwimWorld.Belief;
import io.daosmesh.itests.sim.SwimWorld.Net;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.SwimConfig;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** What happens to a mesh, and what came of it. Stateless; every run is given by its arguments. */
public final class SwimScenarios {
    /** Members settle before anything happens to them: the phase of their probes is random by then. */
    public static final long WARM_UP_NS = SwimConfig.ms(4_000);

    /** Longer than the shortest suspicion of a thousand members: giving each other up across such a cut is right. */
    private static final long LONG_CUT_NS = SwimConfig.ms(8_000);

    private SwimScenarios() {}

    /**
     * @param firstNs per victim: silence until the first DEAD
     * @param allNs per victim: silence until DEAD at every living member
     * @param falseDeaths members declared DEAD although they ran (any observer, told or own finding), verdicts across a
     *     cut longer than the suspicion left out
     * @param missed deaths that a survivor did not learn of
     * @param stuck living members that some living member believes DEAD at the end
     */
    public record Outcome(
            long[] firstNs, long[] allNs, int falseDeaths, double messagesPerMemberSecond, int missed, int stuck) {}

    /** What happens in a large mesh: how many are killed silently, paused, cut off. */
    public record Trouble(int kills, int pauses, long pauseNs, int cutOff, long cutOffNs) {}

    /** A large mesh in trouble for {@code virtualNs}; the members are chosen by the seed. */
    public static Outcome runLarge(int memberCount, double loss, Trouble trouble, long virtualNs, long seed) {
        SwimWorld world = new SwimWorld(SwimConfig.defaults(), memberCount, Net.lossy(loss), seed);
        SplittableRandom choice = new SplittableRandom(seed ^ 0x5157494dL);
        int[] ranks = shuffled(memberCount, choice);
        int next = 0;
        Map<Integer, Long> killedAtNs = new HashMap<>();
        Set<Integer> cutOff = new HashSet<>();
        for (int i = 0; i < trouble.kills(); i++) {
            int rank = ranks[next++];
            long atNs = WARM_UP_NS + choice.nextLong(SwimConfig.ms(8_000));
            killedAtNs.put(rank, atNs);
            world.schedule(atNs, () -> world.kill(rank, false));
        }
        for (int i = 0; i < trouble.pauses(); i++) {
            int rank = ranks[next++];
            long atNs = WARM_UP_NS + choice.nextLong(SwimConfig.ms(8_000));
            world.schedule(atNs, () -> world.pause(rank, trouble.pauseNs()));
        }
        for (int i = 0; i < trouble.cutOff(); i++) {
            int rank = ranks[next++];
            if (trouble.cutOffNs() > LONG_CUT_NS) {
                cutOff.add(rank);
            }
            world.schedule(WARM_UP_NS, () -> world.moveToSide(rank, 1));
            world.schedule(WARM_UP_NS + trouble.cutOffNs(), () -> world.moveToSide(rank, 0));
        }
        world.runUntil(WARM_UP_NS + virtualNs);
        return judge(world, memberCount, killedAtNs, cutOff);
    }

    /** Three members; one is killed at a random moment. */
    public static Outcome runKillOfThree(boolean refuses, double loss, long seed) {
        SwimWorld world = new SwimWorld(SwimConfig.defaults(), 3, Net.lossy(loss), seed);
        SplittableRandom choice = new SplittableRandom(seed ^ 0x5157494dL);
        int victim = choice.nextInt(3);
        long atNs = WARM_UP_NS + choice.nextLong(SwimConfig.ms(3_000));
        world.schedule(atNs, () -> world.kill(victim, refuses));
        world.runUntil(atNs + SwimConfig.ms(12_000));
        return judge(world, 3, Map.of(victim, atNs), Set.of());
    }

    /** Three members; one stands still for {@code pauseNs} at a random moment. */
    public static Outcome runPauseOfThree(long pauseNs, double loss, long seed) {
        SwimWorld world = new SwimWorld(SwimConfig.defaults(), 3, Net.lossy(loss), seed);
        SplittableRandom choice = new SplittableRandom(seed ^ 0x5157494dL);
        int victim = choice.nextInt(3);
        long atNs = WARM_UP_NS + choice.nextLong(SwimConfig.ms(3_000));
        world.schedule(atNs, () -> world.pause(victim, pauseNs));
        world.runUntil(atNs + SwimConfig.ms(15_000));
        return judge(world, 3, Map.of(), Set.of());
    }

    private static Outcome judge(SwimWorld world, int memberCount, Map<Integer, Long> killedAtNs, Set<Integer> cutOff) {
        Map<Integer, Long> firstNs = new HashMap<>();
        Map<Integer, Long> lastNs = new HashMap<>();
        Map<Integer, Set<Integer>> observers = new HashMap<>();
        Set<Integer> falselyDead = new HashSet<>();
        for (Belief belief : world.beliefs()) {
            boolean isAcrossCut = cutOff.contains(belief.subject()) || cutOff.contains(belief.observer());
            if (belief.state() != MemberState.DEAD || isAcrossCut) {
                continue;
            }
            Long killedNs = killedAtNs.get(belief.subject());
            if (killedNs == null || belief.atNs() < killedNs) {
                falselyDead.add(belief.subject());
            } else if (!killedAtNs.containsKey(belief.observer())) {
                firstNs.putIfAbsent(belief.subject(), belief.atNs() - killedNs);
                lastNs.put(belief.subject(), belief.atNs() - killedNs);
                observers
                        .computeIfAbsent(belief.subject(), r -> new HashSet<>())
                        .add(belief.observer());
            }
        }
        int survivors = memberCount - killedAtNs.size();
        int missed = 0;
        for (int victim : killedAtNs.keySet()) {
            missed += survivors - observers.getOrDefault(victim, Set.of()).size();
        }
        double memberSeconds = world.nowNs() / 1e9 * memberCount;
        return new Outcome(
                sorted(firstNs),
                sorted(lastNs),
                falselyDead.size(),
                world.sentCount() / memberSeconds,
                missed,
                stuck(world, memberCount, killedAtNs.keySet()));
    }

    /** Living members that some living member does not believe ALIVE at the end. */
    private static int stuck(SwimWorld world, int memberCount, Set<Integer> killed) {
        Set<Integer> stuck = new HashSet<>();
        for (int observer = 0; observer < memberCount; observer++) {
            for (int subject = 0; subject < memberCount; subject++) {
                if (!killed.contains(observer)
                        && !killed.contains(subject)
                        && world.swim(observer).state(subject) == MemberState.DEAD) {
                    stuck.add(subject);
                }
            }
        }
        return stuck.size();
    }

    /** The value below which the share {@code q} of the sorted values lies. */
    public static long quantile(long[] sorted, double q) {
        return sorted[(int) Math.min(sorted.length - 1L, (long) (q * sorted.length))];
    }

    private static long[] sorted(Map<Integer, Long> byRank) {
        return byRank.values().stream().mapToLong(Long::longValue).sorted().toArray();
    }

    private static int[] shuffled(int count, SplittableRandom choice) {
        int[] ranks = new int[count];
        Arrays.setAll(ranks, i -> i);
        for (int i = count - 1; i > 0; i--) {
            int j = choice.nextInt(i + 1);
            int swapped = ranks[i];
            ranks[i] = ranks[j];
            ranks[j] = swapped;
        }
        return ranks;
    }

    /** Several outcomes of the same scenario as one. */
    public static Outcome merge(List<Outcome> outcomes) {
        long[] firstNs = outcomes.stream()
                .flatMapToLong(o -> Arrays.stream(o.firstNs()))
                .sorted()
                .toArray();
        long[] allNs = outcomes.stream()
                .flatMapToLong(o -> Arrays.stream(o.allNs()))
                .sorted()
                .toArray();
        return new Outcome(
                firstNs,
                allNs,
                outcomes.stream().mapToInt(Outcome::falseDeaths).sum(),
                outcomes.stream()
                        .mapToDouble(Outcome::messagesPerMemberSecond)
                        .average()
                        .orElse(0),
                outcomes.stream().mapToInt(Outcome::missed).sum(),
                outcomes.stream().mapToInt(Outcome::stuck).sum());
    }
}
