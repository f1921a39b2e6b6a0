package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One operation of an administrator or a user after the other, which and on what by the seed. At most one rank is put away at a
 * time, and only from whole pools: with one more in trouble a third copy is left. Owner: its thread.
 */
final class Operations {
    private static final int POOLS_MAX = 3;
    private static final int CONTAINERS_MAX = 4;
    private static final int EXTENSIBLE_RANKS = 3;

    private final Screen screen;
    private final Ledger ledger;
    private final SplittableRandom random;
    private final String run;
    private final int rankCount;
    private @Nullable Away away;
    private int made;

    /** How a rank was put away, and the commands that bring it back. */
    record Away(String kind, List<String> back) {}

    /** How likely each is among all. */
    private enum Kind {
        POOL_CREATE(2),
        POOL_DESTROY(1),
        POOL_PROPERTY(2),
        POOL_EXTEND(1),
        POOL_EXCLUDE(2),
        POOL_DRAIN(1),
        POOL_EVICT(2),
        CONTAINER_CREATE(2),
        CONTAINER_DESTROY(1),
        VALUE(4),
        SYSTEM_STOP(2),
        SYSTEM_EXCLUDE(2),
        DEVICE_FAULTY(1),
        ATTRIBUTE(2),
        BACK(6);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }
    }

    private static final int WEIGHTS =
            List.of(Kind.values()).stream().mapToInt(k -> k.weight).sum();

    Operations(Screen screen, Ledger ledger, SplittableRandom random, String run, int rankCount) {
        this.screen = screen;
        this.ledger = ledger;
        this.random = random;
        this.run = run;
        this.rankCount = rankCount;
    }

    /** While nothing fails: a pool with a container and a value that stay to the end. */
    void begin() {
        createPool(false);
        if (ledger.poolsThere().isEmpty()) throw new IllegalStateException("no pool can be made");
        createContainer();
        putValue();
    }

    /** False when what was drawn cannot be tried now. */
    boolean next() {
        return switch (draw()) {
            case POOL_CREATE -> createPool(random.nextBoolean());
            case POOL_DESTROY -> destroyPool();
            case POOL_PROPERTY -> setProperty();
            case POOL_EXTEND -> extendPool();
            case POOL_EXCLUDE -> putOut("exclude");
            case POOL_DRAIN -> putOut("drain");
            case POOL_EVICT -> evict();
            case CONTAINER_CREATE -> createContainer();
            case CONTAINER_DESTROY -> destroyContainer();
            case VALUE -> putValue();
            case SYSTEM_STOP -> system("stop", "start");
            case SYSTEM_EXCLUDE -> system("exclude", "clear-exclude");
            case DEVICE_FAULTY -> deviceFaulty();
            case ATTRIBUTE -> setAttribute();
            case BACK -> back();
        };
    }

    private Kind draw() {
        int at = random.nextInt(WEIGHTS);
        for (Kind k : Kind.values()) {
            at -= k.weight;
            if (at < 0) return k;
        }
        throw new AssertionError("weights");
    }

    /** What is still away, to be brought back at the end. */
    @Nullable
    Away away() {
        return away;
    }

    // ---------------------------------------------------------------- pools

    private boolean createPool(boolean onFewer) {
        boolean isFull =
                ledger.pools().stream().filter(p -> p.fate != Fate.GONE).count() >= POOLS_MAX;
        if (isFull) return false;
        String label = run + "-p" + ++made;
        List<String> line = new ArrayList<>(List.of("pool", "create", label, "--size", "300MB"));
        PoolEntry pool = ledger.add(label, Fate.UNSURE);
        int count = onFewer ? Math.min(EXTENSIBLE_RANKS, rankCount) : rankCount;
        for (int r = 0; r < count; r++) pool.ranks.add(r);
        if (onFewer) line.addAll(List.of("--ranks", "0-" + (count - 1)));
        if (screen.dmg("pool create", line.toArray(String[]::new))) pool.fate = Fate.THERE;
        return true;
    }

    /** The first stays. */
    private boolean destroyPool() {
        List<PoolEntry> there = ledger.poolsThere();
        if (there.size() < 2) return false;
        PoolEntry pool = there.get(1 + random.nextInt(there.size() - 1));
        pool.fate = Fate.UNSURE;
        boolean isDone = screen.dmg("pool destroy", "pool", "destroy", pool.label, "--force", "--recursive");
        if (isDone) pool.fate = Fate.GONE;
        return true;
    }

    private boolean setProperty() {
        PoolEntry pool = anyPool();
        String value = Integer.toString(1 + random.nextInt(20));
        boolean isDone = screen.dmg("pool set-prop", "pool", "set-prop", pool.label, "space_rb:" + value);
        Ledger.noted(pool.properties, "space_rb", value, isDone);
        return true;
    }

    private boolean extendPool() {
        List<PoolEntry> smaller = ledger.poolsThere().stream()
                .filter(p -> p.ranks.size() < rankCount)
                .toList();
        if (smaller.isEmpty() || !areWhole()) return false;
        PoolEntry pool = smaller.get(random.nextInt(smaller.size()));
        String rank = Integer.toString(pool.ranks.size());
        if (screen.dmg("pool extend", "pool", "extend", pool.label, "--ranks=" + rank))
            pool.ranks.add(pool.ranks.size());
        return true;
    }

    private boolean evict() {
        return screen.dmg("pool evict", "pool", "evict", anyPool().label) || true;
    }

    // ---------------------------------------------------------------- ranks and devices

    private boolean putOut(String how) {
        if (away != null || !areWhole()) return false;
        PoolEntry pool = anyPool();
        String rank = "--ranks=" + random.nextInt(pool.ranks.size());
        away = new Away("pool reintegrate", List.of("pool", "reintegrate", pool.label, rank));
        screen.dmg("pool " + how, "pool", how, pool.label, rank);
        return true;
    }

    private boolean system(String how, String back) {
        if (away != null || !areWhole()) return false;
        String rank = "--ranks=" + random.nextInt(rankCount);
        away = new Away("system " + back, List.of("system", back, rank));
        screen.dmg("system " + how, "system", how, rank);
        return true;
    }

    private boolean deviceFaulty() {
        if (away != null || !areWhole()) return false;
        List<JsonNode> devices = new ArrayList<>();
        try {
            for (JsonNode host :
                    screen.mesh().dmgJson("storage", "query", "list-devices").path("hosts"))
                host.path("devices").forEach(devices::add);
        } catch (IllegalStateException e) {
            return false;
        }
        if (devices.isEmpty()) return false;
        String uuid = devices.get(random.nextInt(devices.size())).path("uuid").asText();
        away = new Away(
                "storage replace", List.of("storage", "replace", "nvme", "--old-uuid", uuid, "--new-uuid", uuid));
        screen.dmg("storage set-faulty", "storage", "set", "nvme-faulty", "--force", "--uuid", uuid);
        return true;
    }

    /** Refused while the rebuild without it goes on, for one: it is tried again. */
    private boolean back() {
        Away way = away;
        if (way == null) return false;
        if (screen.dmg(way.kind, way.back.toArray(String[]::new))) away = null;
        return true;
    }

    private boolean areWhole() {
        try {
            List<JsonNode> pools = screen.pools();
            boolean areJoined = screen.members().stream()
                    .allMatch(m -> m.path("state").asText().equals("joined"));
            return areJoined && pools.stream().allMatch(Screen::isWhole);
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private PoolEntry anyPool() {
        List<PoolEntry> there = ledger.poolsThere();
        return there.get(random.nextInt(there.size()));
    }

    // ---------------------------------------------------------------- containers, values, attributes

    private boolean createContainer() {
        PoolEntry pool = anyPool();
        if (pool.containers.size() >= CONTAINERS_MAX) return false;
        ContainerEntry c = new ContainerEntry("c" + ++made, Fate.UNSURE);
        pool.containers.put(c.label, c);
        if (screen.daos("container create", "container", "create", pool.label, c.label, "--oclass", "RP_3GX"))
            c.fate = Fate.THERE;
        return true;
    }

    private boolean destroyContainer() {
        PoolEntry pool = anyPool();
        List<ContainerEntry> there = pool.there();
        if (there.size() < 2) return false;
        ContainerEntry c = there.get(1 + random.nextInt(there.size() - 1));
        c.fate = Fate.UNSURE;
        if (screen.daos("container destroy", "container", "destroy", pool.label, c.label, "--force"))
            c.fate = Fate.GONE;
        return true;
    }

    /** Each key once: what comes late cannot take the place of what was acknowledged. */
    private boolean putValue() {
        PoolEntry pool = anyPool();
        List<ContainerEntry> there = pool.there();
        if (there.isEmpty()) return false;
        ContainerEntry c = there.get(random.nextInt(there.size()));
        String key = "k" + ++made;
        Path file = screen.mesh().dir().resolve("chaos-value");
        try {
            Files.writeString(file, value(pool.label, c.label, key));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        c.values.put(key, false);
        boolean isDone = screen.daos("kv put", "kv", "put", pool.label, c.label, key, file.toString());
        c.values.put(key, isDone);
        return true;
    }

    static String value(String pool, String container, String key) {
        return (pool + "/" + container + "/" + key + "\n").repeat(40 + key.length() * 13);
    }

    private boolean setAttribute() {
        String key = "a" + random.nextInt(3);
        String value = "v" + ++made;
        boolean isDone = screen.dmg("system set-attr", "system", "set-attr", key + ":" + value);
        Ledger.noted(ledger.attributes(), key, value, isDone);
        return true;
    }
}
