package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosObject;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Write;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/** What clients notice of a rebuild, as fast as it goes and at a lower rate: their 99th percentile before and meanwhile. */
final class RebuildLoad {
    private static final String POOL = "refill";
    private static final int RANK = 2;
    private static final int STORED = 1_500;
    private static final int STORED_BYTES = 256 << 10;
    private static final int CLIENT_BYTES = 4 << 10;
    private static final int CLIENTS = 4;
    private static final Duration WINDOW = Duration.ofSeconds(1);
    private static final int WARM_WINDOWS = 15;
    private static final int WINDOWS = 8;
    private static final int WINDOWS_MAX = 120;
    private static final Duration CHANGE_MAX = Duration.ofSeconds(120);

    private final LocalMesh mesh;
    private final Report report;

    RebuildLoad(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    void run(int... ratesMb) {
        mesh.dmg("pool", "create", POOL, "--size", "8GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c = client.container(POOL, ContainerSpec.of("values").withClass("RP_3GX"));
            fill(object(c), STORED, STORED_BYTES);
            DaosObject busy = object(c);
            for (int i = 0; i < WARM_WINDOWS; i++) window(busy);
            for (int rate : ratesMb) measure(busy, rate);
        }
    }

    private static DaosObject object(Container c) {
        ObjectId id = MeshClient.await(c.newId(ObjectId.Type.KEY_VALUE, ObjectClass.parse("RP_3GX")));
        return c.object(id);
    }

    private void measure(DaosObject busy, int rateMb) {
        mesh.dmg("pool", "set-prop", POOL, "rebuild_rate:" + rateMb).orFail();
        long[] before = new long[0];
        for (int i = 0; i < WINDOWS; i++) before = joined(before, window(busy));
        int last = query().path("rebuild").path("version").asInt();
        mesh.dmg("pool", "exclude", POOL, "--ranks", String.valueOf(RANK), "--force")
                .orFail();
        long[] meanwhile = new long[0];
        for (int i = 0; i < WINDOWS_MAX; i++) {
            meanwhile = joined(meanwhile, window(busy));
            if (query().path("rebuild").path("version").asInt() != last && isOver()) break;
        }
        JsonNode rebuild = query().path("rebuild");
        double seconds = rebuild.path("duration_ms").asDouble() / 1e3;
        String name = rateMb == 0 ? "rebuild" : "rebuild_at_" + rateMb;
        report.single(name + "_mb_s", rebuild.path("bytes").asDouble() / 1e6 / Math.max(0.001, seconds), 150);
        Limit twice = new Limit("twice the client's p99 before, us", 2 * p99Us(before));
        report.single(name + "_client_p99_us", p99Us(meanwhile), twice);
        mesh.dmg("pool", "reintegrate", POOL, "--ranks", String.valueOf(RANK)).orFail();
        LocalMesh.await(
                "it is whole",
                CHANGE_MAX,
                () -> query().path("disabled_targets").asInt() == 0 && isOver());
    }

    /** The question is asked in each window, before and meanwhile: it costs, too. */
    private long[] window(DaosObject busy) {
        long[] latencies = Load.run(
                        CLIENTS,
                        WINDOW,
                        i -> busy.update(
                                ("key" + i % 1000).getBytes(),
                                List.of(Write.single("value".getBytes(), ByteBuffer.wrap(new byte[CLIENT_BYTES]))),
                                Condition.NONE))
                .latenciesNs();
        query();
        return latencies;
    }

    private JsonNode query() {
        return mesh.dmgJson("pool", "query", POOL);
    }

    private boolean isOver() {
        return List.of("done", "idle")
                .contains(query().path("rebuild").path("state").asText());
    }

    private static long[] joined(long[] a, long[] b) {
        return LongStream.concat(Arrays.stream(a), Arrays.stream(b)).toArray();
    }

    private static double p99Us(long[] latencies) {
        long[] sorted = latencies.clone();
        Arrays.sort(sorted);
        return new Load.Result(sorted, 1).at(0.99);
    }

    private static void fill(DaosObject object, int count, int bytes) {
        Load.run(
                8,
                count,
                i -> object.update(
                        ("key" + i).getBytes(),
                        List.of(Write.single("value".getBytes(), ByteBuffer.wrap(new byte[bytes]))),
                        Condition.NONE));
    }
}
