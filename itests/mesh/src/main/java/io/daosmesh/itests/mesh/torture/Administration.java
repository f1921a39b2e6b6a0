package io.daosmesh.itests.mesh.torture;

import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerInfo;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.KeyValue;
import io.daosmesh.client.Pool;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.MeshClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Makes, lists, asks for and destroys containers and pools beside everything else, and remembers what was acknowledged. Owner: its thread. */
final class Administration implements Runnable {
    private static final Duration CALL_MAX = Duration.ofSeconds(100);
    private static final int THERE_MAX = 6;
    private static final int VALUES = 8;

    private final LocalMesh mesh;
    private final MeshClient client;
    private final Journal journal;
    private final SplittableRandom random;
    private final BooleanSupplier isOver;
    private final String run;
    private final Map<String, Boolean> containers = new TreeMap<>();
    private int made;

    Administration(
            LocalMesh mesh,
            MeshClient client,
            Journal journal,
            SplittableRandom random,
            String run,
            BooleanSupplier isOver) {
        this.mesh = mesh;
        this.client = client;
        this.journal = journal;
        this.random = random;
        this.run = run;
        this.isOver = isOver;
    }

    @Override
    public void run() {
        while (!isOver.getAsBoolean()) {
            try {
                next();
            } catch (RuntimeException e) {
                journal.failed("administration", e, "");
            }
            Lane.pause(500 + random.nextInt(2_500));
        }
    }

    private void next() {
        Pool pool = client.pool(Torture.POOL);
        switch (random.nextInt(8)) {
            case 0, 1, 2 -> make(pool);
            case 3, 4 -> list(pool);
            case 5, 6 -> destroy(pool);
            default -> sidePool();
        }
    }

    // ---------------------------------------------------------------- containers: true = there, false = not

    private void make(Pool pool) {
        long there = containers.values().stream().filter(t -> t).count();
        if (there >= THERE_MAX) return;
        String label = run + "-admin-" + ++made;
        long beganMs = journal.nowMs();
        pool.makeContainer(ContainerSpec.of(label).withClass("RP_3GX")).block(CALL_MAX);
        containers.put(label, true);
        journal.done("container create", journal.nowMs() - beganMs);
        fill(label, MeshClient.await(pool.openContainer(label)));
    }

    private void list(Pool pool) {
        long beganMs = journal.nowMs();
        Set<String> listed = MeshClient.await(pool.listContainers()).stream()
                .map(ContainerInfo::label)
                .collect(Collectors.toSet());
        journal.done("container list", journal.nowMs() - beganMs);
        containers.forEach((label, isThere) -> {
            if (listed.contains(label) == isThere) return;
            journal.violation(
                    "container %s is %s from %.3f s on", label, isThere ? "not listed" : "still listed", beganMs / 1e3);
        });
    }

    private void destroy(Pool pool) {
        List<String> there =
                containers.keySet().stream().filter(containers::get).toList();
        if (there.isEmpty()) return;
        String label = there.get(random.nextInt(there.size()));
        long beganMs = journal.nowMs();
        MeshClient.await(pool.queryContainer(label));
        containers.remove(label);
        pool.destroyContainer(label, true).block(CALL_MAX);
        containers.put(label, false);
        journal.done("container destroy", journal.nowMs() - beganMs);
    }

    /** A few values that must be there at once. */
    private void fill(String where, Container container) {
        KeyValue store = MeshClient.await(container.createKeyValue());
        for (int i = 0; i < VALUES; i++) store.put("k" + i, value(where, i)).block(CALL_MAX);
        for (int i = 0; i < VALUES; i++) {
            byte[] found = store.get("k" + i).block(CALL_MAX);
            if (Arrays.equals(found, value(where, i))) continue;
            journal.violation("%s: value %d is %s", where, i, found == null ? "absent" : "wrong");
        }
        container.close().block(CALL_MAX);
    }

    private static byte[] value(String where, int i) {
        return (where + " value " + i).getBytes(StandardCharsets.UTF_8);
    }

    // ---------------------------------------------------------------- a pool beside the one that is tortured

    private void sidePool() {
        String label = run + "-side-" + ++made;
        long beganMs = journal.nowMs();
        if (!isDone("pool create", mesh.dmg("pool", "create", label, "--size", "500MB"))) return;
        journal.done("pool create", journal.nowMs() - beganMs);
        checkListed(label, true);
        try (MeshClient own = MeshClient.open(mesh)) {
            Container c = own.container(label, ContainerSpec.of("c").withClass("RP_2GX"));
            fill(label, c);
        } catch (RuntimeException e) {
            journal.failed("side pool", e, "");
        }
        beganMs = journal.nowMs();
        if (!isDone("pool destroy", mesh.dmg("pool", "destroy", label, "--force"))) return;
        journal.done("pool destroy", journal.nowMs() - beganMs);
        checkListed(label, false);
    }

    private void checkListed(String label, boolean isThere) {
        LocalMesh.Outcome list = mesh.dmg("-j", "pool", "list");
        if (!isDone("pool list", list)) return;
        var pools = LocalMesh.json(list.out()).path("response").path("pools");
        List<String> labels = new ArrayList<>();
        StreamSupport.stream(pools.spliterator(), false)
                .forEach(p -> labels.add(p.path("label").asText()));
        if (labels.contains(label) != isThere)
            journal.violation("pool %s is %s: %s", label, isThere ? "not listed" : "still listed", labels);
    }

    private boolean isDone(String what, LocalMesh.Outcome outcome) {
        if (outcome.status() == 0) return true;
        String said = (outcome.err() + outcome.out()).strip();
        journal.failed(
                what, "status " + outcome.status(), said.lines().findFirst().orElse("said nothing"));
        return false;
    }
}
