package io.daosmesh.itests.mesh;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.itests.mesh.Bench.Shape;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.reactivestreams.Publisher;

/**
 * The short form of the benchmark, under four minutes: small and large writes and reads at one and at 16 in flight, in the first
 * half minute of the nodes' life and after most of a minute of load, each with what it costs, and the engine log's persists beside what
 * the disk can do. Owner: the benchmark's main thread.
 */
final class Quick {
    private static final Duration COLD = Duration.ofSeconds(3);
    private static final Duration WARM_UP = Duration.ofSeconds(40);
    private static final Duration SHAPE_WARM_UP = Duration.ofSeconds(2);
    private static final Duration MEASURE = Duration.ofSeconds(4);
    /** Operations of a leader, and of a member for one. */
    private static final List<String> STAGES = List.of("update", "tgt_update", "fetch");

    private static final int SMALL = 4096;
    private static final int LARGE = 1 << 20;

    private final LocalMesh mesh;
    private final Report report;
    private final Map<String, Limit> limits = new HashMap<>();
    private final Limits machine;
    private final Map<Integer, byte[]> values = new HashMap<>();
    /** The first keys, by size: what may be read. */
    private final Map<Integer, Long> written = new HashMap<>();

    Quick(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
        this.machine = new Limits(mesh.dir(), MeshClient.settings(mesh.dir()));
        for (int size : new int[] {SMALL, LARGE}) {
            byte[] value = new byte[size];
            new SplittableRandom(size).nextBytes(value);
            values.put(size, value);
        }
    }

    void run() throws Exception {
        mesh.dmg("pool", "create", "bench", "--size", "16GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c = client.container("bench", ContainerSpec.of("bench").withClass("RP_3GX"));
            List<KeyValue> stores = Bench.stores(c);
            all(stores, "cold ", Duration.ZERO, COLD);
            Load.run(16, WARM_UP, i -> i % 4 == 0 ? get(stores, SMALL, i / 4) : put(stores, SMALL, i));
            for (int size : new int[] {SMALL, LARGE}) fill(stores, size);
            all(stores, "", SHAPE_WARM_UP, MEASURE);
        }
    }

    /** Warm reads choose among as many keys on every machine: fewer would be hotter. */
    private void fill(List<KeyValue> stores, int size) {
        report.machine("cold_read_keys_" + size, written.getOrDefault(size, 0L));
        Load.run(16, keysMax(size), i -> put(stores, size, i));
        written.put(size, (long) keysMax(size));
    }

    private void all(List<KeyValue> stores, String state, Duration warmUp, Duration time) throws Exception {
        for (int size : new int[] {SMALL, LARGE}) {
            for (int inFlight : new int[] {1, 16})
                shape(
                        new Shape(state + "write", "RP_3", size, inFlight, false),
                        warmUp,
                        time,
                        i -> put(stores, size, i));
            for (int inFlight : new int[] {1, 16})
                shape(
                        new Shape(state + "read", "RP_3", size, inFlight, false),
                        warmUp,
                        time,
                        i -> get(stores, size, i));
        }
    }

    private void shape(Shape shape, Duration warmUp, Duration time, Load.Operation operation) throws Exception {
        if (!warmUp.isZero()) Load.run(shape.inFlight(), warmUp, operation);
        Stages stagesBefore = stages();
        Costs before = Costs.of(mesh);
        Load.Result result = Load.run(shape.inFlight(), time, operation);
        Costs used = Costs.of(mesh).since(before);
        if (shape.name().endsWith("write")) {
            long keys = Math.min(keysMax(shape.size()), result.latenciesNs().length);
            written.merge(shape.size(), keys, Math::max);
        }
        report.row(shape, result.timing(shape.size()), limit(shape), used.per(result.latenciesNs().length));
        if (shape.size() != SMALL) return;
        if (shape.name().equals("write")) logRows(shape, result, used);
        if (!warmUp.isZero()) stageRows(shape, result, stages().since(stagesBefore));
    }

    /** Sums over all nodes of what they measure themselves, microseconds, and how often. */
    private record Stages(double[] us, double[] counts) {
        Stages since(Stages before) {
            return new Stages(difference(us, before.us), difference(counts, before.counts));
        }

        private static double[] difference(double[] now, double[] before) {
            return IntStream.range(0, now.length)
                    .mapToDouble(i -> now[i] - before[i])
                    .toArray();
        }
    }

    private Stages stages() {
        double[] us = new double[STAGES.size() + 1];
        double[] counts = new double[STAGES.size() + 1];
        for (MeshRecord.Entry node : mesh.nodes()) {
            String scraped = Metrics.scrape(node);
            for (int i = 0; i < STAGES.size(); i++) {
                us[i] += Metrics.total(scraped, "engine_io_latency_" + STAGES.get(i));
                counts[i] += Metrics.sum(scraped, "engine_io_latency_" + STAGES.get(i) + "_samples");
            }
            us[STAGES.size()] += 1e6 * Metrics.sum(scraped, "engine_log_persist_seconds_total");
            counts[STAGES.size()] += Metrics.sum(scraped, "engine_log_persists_total");
        }
        return new Stages(us, counts);
    }

    /** Mean times inside the nodes, as parts of what the client waits. */
    private void stageRows(Shape shape, Load.Result result, Stages spent) {
        Limit waited = new Limit("client's median, us", result.at(0.5));
        for (int i = 0; i <= STAGES.size(); i++) {
            String name = i < STAGES.size() ? STAGES.get(i) : "persist";
            // what is done once in a while is no stage of this shape
            if (spent.counts[i] * 10 < result.latenciesNs().length) continue;
            report.single(name + "_us_x" + shape.inFlight(), spent.us[i] / spent.counts[i], waited);
        }
    }

    /** Of one node: each has its log, and they share the disk here. */
    private void logRows(Shape shape, Load.Result result, Costs used) throws Exception {
        int nodes = mesh.nodes().size();
        String at = "_x" + shape.inFlight();
        Limit syncs = limit(new Shape("write", "", SMALL, 1, false));
        Limit each = new Limit(syncs.name(), syncs.value() / nodes);
        report.single("node_persists_s" + at, used.persists() / nodes / result.seconds(), each);
        report.single("node_turns_s" + at, used.turns() / nodes / result.seconds(), each);
        report.single(
                "writes_a_persist" + at, result.latenciesNs().length / (used.persists() / nodes), shape.inFlight());
    }

    /** Of a write: synced writes to the same file system; of a read: the same bytes over plain TCP. */
    private Limit limit(Shape shape) throws Exception {
        boolean isWrite = shape.name().endsWith("write");
        String key = isWrite + " " + shape.size() + " " + shape.inFlight();
        Limit known = limits.get(key);
        if (known != null) return known;
        Limit measured = isWrite
                ? machine.syncedWrites(shape.size(), shape.inFlight())
                : Limits.tcp(shape.size(), shape.inFlight());
        limits.put(key, measured);
        return measured;
    }

    private Publisher<?> put(List<KeyValue> stores, int size, long i) {
        return store(stores, i % keysMax(size)).put("key" + i % keysMax(size), value(size));
    }

    private Publisher<?> get(List<KeyValue> stores, int size, long i) {
        long key = i % written.getOrDefault(size, 1L);
        return store(stores, key).get("key" + key);
    }

    private byte[] value(int size) {
        return Objects.requireNonNull(values.get(size));
    }

    private static KeyValue store(List<KeyValue> stores, long key) {
        return stores.get((int) (key % stores.size()));
    }

    private static int keysMax(int size) {
        return size == SMALL ? Bench.KEYS_SMALL : Bench.KEYS_LARGE;
    }
}
