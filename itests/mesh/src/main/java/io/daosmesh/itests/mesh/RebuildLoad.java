package io.daosmesh.itests.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosObject;
import io.daosmesh.client.Pool;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Write;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.RebuildStatusMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What clients notice of a rebuild, as fast as it goes and at a lower rate: their 99th percentile before and meanwhile; and how
 * fast it is when nobody else wants the machine.
 */
final class RebuildLoad {
    private static final String POOL = "refill";
    private static final int RANK = 2;
    private static final int STORED = 1_500;
    private static final int STORED_BYTES = 256 << 10;
    private static final int CLIENT_BYTES = 4 << 10;
    private static final int CLIENTS = 4;
    private static final Duration WARM = Duration.ofSeconds(25);
    private static final Duration BEFORE = Duration.ofSeconds(8);
    private static final Duration CHANGE_MAX = Duration.ofSeconds(180);
    /** A question to the pool service; of a dmg the start of its Java alone would be noticed by the clients. */
    private static final long ASK_NS = 100_000_000;
    /** The code of a node's first rebuild is cold. */
    private static final int ROUNDS = 3;

    private static final int LIMIT_WRITERS = 16;

    private final LocalMesh mesh;
    private final Report report;

    RebuildLoad(LocalMesh mesh, Report report) {
        this.mesh = mesh;
        this.report = report;
    }

    /** @param rateMb of the round that is held down by a property of the pool */
    void run(int rateMb) throws Exception {
        mesh.dmg("pool", "create", POOL, "--size", "8GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Pool pool = client.pool(POOL);
            Container c = client.container(POOL, ContainerSpec.of("values").withClass("RP_3GX"));
            fill(object(c), STORED, STORED_BYTES);
            DaosObject busy = object(c);
            try (SteadyLoad clients = load(busy)) {
                sleep(WARM);
                for (int i = 1; i <= ROUNDS; i++) beside(clients, pool, "rebuild_" + i);
                mesh.dmg("pool", "set-prop", POOL, "rebuild_rate:" + rateMb).orFail();
                beside(clients, pool, "rebuild_at_" + rateMb);
                mesh.dmg("pool", "set-prop", POOL, "rebuild_rate:0").orFail();
            }
            double perSecond = new Limits(mesh.dir(), MeshClient.settings(mesh.dir()))
                    .syncedWrites(STORED_BYTES, LIMIT_WRITERS)
                    .value();
            Limit disk = new Limit("synced writes of such values, MB/s", perSecond * STORED_BYTES / 1e6);
            for (int i = 1; i <= ROUNDS; i++) alone(pool, "rebuild_alone_" + i, disk);
        }
    }

    private static DaosObject object(Container c) {
        ObjectId id = MeshClient.await(c.newId(ObjectId.Type.KEY_VALUE, ObjectClass.parse("RP_3GX")));
        return c.object(id);
    }

    private static SteadyLoad load(DaosObject object) {
        return SteadyLoad.start(
                CLIENTS,
                i -> object.update(
                        ("key" + i % 1000).getBytes(),
                        List.of(Write.single("value".getBytes(), ByteBuffer.wrap(new byte[CLIENT_BYTES]))),
                        Condition.NONE));
    }

    private void beside(SteadyLoad clients, Pool pool, String name) {
        long fromNs = System.nanoTime();
        while (System.nanoTime() - fromNs < BEFORE.toNanos()) ask(pool);
        Load.Result before = clients.between(fromNs, System.nanoTime());
        long excludedNs = System.nanoTime();
        RebuildStatusMessage rebuild = exclude(pool);
        Load.Result meanwhile = clients.between(excludedNs, System.nanoTime());
        report.single(name + "_mb_s", mbPerSecond(rebuild), 150);
        Limit rate = new Limit(
                "clients' writes a second before", before.timing(CLIENT_BYTES).opsPerSecond());
        report.single(name + "_client_writes", meanwhile.timing(CLIENT_BYTES).opsPerSecond(), rate);
        report.single(name + "_client_p50_us", meanwhile.at(0.5), new Limit("the same before, us", before.at(0.5)));
        Limit twice = new Limit("twice the clients' p99 before, us", 2 * before.at(0.99));
        report.single(name + "_client_p99_us", meanwhile.at(0.99), twice);
        comeBack(pool);
    }

    private void alone(Pool pool, String name, Limit disk) {
        report.single(name + "_mb_s", mbPerSecond(exclude(pool)), disk);
        comeBack(pool);
    }

    /** Returns when what the rank held is on others. */
    private RebuildStatusMessage exclude(Pool pool) {
        int last = rebuild(pool).getVersion();
        mesh.dmg("pool", "exclude", POOL, "--ranks", String.valueOf(RANK), "--force")
                .orFail();
        await("it is rebuilt", () -> rebuild(pool).getVersion() != last && isOver(pool));
        return rebuild(pool);
    }

    private void comeBack(Pool pool) {
        mesh.dmg("pool", "reintegrate", POOL, "--ranks", String.valueOf(RANK)).orFail();
        await("it is whole", () -> query().path("disabled_targets").asInt() == 0 && isOver(pool));
    }

    private static double mbPerSecond(RebuildStatusMessage rebuild) {
        return rebuild.getBytes() / 1e6 / Math.max(0.001, rebuild.getDurationMs() / 1e3);
    }

    /** It costs, too: before as meanwhile. */
    private static void ask(Pool pool) {
        LockSupport.parkNanos(ASK_NS);
        rebuild(pool);
    }

    private static RebuildStatusMessage rebuild(Pool pool) {
        return MeshClient.await(pool.query()).getRebuild();
    }

    private static boolean isOver(Pool pool) {
        return rebuild(pool).getState() != RebuildStatusMessage.State.BUSY;
    }

    private JsonNode query() {
        return mesh.dmgJson("pool", "query", POOL);
    }

    private static void await(String what, java.util.function.BooleanSupplier condition) {
        LocalMesh.await(what, CHANGE_MAX, () -> {
            if (condition.getAsBoolean()) return true;
            LockSupport.parkNanos(ASK_NS);
            return false;
        });
    }

    /** As long as is measured. */
    private static void sleep(Duration d) {
        long end = System.nanoTime() + d.toNanos();
        for (long left = d.toNanos(); left > 0; left = end - System.nanoTime()) LockSupport.parkNanos(left);
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
