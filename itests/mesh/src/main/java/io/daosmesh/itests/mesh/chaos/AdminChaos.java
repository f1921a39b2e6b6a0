package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.torture.Journal;
import io.daosmesh.itests.mesh.torture.Trial;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * {@code ./mesh torture --admin N [--minutes M] [--seed S]}: N operations of administrators, or as many as begin in M minutes, on real nodes that are killed, paused and cut off
 * meanwhile. Then everything is brought back, and nothing may be half done, stuck or lost. Uses the mesh of {@code --dir} if one is
 * given, else one of its own, whose folder stays when something was wrong. Ends with status 1 then.
 */
public final class AdminChaos {
    private static final List<String> OPTIONS = List.of("--admin", "--minutes", "--seed");
    private static final int COUNT_MAX = 10_000;
    private static final int MINUTES_MAX = 24 * 60;
    private static final long JOIN_MS = 60_000;

    private final LocalMesh mesh;
    private final Journal journal;
    private final long seed;
    private final int count;
    private final Duration max;
    private volatile boolean isOver;

    /** @param max after that no operation begins */
    public AdminChaos(LocalMesh mesh, Journal journal, long seed, int count, Duration max) {
        this.mesh = mesh;
        this.journal = journal;
        this.seed = seed;
        this.count = count;
        this.max = max;
    }

    public static void main(String[] args) {
        Map<String, Integer> given = new HashMap<>();
        for (int i = 0; i < args.length; i += 2) {
            if (!OPTIONS.contains(args[i])) System.exit(usage("torture --admin does not know '" + args[i] + "'"));
            boolean isNumber = i + 1 < args.length && args[i + 1].matches("[0-9]{1,9}");
            if (!isNumber) System.exit(usage(args[i] + " wants a number"));
            given.put(args[i], Integer.parseInt(args[i + 1]));
        }
        int count = given.getOrDefault("--admin", 0);
        if (count < 1 || count > COUNT_MAX) System.exit(usage("so many operations: 1 to " + COUNT_MAX));
        long seed = given.getOrDefault("--seed", (int) (System.nanoTime() % 1_000_000));
        Duration max = Duration.ofMinutes(given.getOrDefault("--minutes", MINUTES_MAX));
        int status = 1;
        try {
            status = Trial.run(".mesh-chaos", (mesh, journal) -> new AdminChaos(mesh, journal, seed, count, max).run())
                    ? 0
                    : 1;
        } catch (RuntimeException e) {
            System.err.println("torture: " + e.getMessage());
        }
        System.exit(status);
    }

    private static int usage(String problem) {
        System.err.println("mesh: " + problem + " (./mesh torture --admin N [--minutes M] [--seed S])");
        return 2;
    }

    /** True when nothing was wrong. Pools that are left are removed then. */
    public boolean run() {
        String run = "x" + seed + "-" + Long.toString(System.nanoTime() % 100_000_000, 36);
        SplittableRandom random = new SplittableRandom(seed);
        Screen screen = new Screen(mesh, journal, random.split());
        Ledger ledger = new Ledger();
        Operations operations = new Operations(
                screen, ledger, random.split(), run, screen.members().size());
        Trouble trouble = new Trouble(mesh, journal, random.split(), operations::isCalm, () -> isOver);
        journal.say(
                "seed %d, %d operations, %d nodes in %s",
                seed, count, mesh.nodes().size(), mesh.dir());
        operations.begin();
        Thread other = new Thread(trouble, "trouble");
        other.setDaemon(true);
        other.start();
        long endMs = journal.nowMs() + max.toMillis();
        for (int i = 0; i < count && journal.nowMs() < endMs; i++) operations.next();
        isOver = true;
        join(other);
        Trial.mend(mesh);
        Verdict verdict = new Verdict(screen, ledger);
        verdict.settle(operations.away());
        verdict.check();
        report(screen.table(operations.kinds()));
        boolean isRight = journal.violations() == 0;
        if (isRight) ledger.pools().forEach(p -> mesh.dmg("pool", "destroy", p.label, "--force", "--recursive"));
        return isRight;
    }

    private void join(Thread other) {
        try {
            other.join(JOIN_MS);
            if (other.isAlive()) journal.violation("a node that was in trouble does not come back");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private void report(String table) {
        System.out.printf(
                Locale.ROOT, "seed %d%nseconds %d%n%s%n%s%n", seed, journal.nowMs() / 1000, table, journal.summary());
        journal.violationsShown().forEach(v -> System.out.println("violation at " + v));
        System.out.println("violations " + journal.violations());
    }
}
