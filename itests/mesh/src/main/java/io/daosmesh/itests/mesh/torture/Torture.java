package io.daosmesh.itests.mesh.torture;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.MeshClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * {@code ./mesh torture [--minutes M | --power-cuts N | --kills N | --cuts N] [--seed S]}: clients write and read data of several classes on real nodes while faults happen
 * to these, and every answer is compared with what was acknowledged. Uses the mesh of {@code --dir} if one is given (of three
 * nodes or more), else one of its own with four nodes, whose folder stays when something was wrong. Ends with status 1 then.
 */
public final class Torture {
    static final String POOL = "torture";
    private static final List<String> OPTIONS = List.of("--seed", "--minutes", "--power-cuts", "--kills", "--cuts");
    private static final int LANES = 8;
    private static final int COUNT_MAX = 24 * 60;
    private static final int READS_AT_END = 3;
    private static final Duration WHOLE_MAX = Duration.ofSeconds(240);

    private final LocalMesh mesh;
    private final Journal journal;
    private final long seed;
    private final Order order;
    private volatile boolean isOver;

    /** So many of one kind of fault, or all kinds by chance for some minutes. */
    private record Order(long seed, Kind kind, int count) {}

    private enum Kind {
        MINUTES("minutes"),
        POWER_CUTS("power cuts"),
        KILLS("kills"),
        CUTS("network cuts");

        private final String label;

        Kind(String label) {
            this.label = label;
        }

        static Kind of(String option) {
            return switch (option) {
                case "--power-cuts" -> POWER_CUTS;
                case "--kills" -> KILLS;
                case "--cuts" -> CUTS;
                default -> MINUTES;
            };
        }
    }

    private Torture(LocalMesh mesh, Journal journal, Order order) {
        this.mesh = mesh;
        this.journal = journal;
        this.seed = order.seed();
        this.order = order;
    }

    public static void main(String[] args) {
        long seed = System.nanoTime() % 1_000_000;
        Kind kind = Kind.MINUTES;
        int count = 10;
        for (int i = 0; i < args.length; i += 2) {
            if (!OPTIONS.contains(args[i])) System.exit(usage("torture does not know '" + args[i] + "'"));
            boolean isNumber = i + 1 < args.length && args[i + 1].matches("[0-9]{1,9}");
            if (!isNumber) System.exit(usage(args[i] + " wants a number"));
            int number = Integer.parseInt(args[i + 1]);
            if (args[i].equals("--seed")) {
                seed = number;
            } else {
                kind = Kind.of(args[i]);
                count = number;
            }
        }
        if (count < 1 || count > COUNT_MAX) System.exit(usage("so many " + kind.label + ": 1 to " + COUNT_MAX));
        boolean isOfOther = kind == Kind.POWER_CUTS && Boolean.getBoolean("mesh.dir.given");
        if (isOfOther) System.exit(usage("--power-cuts needs a mesh of its own: leave out --dir"));
        int status = 1;
        try {
            Order order = new Order(seed, kind, count);
            status = Trial.run(
                            ".mesh-torture",
                            (mesh, journal) -> new Torture(mesh, journal, order)
                                    .run(order.kind() == Kind.POWER_CUTS ? new PowerCuts(mesh) : null))
                    ? 0
                    : 1;
        } catch (Exception e) {
            System.err.println("torture: " + e.getMessage());
        }
        System.exit(status);
    }

    private static int usage(String problem) {
        System.err.println("mesh: " + problem
                + " (./mesh torture [--minutes M | --power-cuts N | --kills N | --cuts N | --admin N] [--seed S])");
        return 2;
    }

    /** @param power null = cut nothing */
    private boolean run(@Nullable PowerCuts power) {
        String run = "t" + seed + "-" + Long.toString(System.nanoTime() % 100_000_000, 36);
        journal.say(
                "seed %d, %d %s, %d nodes in %s",
                seed, order.count(), order.kind().label, mesh.nodes().size(), mesh.dir());
        if (mesh.dmg("pool", "query", POOL).status() != 0)
            mesh.dmg("pool", "create", POOL, "--size", "24GB").orFail();
        try (MeshClient writer = MeshClient.open(mesh);
                MeshClient reader = MeshClient.open(mesh);
                MeshClient admin = MeshClient.open(mesh)) {
            Data data = new Data(writer, reader, journal, seed);
            data.make(POOL, run);
            SplittableRandom random = new SplittableRandom(seed);
            List<Thread> threads = start(
                    data, random.split(), new Administration(mesh, admin, journal, random.split(), run, () -> isOver));
            Health health = new Health(mesh, admin, POOL, journal);
            health.acceptLoss();
            Faults faults = new Faults(mesh, health, journal, random.split());
            if (power != null) faults.run(power, order.count());
            else if (order.kind() == Kind.KILLS) faults.kill(order.count());
            else if (order.kind() == Kind.CUTS) faults.cut(order.count());
            else faults.run(order.count() * 60_000L);
            isOver = true;
            join(threads);
            readAll("after the faults", data, health);
            killAll();
            if (!health.awaitWhole(WHOLE_MAX)) journal.violation("the pool is not whole after all nodes were killed");
            readAll("after a kill of all nodes", data, health);
            report(List.of(writer, reader, admin));
        }
        return journal.violations() == 0;
    }

    private List<Thread> start(Data data, SplittableRandom random, Administration administration) {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < LANES; i++) {
            Lane lane = new Lane(data.places(i, LANES), data.places(), data.shelves(), random.split(), () -> isOver);
            threads.add(new Thread(lane, "lane-" + i));
        }
        threads.add(new Thread(administration, "administration"));
        for (Thread t : threads) {
            t.setDaemon(true);
            t.start();
        }
        return threads;
    }

    private void join(List<Thread> threads) {
        try {
            for (Thread t : threads) {
                t.join(300_000);
                if (t.isAlive()) journal.violation("a call of %s does not end", t.getName());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Places whose only copy was on a device that is lost may say so; all others have to answer. */
    private void readAll(String when, Data data, Health health) {
        List<Place> order = new ArrayList<>(data.places());
        Collections.shuffle(order, new java.util.Random(seed));
        int unavailable = 0;
        for (Place p : order) {
            if (isAnswered(p)) continue;
            unavailable++;
            boolean mayBeLost = !p.promise().isRedundant() && health.lostTargets() > 0;
            if (!mayBeLost) journal.violation("%s cannot be read %s", p, when);
        }
        data.shelves().forEach(Shelf::list);
        journal.say("%s: %d places read, %d unavailable", when, order.size(), unavailable);
    }

    private static boolean isAnswered(Place p) {
        for (int i = 0; i < READS_AT_END; i++) {
            if (p.read(i % 2 == 0) == Place.Answer.ANSWERED) return true;
        }
        return false;
    }

    /** At once, without a word: what was acknowledged is on their disks. */
    private void killAll() {
        journal.fault("kill all", "nodes");
        Faults.end(mesh.nodes());
        mesh.mesh("up").orFail();
    }

    private void report(List<MeshClient> clients) {
        long retries =
                clients.stream().mapToLong(c -> c.client().stats().retries()).sum();
        long hedges =
                clients.stream().mapToLong(c -> c.client().stats().hedges()).sum();
        System.out.printf(
                Locale.ROOT,
                "seed %d%nseconds %d%n%s%nretries %d%nreads sent to a second replica %d%n",
                seed,
                journal.nowMs() / 1000,
                journal.summary(),
                retries,
                hedges);
        journal.violationsShown().forEach(v -> System.out.println("violation at " + v));
        System.out.println("violations " + journal.violations());
    }
}
