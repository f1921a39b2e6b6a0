package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * One operation of an administrator or a user after the other, which and on what by the seed; those that can be tried at the time
 * about equally often. Owner: its thread.
 */
final class Operations {
    /** A kind may be tried so much more often than another: what comes next is not known from what has been. */
    private static final double LEAD = 2;

    /** Before all counts. */
    private static final double FIRST = 1e6;

    private static final Duration WHOLE_MAX = Duration.ofSeconds(60);

    private final Screen screen;
    private final Ledger ledger;
    private final SplittableRandom random;
    private final Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
    private final Map<String, Integer> tried = new HashMap<>();
    private final PoolOperations pools;
    private final ContainerOperations containers;
    private final RankOperations ranks;
    /** While it is true no node gets into more trouble. */
    private final AtomicBoolean calm = new AtomicBoolean();

    Operations(Screen screen, Ledger ledger, SplittableRandom random, String run, int rankCount) {
        this.screen = screen;
        this.ledger = ledger;
        this.random = random;
        Draw draw = new Draw(ledger, random.split(), run);
        pools = new PoolOperations(screen, ledger, draw, rankCount);
        containers = new ContainerOperations(screen, draw);
        ranks = new RankOperations(screen, draw, rankCount);
        kinds.putAll(pools.kinds());
        kinds.putAll(containers.kinds());
        kinds.putAll(ranks.kinds());
        kinds.putAll(new SystemOperations(screen, ledger, draw).kinds());
        kinds.putAll(new Mistakes(screen, ledger, draw, rankCount).kinds());
    }

    Set<String> kinds() {
        return kinds.keySet();
    }

    /** While nothing fails: a pool with a container and a value that stay to the end. */
    void begin() {
        pools.create(false);
        for (int tries = 0; tries < 10 && ledger.pools(Fate.THERE).isEmpty(); tries++) look();
        if (ledger.pools(Fate.THERE).isEmpty()) throw new IllegalStateException("no pool can be made");
        containers.create();
        containers.put();
    }

    /** False when nothing can be tried now. */
    boolean next() {
        look();
        screen.lookAgain();
        boolean areRanksBehind = areRanksBehind();
        if (areRanksBehind && !ranks.isAway()) awaitWhole();
        SortedMap<Double, String> order = new TreeMap<>();
        for (String kind : kinds.keySet()) {
            double first = areRanksBehind && ranks.kinds().containsKey(kind) ? -FIRST : 0;
            order.put(first + tried(kind) + random.nextDouble() * LEAD, kind);
        }
        boolean isDone = order.values().stream().anyMatch(this::isTried);
        calm.set(false);
        return isDone;
    }

    private boolean isTried(String kind) {
        BooleanSupplier attempt = kinds.get(kind);
        if (attempt == null || !attempt.getAsBoolean()) return false;
        tried.merge(kind, 1, Integer::sum);
        return true;
    }

    private int tried(String kind) {
        return tried.getOrDefault(kind, 0);
    }

    /** What needs a whole system would hardly ever be tried while one node after the other fails. */
    private boolean areRanksBehind() {
        int least =
                ranks.putAway().keySet().stream().mapToInt(this::tried).min().orElse(0);
        double others = kinds.keySet().stream()
                .filter(k -> !ranks.kinds().containsKey(k))
                .mapToInt(this::tried)
                .average()
                .orElse(0);
        return least + 1 <= others;
    }

    /** No node gets into trouble until something has been put away; what somebody has stopped would never become whole. */
    private void awaitWhole() {
        calm.set(true);
        String start = "system rebuild start";
        if (!screen.areWhole() && PoolOperations.tried(screen.dmg(start, start.split(" "))))
            tried.merge(start, 1, Integer::sum);
        try {
            LocalMesh.await("all is whole", WHOLE_MAX, () -> {
                screen.lookAgain();
                return screen.areWhole();
            });
        } catch (IllegalStateException e) {
            screen.journal().failed("wait", "", String.valueOf(e.getMessage()));
        }
    }

    /** What an answer is missing of is looked at. */
    private void look() {
        try {
            lookAtPools();
            containers.look();
        } catch (IllegalStateException e) {
            screen.journal().failed("look", "", String.valueOf(e.getMessage()));
        }
    }

    private void lookAtPools() {
        List<PoolEntry> unsure = ledger.pools().stream()
                .filter(p -> p.fate == Fate.MAKING || p.fate == Fate.ENDING)
                .toList();
        if (unsure.isEmpty()) return;
        Map<String, String> listed = screen.pools().stream()
                .collect(Collectors.toMap(
                        p -> p.path("label").asText(), p -> p.path("state").asText(), (a, b) -> a));
        for (PoolEntry p : unsure) {
            String state = listed.getOrDefault(p.label, "");
            p.isUnseen = state.isEmpty();
            if (state.isEmpty() || state.equals("Ready")) p.fate = p.fate.seen(!state.isEmpty());
        }
    }

    boolean isCalm() {
        return calm.get();
    }

    /** What is still away, to be brought back at the end. */
    List<List<String>> away() {
        return ranks.away();
    }
}
