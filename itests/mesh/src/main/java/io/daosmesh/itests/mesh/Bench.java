package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * {@code ./mesh bench [write|read|start|connect] [--json]}: replicated I/O on a mesh of three nodes, each figure beside a limit that is
 * measured in the same run. With {@code --dir} it uses the mesh that runs there; else it starts its own: a default one for the
 * start, then for I/O one with clear data channels and one with TLS, of {@value #TARGETS} target a node.
 */
public final class Bench {
    private static final int[] SIZES = {4096, 1 << 20};
    private static final int[] IN_FLIGHT = {1, 16};
    /** The compilers of four processes share two cores: nodes are at full speed after some minutes of load. */
    private static final Duration WARM_NODES_WRITES = Duration.ofSeconds(120);

    private static final Duration WARM_NODES_MIXED = Duration.ofSeconds(60);
    /** More targets than cores only make turns smaller; the systems we compare with have one log a node, too. */
    private static final int TARGETS = 1;

    /** After that a shape is warm when its rate has not risen for two rounds. */
    private static final Duration WARM = Duration.ofSeconds(5);

    private static final int WARM_ROUNDS_MAX = 12;
    private static final int WARM_ROUNDS_LEVEL = 2;
    private static final double WARM_GAIN = 1.03;
    private static final Duration MEASURE = Duration.ofSeconds(6);

    /** Distinct keys a size: writes overwrite them, reads choose among them. */
    private static final int KEYS_SMALL = 4096;

    private static final int WARM_CONNECTS = 200;
    private static final int MEASURED_CONNECTS = 50;
    private static final int KEYS_LARGE = 192;
    private static final int OBJECTS = 32;

    private final List<Map<String, Object>> rows = new ArrayList<>();
    private final Map<String, Object> machine = new LinkedHashMap<>();
    private final boolean isJson;
    private final String only;

    private Bench(boolean isJson, String only) {
        this.isJson = isJson;
        this.only = only;
    }

    public static void main(String[] args) throws Exception {
        boolean isJson = false;
        String only = "";
        for (String a : args) {
            if (a.equals("--json")) isJson = true;
            else if (List.of("write", "read", "start", "connect").contains(a)) only = a;
            else {
                System.err.println(
                        "mesh: bench does not know '" + a + "' (./mesh bench [write|read|start|connect] [--json])");
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
        machine.put("cores", Runtime.getRuntime().availableProcessors());
        machine.put("java", System.getProperty("java.version"));
        machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        if (Boolean.getBoolean("mesh.dir.given")) {
            LocalMesh mesh = LocalMesh.attach(Demo.dir());
            measure(mesh, MeshClient.settings(mesh.dir()).tls().clearData());
        } else {
            if (only.isEmpty() || only.equals("start")) start();
            if (only.isEmpty() || only.equals("connect")) connect();
            if (!List.of("start", "connect").contains(only))
                for (boolean isClear : new boolean[] {true, false}) ownMesh(isClear);
        }
        print();
    }

    private void start() throws Exception {
        long startNs = System.nanoTime();
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            startRows(mesh, (System.nanoTime() - startNs) / 1e9);
        }
    }

    private void connect() throws Exception {
        try (LocalMesh mesh = LocalMesh.start(ownDir())) {
            Connects connects = new Connects(mesh);
            connects.prepare();
            medianOf(WARM_CONNECTS, connects::firstValue);
            Limit handshake = connects.handshake();
            single("first_answer_ms", 1000 * medianOf(MEASURED_CONNECTS, connects::firstAnswer), handshake);
            single("first_value_ms", 1000 * medianOf(MEASURED_CONNECTS, connects::firstValue), handshake);
        }
    }

    private void ownMesh(boolean isClear) throws Exception {
        machine.put("targets_per_node", TARGETS);
        String[] args = {"--data-channel", isClear ? "clear" : "tls", "--targets", String.valueOf(TARGETS)};
        try (LocalMesh mesh = LocalMesh.start(ownDir(), args)) {
            measure(mesh, isClear);
        }
    }

    private static Path ownDir() {
        return Demo.dir().resolveSibling(".mesh-bench");
    }

    private void startRows(LocalMesh mesh, double upSeconds) throws IOException {
        single("up_3_nodes_s", upSeconds, 20);
        double largest = 0;
        for (MeshRecord.Entry n : mesh.nodes()) largest = Math.max(largest, residentMb(n.pid()));
        single("node_rss_mb", largest, 300);
        single(
                "dmg_system_query_s",
                medianOf(5, () -> mesh.dmg("system", "query").orFail()),
                0.5);
        mesh.kill(3);
        single("node_ready_s", medianOf(1, () -> mesh.startNode(3)), 6);
        int rank = mesh.nodes().get(2).rank();
        LocalMesh.await(
                "rank joined", Duration.ofSeconds(60), () -> mesh.state(rank).equalsIgnoreCase("joined"));
    }

    private void single(String name, double value, double asked) {
        single(name, value, new Limit("asked", asked));
    }

    private void single(String name, double value, Limit limit) {
        row(new Shape(name, "", 0, 0, true), new Timing(0, 0, value, 0, 0), limit);
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
                        Timing t = timed(
                                inFlight, size, i -> store(stores, i % keys).put(key(i % keys), value));
                        row(new Shape("write", "RP_3", size, inFlight, !isClear), t, sync);
                    }
                    if (!only.equals("write")) {
                        Timing t = timed(inFlight, size, i -> {
                            long k = random.split().nextInt(keys);
                            return store(stores, k).get(key(k));
                        });
                        row(new Shape("read", "RP_3", size, inFlight, !isClear), t, stream);
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
    private static List<KeyValue> stores(Container c) {
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

    private static Timing timed(int inFlight, int size, Load.Operation operation) {
        double best = 0;
        int level = 0;
        for (int round = 0; round < WARM_ROUNDS_MAX && level < WARM_ROUNDS_LEVEL; round++) {
            double rate = Load.run(inFlight, WARM, operation).timing(size).opsPerSecond();
            level = rate > best * WARM_GAIN ? 0 : level + 1;
            best = Math.max(best, rate);
        }
        return Load.run(inFlight, MEASURE, operation).timing(size);
    }

    /** @param opsPerSecond for single figures (start-up, memory) the figure itself stands in {@code figure} */
    record Timing(double opsPerSecond, double mbPerSecond, double figure, double p50Us, double p99Us) {}

    record Limit(String name, double value) {}

    /** What a row measures. */
    record Shape(String name, String oclass, int size, int inFlight, boolean isTls) {}

    private void row(Shape shape, Timing t, Limit limit) {
        Map<String, Object> r = new LinkedHashMap<>();
        r.put("name", shape.name());
        r.put("class", shape.oclass());
        r.put("size", shape.size());
        r.put("in_flight", shape.inFlight());
        r.put("tls", shape.isTls());
        r.put("ops_s", t.opsPerSecond() == 0 ? round(t.figure()) : round(t.opsPerSecond()));
        r.put("mb_s", round(t.mbPerSecond()));
        r.put("p50_us", round(t.p50Us()));
        r.put("p99_us", round(t.p99Us()));
        r.put("limit_name", limit.name());
        r.put("limit", round(limit.value()));
        double value = t.opsPerSecond() == 0 ? t.figure() : t.opsPerSecond();
        r.put("ratio", Math.round(value / limit.value() * 1000) / 1000.0);
        rows.add(r);
        if (!isJson) System.err.println("bench: " + r);
    }

    private static double round(double v) {
        return v < 100 ? Math.round(v * 100) / 100.0 : Math.round(v * 10) / 10.0;
    }

    private void print() throws IOException {
        if (isJson) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("rows", rows);
            all.put("machine", machine);
            System.out.println(new ObjectMapper().writeValueAsString(all));
            return;
        }
        String format = "%-20s %-5s %8s %9s %-5s %10s %9s %9s %9s  %-28s %10s %7s%n";
        System.out.printf(
                format,
                "name",
                "class",
                "size",
                "in flight",
                "tls",
                "ops/s",
                "MB/s",
                "p50 us",
                "p99 us",
                "limit",
                "",
                "ratio");
        for (Map<String, Object> r : rows) {
            System.out.printf(Locale.ROOT, format, r.values().toArray());
        }
    }
}
