package io.daosmesh.itests.mesh;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * {@code ./mesh bench [quick|write|read|start|restart|return|rebuild|frozen|slow-device|connect|targets|admin] [--json]}: replicated I/O on a mesh of three nodes, each figure beside a limit that is
 * measured in the same run. With {@code --dir} it uses the mesh that runs there; else it starts its own: a default one for the
 * start, then for I/O one with clear data channels and one with TLS, of {@value #TARGETS} target a node, then for small writes
 * meshes of more targets. {@code quick} is {@link Quick} alone.
 */
public final class Bench {
    private static final int[] SIZES = {4096, 1 << 20};
    private static final int[] IN_FLIGHT = {1, 16};
    /** The compilers of four processes share two cores: nodes are at full speed after some minutes of load. */
    private static final Duration WARM_NODES_WRITES = Duration.ofSeconds(120);

    private static final Duration WARM_NODES_MIXED = Duration.ofSeconds(60);
    /** More targets than cores only make turns smaller; the systems we compare with have one log a node, too. */
    private static final int TARGETS = 1;

    private static final int[] TARGETS_TRIED = {1, 2, 4};
    /** MB/s of each rank. */
    private static final int LOW_RATE_MB = 10;

    private static final int[] STORED_TRIED = {2_000, 20_000};

    /** After that a shape is warm when its rate has not risen for two rounds. */
    private static final Duration WARM = Duration.ofSeconds(5);

    private static final int WARM_ROUNDS_MAX = 12;
    private static final int WARM_ROUNDS_LEVEL = 2;
    private static final double WARM_GAIN = 1.03;
    private static final Duration MEASURE = Duration.ofSeconds(6);

    /** Distinct keys a size: writes overwrite them, reads choose among them. */
    static final int KEYS_SMALL = 4096;

    private static final int WARM_CONNECTS = 200;
    private static final int MEASURED_CONNECTS = 50;
    static final int KEYS_LARGE = 192;
    private static final int OBJECTS = 32;

    /** A node is stopped for so long. */
    private static final Duration[] FROZEN_TRIED = {Duration.ofSeconds(4), Duration.ofSeconds(15)};

    private final Report report;
    private final String only;

    private Bench(boolean isJson, String only) {
        this.report = new Report(isJson);
        this.only = only;
    }

    public static void main(String[] args) throws Exception {
        boolean isJson = false;
        String only = "";
        for (String a : args) {
            if (a.equals("--json")) isJson = true;
            else if (List.of(
                            "quick",
                            "write",
                            "read",
                            "start",
                            "restart",
                            "return",
                            "rebuild",
                            "frozen",
                            "slow-device",
                            "connect",
                            "targets",
                            "admin")
                    .contains(a)) only = a;
            else {
                System.err.println(
                        "mesh: bench does not know '" + a
                                + "' (./mesh bench [quick|write|read|start|restart|return|rebuild|frozen|slow-device|connect|targets|admin] [--json])");
                System.exit(2);
            }
        }
        try {
            new Bench(isJson, only).run();
            System.exit(0);
        } catch (Exception e) {
            System.err.println("bench: " + e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws Exception {
        if (only.equals("quick")) {
            quick();
        } else if (Boolean.getBoolean("mesh.dir.given")) {
            LocalMesh mesh = LocalMesh.attach(Demo.dir());
            measure(mesh, MeshClient.settings(mesh.dir()).tls().clearData());
        } else {
            if (only.isEmpty() || only.equals("start")) start();
            if (only.isEmpty() || only.equals("restart")) restart();
            if (only.isEmpty() || only.equals("return")) reintegration();
            if (only.isEmpty() || only.equals("rebuild")) rebuildLoad();
            if (only.isEmpty() || only.equals("frozen")) frozen();
            if (only.isEmpty() || only.equals("slow-device")) slowDevice();
            if (only.isEmpty() || only.equals("connect")) connect();
            if (only.isEmpty() || only.equals("admin")) admin();
            if (List.of("", "write", "read").contains(only))
                for (boolean isClear : new boolean[] {true, false}) ownMesh(isClear);
            if (only.isEmpty() || only.equals("targets")) for (int targets : TARGETS_TRIED) targets(targets);
        }
        report.print();
    }

    private void start() throws Exception {
        long startNs = System.nanoTime();
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            startRows(mesh, (System.nanoTime() - startNs) / 1e9);
        }
    }

    private void restart() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            new Restart(mesh, report).run();
        }
    }

    private void reintegration() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            for (int stored : STORED_TRIED) new Reintegration(mesh, report).run(stored);
        }
    }

    private void rebuildLoad() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir(), "--nodes", "4", "--data-channel", "clear")) {
            new RebuildLoad(mesh, report).run(LOW_RATE_MB);
        }
    }

    private void frozen() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            new Frozen(mesh, report).run(FROZEN_TRIED);
        }
    }

    private void slowDevice() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            new SlowDevice(mesh, report).run();
        }
    }

    private void connect() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            Connects connects = new Connects(mesh);
            connects.prepare();
            medianOf(WARM_CONNECTS, connects::firstValue);
            Limit handshake = connects.handshake();
            report.single("first_answer_ms", 1000 * medianOf(MEASURED_CONNECTS, connects::firstAnswer), handshake);
            report.single("first_value_ms", 1000 * medianOf(MEASURED_CONNECTS, connects::firstValue), handshake);
        }
    }

    private void admin() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            AdminSpeed speed = new AdminSpeed(mesh, report);
            speed.pools();
            speed.events();
        }
        try (LocalMesh mesh = LocalMesh.start(ownDir(), "--nodes", "1", "--replicas", "1", "--insecure")) {
            new AdminSpeed(mesh, report).members();
        }
    }

    private void ownMesh(boolean isClear) throws Exception {
        report.machine("targets_per_node", TARGETS);
        String[] args = {"--data-channel", isClear ? "clear" : "tls", "--targets", String.valueOf(TARGETS)};
        try (LocalMesh mesh = LocalMesh.start(ownDir(), args)) {
            measure(mesh, isClear);
        }
    }

    private void quick() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir(), "--data-channel", "clear")) {
            new Quick(mesh, report).run();
        }
    }

    /** More targets must not cost: they share the log of their node. */
    private void targets(int count) throws Exception {
        String[] args = {"--data-channel", "clear", "--targets", String.valueOf(count)};
        try (LocalMesh mesh = LocalMesh.start(ownDir(), args);
                MeshClient client = MeshClient.open(mesh)) {
            mesh.dmg("pool", "create", "bench", "--size", "16GB").orFail();
            List<KeyValue> stores =
                    stores(client.container("bench", ContainerSpec.of("bench").withClass("RP_3GX")));
            byte[] value = new byte[SIZES[0]];
            Limits limits = new Limits(mesh.dir(), MeshClient.settings(mesh.dir()));
            Load.Operation put = i -> store(stores, i % KEYS_SMALL).put(key(i % KEYS_SMALL), value);
            Load.run(16, WARM_NODES_WRITES, put);
            for (int inFlight : IN_FLIGHT) {
                Limit sync = limits.syncedWrites(SIZES[0], inFlight);
                Shape shape = new Shape("write_" + count + "_targets", "RP_3", SIZES[0], inFlight, false);
                timed(mesh, shape, put, sync);
            }
        }
    }

    private static Path ownDir() {
        return Demo.dir().resolveSibling(".mesh-bench");
    }

    private void startRows(LocalMesh mesh, double upSeconds) throws IOException {
        report.single("up_3_nodes_s", upSeconds, 20);
        double largest = 0;
        for (MeshRecord.Entry n : mesh.nodes()) largest = Math.max(largest, residentMb(n.pid()));
        report.single("node_rss_mb", largest, 300);
        report.single(
                "dmg_system_query_s",
                medianOf(5, () -> mesh.dmg("system", "query").orFail()),
                0.5);
        mesh.kill(3);
        report.single("node_ready_s", medianOf(1, () -> mesh.startNode(3)), 6);
        int rank = mesh.nodes().get(2).rank();
        LocalMesh.await(
                "rank joined", Duration.ofSeconds(60), () -> mesh.state(rank).equalsIgnoreCase("joined"));
    }

    static double medianOf(int times, Runnable command) {
        double[] seconds = new double[times];
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            command.run();
            seconds[i] = (System.nanoTime() - start) / 1e9;
        }
        java.util.Arrays.sort(seconds);
        return seconds[times / 2];
    }

    private static double residentMb(long pid) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("VmRSS:")) return Double.parseDouble(line.replaceAll("\\D+", "")) / 1024;
        }
        return 0;
    }

    private void measure(LocalMesh mesh, boolean isClear) throws Exception {
        Limits limits = new Limits(mesh.dir(), MeshClient.settings(mesh.dir()));
        if (mesh.dmg("pool", "query", "bench").status() != 0) {
            mesh.dmg("pool", "create", "bench", "--size", "16GB").orFail();
        }
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c = client.container("bench", ContainerSpec.of("bench").withClass("RP_3GX"));
            warmNodes(stores(c));
            for (int size : SIZES) {
                int keys = size <= 65536 ? KEYS_SMALL : KEYS_LARGE;
                List<KeyValue> stores = stores(c);
                byte[] value = new byte[size];
                new SplittableRandom(size).nextBytes(value);
                Load.run(16, keys, i -> store(stores, i).put(key(i), value));
                for (int inFlight : IN_FLIGHT) {
                    Limit sync = limits.syncedWrites(size, inFlight);
                    Limit stream = limits.received(size, inFlight);
                    SplittableRandom random = new SplittableRandom(inFlight);
                    if (!only.equals("read")) {
                        Shape shape = new Shape("write", "RP_3", size, inFlight, !isClear);
                        timed(mesh, shape, i -> store(stores, i % keys).put(key(i % keys), value), sync);
                    }
                    if (!only.equals("write")) {
                        Shape shape = new Shape("read", "RP_3", size, inFlight, !isClear);
                        Load.Operation get = i -> {
                            long k = random.split().nextInt(keys);
                            return store(stores, k).get(key(k));
                        };
                        timed(mesh, shape, get, stream);
                    }
                }
            }
        }
    }

    private void warmNodes(List<KeyValue> stores) {
        byte[] value = new byte[SIZES[0]];
        if (!only.equals("read"))
            Load.run(16, WARM_NODES_WRITES, i -> store(stores, i % KEYS_SMALL).put(key(i % KEYS_SMALL), value));
        Load.run(16, KEYS_SMALL, i -> store(stores, i).put(key(i), value));
        Load.run(
                16,
                WARM_NODES_MIXED,
                i -> i % 2 == 0 && !only.equals("read")
                        ? store(stores, i % KEYS_SMALL).put(key(i % KEYS_SMALL), value)
                        : store(stores, i % KEYS_SMALL).get(key(i % KEYS_SMALL)));
    }

    /** Several, as applications have them: one object's groups do not use all targets alike. */
    static List<KeyValue> stores(Container c) {
        List<KeyValue> stores = new ArrayList<>();
        for (int i = 0; i < OBJECTS; i++) {
            ObjectId id = MeshClient.await(c.newId(ObjectId.Type.KEY_VALUE, ObjectClass.parse("RP_3GX")));
            stores.add(c.keyValue(id));
        }
        return stores;
    }

    private static KeyValue store(List<KeyValue> stores, long key) {
        return stores.get((int) (key % stores.size()));
    }

    private static String key(long i) {
        return "key" + i;
    }

    private void timed(LocalMesh mesh, Shape shape, Load.Operation operation, Limit limit) {
        double best = 0;
        int level = 0;
        for (int round = 0; round < WARM_ROUNDS_MAX && level < WARM_ROUNDS_LEVEL; round++) {
            double rate = Load.run(shape.inFlight(), WARM, operation)
                    .timing(shape.size())
                    .opsPerSecond();
            level = rate > best * WARM_GAIN ? 0 : level + 1;
            best = Math.max(best, rate);
        }
        Costs before = Costs.of(mesh);
        Load.Result result = Load.run(shape.inFlight(), MEASURE, operation);
        Costs used = Costs.of(mesh).since(before);
        report.row(shape, result.timing(shape.size()), limit, used.per(result.latenciesNs().length));
    }

    /** @param opsPerSecond for single figures (start-up, memory) the figure itself stands in {@code figure} */
    record Timing(double opsPerSecond, double mbPerSecond, double figure, double p50Us, double p99Us) {}

    record Limit(String name, double value) {}

    /** What a row measures. */
    record Shape(String name, String oclass, int size, int inFlight, boolean isTls) {}
}
