package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.model.pool.PoolMap;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A device of a running node stops answering: it is put out by itself, and its data are there all the time. */
class DeviceIT {
    private static final int VALUES = 60;
    private static final int STORES = 10;
    private static final Duration STEP_MAX = Duration.ofSeconds(60);
    private static final Duration OUT_MAX = Duration.ofSeconds(120);

    @TempDir
    private Path dir;

    /** Long enough to go to a device at once. */
    private static byte[] value(int n) {
        byte[] value = new byte[100_000];
        Arrays.fill(value, (byte) n);
        return value;
    }

    /** So many objects that some of them have parts on each device. */
    private static List<KeyValue> stores(MeshClient client) {
        Container c = client.container("tank", ContainerSpec.of("box").withClass("RP_2GX"));
        List<KeyValue> stores = new ArrayList<>();
        for (int i = 0; i < STORES; i++) stores.add(MeshClient.await(c.createKeyValue()));
        return stores;
    }

    private static void put(List<KeyValue> stores, int n) {
        stores.get(n % STORES).put("key " + n, value(n)).block(STEP_MAX);
    }

    private static void check(List<KeyValue> stores, int n) {
        assertArrayEquals(value(n), stores.get(n % STORES).get("key " + n).block(STEP_MAX), "value " + n);
    }

    @Test
    void shouldPutOutADeviceThatHangsAndGoOnWithoutIt() {
        try (LocalMesh mesh = LocalMesh.start(dir.resolve("mesh"))) {
            mesh.dmg("pool", "create", "tank", "--size", "4GB").orFail();
            try (MeshClient client = MeshClient.open(mesh)) {
                List<KeyValue> stores = stores(client);
                for (int n = 0; n < VALUES; n++) put(stores, n);
                mesh.mesh("device", "2", "ssd0", "hang").orFail();

                int written = VALUES;
                for (long endNs = System.nanoTime() + OUT_MAX.toNanos(); !isRebuilt(client); written++) {
                    assertTrue(System.nanoTime() < endNs, () -> "the device is not out: " + mesh.logs());
                    check(stores, written - VALUES);
                    put(stores, written);
                }

                mesh.mesh("device", "2", "ssd0", "clear").orFail();
                for (int n = 0; n < written; n++) check(stores, n);
            }
            assertEquals(List.of("EVICTED"), states(mesh, "node2/nvme/ssd0"));
            assertEquals(List.of("NORMAL"), states(mesh, "node2/nvme/ssd1"));
            String events = mesh.dmg("system", "events").orFail().out();
            assertEquals(
                    1,
                    events.lines()
                            .filter(l -> l.contains("device_set_faulty") && l.contains("no answer to"))
                            .count(),
                    events);
        }
    }

    private static boolean isRebuilt(MeshClient client) {
        PoolMap map =
                PoolMap.fromWire(MeshClient.await(client.pool("tank").query()).getMap());
        return map.disabledCount() == 1 && !map.needsRebuild();
    }

    /** What dmg says of the device with this end of its address. */
    private static List<String> states(LocalMesh mesh, String address) {
        List<String> lines = mesh.dmg("storage", "query", "list-devices")
                .orFail()
                .out()
                .lines()
                .toList();
        return java.util.stream.IntStream.range(0, lines.size() - 1)
                .filter(i -> lines.get(i).contains(address + "]"))
                .mapToObj(i -> lines.get(i + 1).replaceAll(".*State:", ""))
                .toList();
    }
}
