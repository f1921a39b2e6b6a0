package io.daosmesh.itests.mesh;

import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/** How long clients are held up by one device that is slow, hangs for a while, and hangs for good: the longest call of any. */
final class SlowDevice {
    private static final int WRITERS = 6;
    private static final int[] SIZES = {4 << 10, 256 << 10, 1 << 20};
    private static final Duration WARM_MAX = Duration.ofSeconds(120);
    private static final Duration WARM = Duration.ofSeconds(35);
    private static final Duration SLOW = Duration.ofSeconds(10);
    private static final String SLOW_MS = "500";
    /** Shorter than a device is given before it is faulty. */
    private static final Duration HANG = Duration.ofSeconds(7);
    /** Until it is faulty, out of the pool, and some. */
    private static final Duration HANG_FOR_GOOD = Duration.ofSeconds(20);
    /** No client may be held up for longer. */
    private static final double GOAL_MS = 1_000;

    private final LocalMesh mesh;
    private final Report report;

    SlowDevice(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    void run() throws InterruptedException {
        long startedNs = System.nanoTime();
        mesh.dmg("pool", "create", "tank", "--size", "6GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            for (int size : SIZES) {
                List<Workload> loads = loads(client, size);
                try {
                    LocalMesh.await(
                            "the load is warm",
                            WARM_MAX,
                            () -> operations(loads) > 1_000 && System.nanoTime() - startedNs > WARM.toNanos());
                    measure(loads, size);
                    for (Workload load : loads) {
                        load.stopAndVerify();
                        if (load.wrong() + load.failures() > 0) throw new IllegalStateException(load.problem());
                    }
                } finally {
                    loads.forEach(Workload::close);
                }
            }
        }
        mesh.dmg("pool", "destroy", "tank", "--force").orFail();
    }

    /** One writer an object: some of them lie on the device. */
    private static List<Workload> loads(MeshClient client, int size) {
        Container c = client.container("tank", ContainerSpec.of("v" + size).withClass("RP_2GX"));
        List<Workload> loads = new ArrayList<>();
        for (int w = 0; w < WRITERS; w++) loads.add(new Workload(MeshClient.await(c.createKeyValue()), "key", 1, size));
        return loads;
    }

    private static long operations(List<Workload> loads) {
        return loads.stream().mapToLong(Workload::operations).sum();
    }

    private static double longestMs(List<Workload> loads) {
        return loads.stream().mapToDouble(Workload::takeLongestMs).max().orElseThrow();
    }

    private void measure(List<Workload> loads, int size) {
        longestMs(loads);
        sleep(Duration.ofSeconds(5));
        report.single("well_" + size + "_longest_ms", longestMs(loads), GOAL_MS);
        report.single("slow_" + size + "_longest_ms", trouble(loads, SLOW, "slow", SLOW_MS), GOAL_MS);
        report.single("hangs_" + size + "_longest_ms", trouble(loads, HANG, "hang"), GOAL_MS);
        if (size == SIZES[SIZES.length - 1])
            report.single("hangs_for_good_" + size + "_longest_ms", trouble(loads, HANG_FOR_GOOD, "hang"), GOAL_MS);
    }

    private double trouble(List<Workload> loads, Duration d, String... what) {
        longestMs(loads);
        device(what);
        sleep(d);
        device("clear");
        sleep(Duration.ofSeconds(2));
        return longestMs(loads);
    }

    private void device(String... what) {
        String[] args = new String[what.length + 2];
        args[0] = "2";
        args[1] = "ssd0";
        System.arraycopy(what, 0, args, 2, what.length);
        mesh.mesh("device", args).orFail();
    }

    /** As long as a device is said to be in trouble. */
    private static void sleep(Duration d) {
        long end = System.nanoTime() + d.toNanos();
        for (long left = d.toNanos(); left > 0; left = end - System.nanoTime()) LockSupport.parkNanos(left);
    }
}
