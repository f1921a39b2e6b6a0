package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosObject;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;

/** How long a killed node that comes back takes until it holds everything again: by what it missed, or by what it stores. */
final class Reintegration {
    private static final int NODE = 3;
    private static final int VALUE_BYTES = 16 << 10;
    private static final int MISSED = 500;
    private static final Duration CHANGE_MAX = Duration.ofSeconds(120);

    private final LocalMesh mesh;
    private final Report report;

    Reintegration(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    /** @param stored values that the node has when it is killed */
    void run(int stored) {
        String pool = "back" + stored;
        mesh.dmg("pool", "create", pool, "--size", "4GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c = client.container(pool, ContainerSpec.of("values").withClass("RP_3GX"));
            ObjectId id = MeshClient.await(c.newId(ObjectId.Type.KEY_VALUE, ObjectClass.parse("RP_3GX")));
            fill(c.object(id), 0, stored);
            mesh.kill(NODE);
            LocalMesh.await("it is excluded", CHANGE_MAX, () -> {
                JsonNode now = query(pool);
                return now.path("disabled_targets").asInt() > 0 && isStill(now);
            });
            fill(c.object(id), stored - MISSED / 2, stored + MISSED / 2);
        }
        double whole = Bench.medianOf(1, () -> {
            mesh.startNode(NODE);
            LocalMesh.await("it is whole", CHANGE_MAX, () -> {
                JsonNode now = query(pool);
                return now.path("disabled_targets").asInt() == 0 && isStill(now);
            });
        });
        JsonNode rebuild = query(pool).path("rebuild");
        report.single("stored_" + stored + "_start_to_whole_s", whole, 10);
        report.single(
                "stored_" + stored + "_rebuild_ms", rebuild.path("duration_ms").asDouble(), 2_000);
        report.single(
                "stored_" + stored + "_values_pulled", rebuild.path("records").asDouble(), MISSED);
        mesh.dmg("pool", "destroy", pool, "--force").orFail();
    }

    private JsonNode query(String pool) {
        return mesh.dmgJson("pool", "query", pool);
    }

    private static boolean isStill(JsonNode now) {
        return List.of("done", "idle")
                .contains(now.path("rebuild").path("state").asText());
    }

    private static void fill(DaosObject object, int from, int to) {
        Load.run(
                8,
                to - from,
                i -> object.update(
                        ("key" + (from + i)).getBytes(),
                        List.of(Write.single("value".getBytes(), ByteBuffer.wrap(new byte[VALUE_BYTES]))),
                        Condition.NONE));
    }
}
