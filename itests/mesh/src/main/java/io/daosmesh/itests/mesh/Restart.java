package io.daosmesh.itests.mesh;

import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosObject;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** How long a killed node is away that holds many records: it counts them all before it serves. */
final class Restart {
    /** Of one target or several, each node holds all of them. */
    private static final int RECORDS = 1_000_000;

    private static final int RECORDS_A_UPDATE = 250;
    private static final int NODE = 3;
    private static final double GOAL_S = 10;
    private static final Duration JOIN_MAX = Duration.ofSeconds(120);

    private final LocalMesh mesh;
    private final Report report;

    Restart(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    void run() {
        mesh.dmg("pool", "create", "restart", "--size", "16GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c =
                    client.container("restart", ContainerSpec.of("restart").withClass("RP_3GX"));
            ObjectId id = MeshClient.await(c.newId(ObjectId.Type.KEY_VALUE, ObjectClass.parse("RP_3GX")));
            fill(c.object(id));
        }
        int rank = mesh.nodes().get(NODE - 1).rank();
        report.single("restart_records", RECORDS, RECORDS);
        double seconds = Bench.medianOf(1, () -> {
            mesh.kill(NODE);
            mesh.startNode(NODE);
            LocalMesh.await("rank joined", JOIN_MAX, () -> mesh.state(rank).equalsIgnoreCase("joined"));
        });
        report.single("restart_killed_to_joined_s", seconds, GOAL_S);
    }

    private static void fill(DaosObject object) {
        Load.run(8, RECORDS / RECORDS_A_UPDATE, i -> {
            List<Write> values = new ArrayList<>(RECORDS_A_UPDATE);
            for (int v = 0; v < RECORDS_A_UPDATE; v++)
                values.add(Write.single(("value" + v).getBytes(), ByteBuffer.wrap(new byte[16])));
            return object.update(("key" + i).getBytes(), values, Condition.NONE);
        });
    }
}
