package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.ContainerSpec;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** How long clients are held up by a node that is stopped as by SIGSTOP, each node in turn: the longest call of any. */
final class Frozen {
    private static final int WRITERS = 8;
    private static final int VALUE_BYTES = 4 << 10;
    private static final Duration CHANGE_MAX = Duration.ofSeconds(120);
    /** No rank that has just started is taken for silent: docs/decisions/0041. */
    private static final Duration GRACE = Duration.ofSeconds(35);
    /** No client may be held up for longer. */
    private static final double GOAL_MS = 2_000;

    private final LocalMesh mesh;
    private final Report report;

    Frozen(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    /** @param frozenFor one shorter than gossip takes to give a rank up, and one longer */
    void run(Duration... frozenFor) throws InterruptedException {
        long startedNs = System.nanoTime();
        mesh.dmg("pool", "create", "tank", "--size", "4GB").orFail();
        try (MeshClient client = MeshClient.open(mesh);
                Workload load = new Workload(
                        MeshClient.await(client.container(
                                        "tank", ContainerSpec.of("load").withClass("RP_2GX"))
                                .keyValueRoot()),
                        "key",
                        WRITERS,
                        VALUE_BYTES)) {
            LocalMesh.await(
                    "the load is warm",
                    CHANGE_MAX,
                    () -> load.operations() > 5_000 && System.nanoTime() - startedNs > GRACE.toNanos());
            report.single("longest_before_ms", quietMs(load), GOAL_MS);
            for (Duration d : frozenFor)
                for (MeshRecord.Entry n : mesh.nodes())
                    report.single(
                            "frozen_" + d.toSeconds() + "s_node" + n.number() + "_longest_ms",
                            freeze(load, n.number(), d),
                            GOAL_MS);
            load.stopAndVerify();
            if (load.wrong() + load.failures() > 0) throw new IllegalStateException(load.problem());
        }
        mesh.dmg("pool", "destroy", "tank", "--force").orFail();
    }

    private static double quietMs(Workload load) {
        load.takeLongestMs();
        sleep(Duration.ofSeconds(5));
        return load.takeLongestMs();
    }

    private double freeze(Workload load, int node, Duration d) {
        load.takeLongestMs();
        mesh.mesh("pause", Integer.toString(node)).orFail();
        sleep(d);
        mesh.mesh("resume", Integer.toString(node)).orFail();
        // calls that wait still count, too
        LocalMesh.await("the pool is whole", CHANGE_MAX, this::isWhole);
        return load.takeLongestMs();
    }

    private boolean isWhole() {
        JsonNode now = mesh.dmgJson("pool", "query", "tank");
        String rebuild = now.path("rebuild").path("state").asText();
        return now.path("disabled_targets").asInt() == 0 && (rebuild.equals("done") || rebuild.equals("idle"));
    }

    /** As long as it is said to be frozen. */
    private static void sleep(Duration d) {
        long end = System.nanoTime() + d.toNanos();
        for (long left = d.toNanos(); left > 0; left = end - System.nanoTime()) LockSupport.parkNanos(left);
    }
}
