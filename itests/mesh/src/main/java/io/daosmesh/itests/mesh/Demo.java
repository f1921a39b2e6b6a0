package io.daosmesh.itests.mesh;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.model.pool.MemberState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * The main job from end to end on real files and real processes: {@code ./mesh demo}. Leaves the mesh running, so that the
 * reader can go on from there.
 */
public final class Demo {
    private static final String POOL = "tank";
    private static final String FILES = "files";
    private static final Duration REBUILD_MAX = Duration.ofMinutes(10);
    private static final int VICTIM = 3;

    private final boolean isJson;
    private final Path source;
    private final LocalMesh mesh;
    private final Map<String, Object> summary = new LinkedHashMap<>();
    private boolean isDigestsOk = true;

    private Demo(boolean isJson, Path source, LocalMesh mesh) {
        this.isJson = isJson;
        this.source = source;
        this.mesh = mesh;
    }

    public static void main(String[] args) {
        boolean isJson = false;
        Path source = Path.of(System.getProperty("java.home")).resolve("lib");
        for (String a : args) {
            if (a.equals("--json")) isJson = true;
            else if (a.startsWith("-")) System.exit(usage("demo does not know '" + a + "'"));
            else source = Path.of(a);
        }
        if (!Files.isReadable(source)) System.exit(usage("cannot read " + source));
        Demo demo = new Demo(isJson, source.toAbsolutePath().normalize(), LocalMesh.attach(dir()));
        int status = 1;
        try {
            status = demo.run() ? 0 : 1;
        } catch (Exception e) {
            System.err.println("demo: " + e.getMessage());
        }
        System.exit(status);
    }

    private static int usage(String problem) {
        System.err.println("mesh: " + problem + " (./mesh demo [--json] [PATH])");
        return 2;
    }

    static Path dir() {
        return Path.of(System.getProperty("mesh.dir", ".mesh")).toAbsolutePath();
    }

    private boolean run() throws Exception {
        say("starting three nodes in %s", mesh.dir());
        mesh.mesh("up").orFail();
        if (mesh.nodes().size() < VICTIM) throw new IllegalStateException("the demo needs a mesh of 3 nodes or more");
        prepare();
        Tree tree = Tree.of(source);
        summary.put("files", tree.digests().size());
        summary.put("bytes", tree.bytes());
        copyIn(tree);
        compareAll("read back", tree, true);
        try (MeshClient client = MeshClient.open(mesh);
                Workload load = new Workload(
                        MeshClient.await(
                                client.container(POOL, ContainerSpec.of("load").withClass("RP_2GX"))
                                        .keyValueRoot()),
                        "demo" + System.nanoTime(),
                        4,
                        8192)) {
            killAndHeal(client, load, tree);
            swapDriver(load);
            load.stopAndVerify();
            finish(client, load);
        }
        return report();
    }

    private void prepare() {
        if (mesh.dmg("pool", "query", POOL).status() != 0) {
            say("creating pool %s", POOL);
            mesh.dmg("pool", "create", POOL, "--size", "24GB").orFail();
        }
        if (mesh.daos("container", "query", POOL, FILES).status() != 0) {
            mesh.daos("container", "create", POOL, FILES, "--type", "POSIX", "--oclass", "RP_2GX")
                    .orFail();
        }
    }

    private void copyIn(Tree tree) {
        say("copying %d files, %d MB, from %s", tree.digests().size(), tree.bytes() >> 20, source);
        mesh.daos("filesystem", "remove", "daos://" + POOL + "/" + FILES + "/tree");
        double seconds = timed(() -> mesh.daos(
                        "filesystem",
                        "copy",
                        "--recursive",
                        "--src",
                        source.toString(),
                        "--dst",
                        "daos://" + POOL + "/" + FILES + "/tree")
                .orFail());
        summary.put("write_mb_s", round(tree.bytes() / 1e6 / seconds));
    }

    /** Copies everything out into an empty folder and compares each file's SHA-256. */
    private void compareAll(String when, Tree tree, boolean isMeasured) throws IOException {
        Path out = Files.createTempDirectory(mesh.dir(), "out");
        try {
            double seconds = timed(() -> mesh.daos(
                            "filesystem",
                            "copy",
                            "--recursive",
                            "--src",
                            "daos://" + POOL + "/" + FILES + "/tree",
                            "--dst",
                            out.resolve("tree").toString())
                    .orFail());
            List<String> differences = tree.differences(Tree.of(out.resolve("tree")));
            if (isMeasured) summary.put("read_mb_s", round(tree.bytes() / 1e6 / seconds));
            if (!differences.isEmpty()) {
                isDigestsOk = false;
                say("%s: %d files differ, first %s", when, differences.size(), differences.get(0));
            } else {
                say("%s: all %d digests equal", when, tree.digests().size());
            }
        } finally {
            deleteTree(out);
        }
    }

    private void killAndHeal(MeshClient client, Workload load, Tree tree) throws IOException {
        int rank = mesh.nodes().get(VICTIM - 1).rank();
        LocalMesh.await("the load runs", Duration.ofSeconds(30), () -> load.operations() > 200);
        load.takeLongestMs();
        say("SIGKILL to node %d (rank %d) under load", VICTIM, rank);
        mesh.kill(VICTIM);
        double detection = LocalMesh.await(
                "rank " + rank + " is excluded", Duration.ofSeconds(30), () -> isExcluded(client, rank));
        summary.put("detection_s", round(detection));
        say("excluded after %.2f s", detection);
        summary.put("rebuild_s", round(rebuild("Rebuild", false)));
        say("longest request meanwhile: %.0f ms", load.takeLongestMs());
        compareAll("after the rebuild", tree, false);
        say("starting node %d again: rank %d comes back by itself", VICTIM, rank);
        long startNs = System.nanoTime();
        mesh.startNode(VICTIM);
        summary.put("reintegrate_s", round(rebuild("Reintegrate", true)));
        summary.put("return_s", round((System.nanoTime() - startNs) / 1e9));
        compareAll("after the reintegration", tree, false);
    }

    private static boolean isExcluded(MeshClient client, int rank) {
        return client.newestGroupMap().member(rank).orElseThrow().state() == MemberState.EXCLUDED;
    }

    /** Follows the pool's rebuild until it is done, and nobody is out any more if {@code isReturn}. */
    private double rebuild(String operation, boolean isReturn) {
        long start = System.nanoTime();
        try (MeshClient watcher = MeshClient.open(mesh);
                ProgressBar bar = bar(operation)) {
            io.daosmesh.client.Pool pool = watcher.pool(POOL);
            LocalMesh.await(operation + " is done", REBUILD_MAX, () -> {
                var reply = MeshClient.await(pool.query());
                bar.maxHint(Math.max(1, reply.getRebuild().getObjectsTotal()));
                bar.stepTo(reply.getRebuild().getObjects());
                var map = io.daosmesh.model.pool.PoolMap.fromWire(reply.getMap());
                return !map.needsRebuild() && map.version() > 1 && (map.disabledCount() == 0 || !isReturn);
            });
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private ProgressBar bar(String task) {
        return new ProgressBarBuilder()
                .setTaskName(task)
                .setUnit(" objects", 1)
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new me.tongfei.progressbar.ConsoleProgressBarConsumer(System.err))
                .build();
    }

    /** Updates the driver bundle in place on every node, one after the other, while clients read and write. */
    private void swapDriver(Workload load) throws IOException {
        load.takeLongestMs();
        double pause = 0;
        for (MeshRecord.Entry n : mesh.nodes()) {
            mesh.mesh("console", Integer.toString(n.number()), "bundle:update io.daosmesh.nvme-spdk")
                    .orFail();
            pause = Math.max(
                    pause,
                    Metrics.max(Metrics.scrape(n), "engine_driver_swap_last_pause_seconds")
                            .orElse(-1));
        }
        summary.put("swap_pause_ms", round(pause));
        say(
                "replaced the NVMe driver on every node: pause %.1f ms, longest request %.0f ms",
                pause, load.takeLongestMs());
    }

    private void finish(MeshClient client, Workload load) {
        summary.put("digests_ok", isDigestsOk && load.wrong() == 0);
        summary.put("failed_requests", load.failures());
        summary.put("requests", load.operations());
        summary.put("retries", client.client().stats().retries());
        summary.put("ok", isDigestsOk && load.wrong() == 0 && load.failures() == 0);
        if (!load.problem().isEmpty()) say("problem: %s", load.problem());
    }

    private boolean report() throws IOException {
        if (isJson) {
            System.out.println(new com.fasterxml.jackson.databind.ObjectMapper().writeValueAsString(summary));
        } else {
            System.out.println();
            summary.forEach((k, v) -> System.out.printf(Locale.ROOT, "%-16s %s%n", k, v));
            MeshRecord.Entry n = mesh.nodes().get(0);
            System.out.printf(
                    Locale.ROOT,
                    "%nThe mesh is still up. Look around:%n  ./mesh dmg system query -v%n  ./mesh dmg pool query %s%n"
                            + "  ./mesh console 1 daos:drivers%n  http://127.0.0.1:%d/metrics%n  ./mesh down%n",
                    POOL,
                    n.telemetry());
        }
        return Boolean.TRUE.equals(summary.get("ok"));
    }

    private static double timed(Runnable job) {
        long start = System.nanoTime();
        job.run();
        return (System.nanoTime() - start) / 1e9;
    }

    private static double round(double v) {
        return Math.round(v * 100) / 100.0;
    }

    private void say(String format, Object... args) {
        (isJson ? System.err : System.out).printf(Locale.ROOT, "demo: " + format + "%n", args);
    }

    private static void deleteTree(Path root) throws IOException {
        try (var files = Files.walk(root)) {
            for (Path p : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(p);
        }
    }
}
