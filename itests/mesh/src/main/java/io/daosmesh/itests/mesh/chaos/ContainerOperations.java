package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.function.BooleanSupplier;

/** Containers of a pool and what is in them. Owner: the thread of the operations. */
final class ContainerOperations {
    private static final int CONTAINERS_MAX = 4;
    private static final int LINES_MAX = 5_000;
    private static final List<String> RIGHTS = List.of("r", "rw", "rwdt");

    private final Screen screen;
    private final Draw draw;
    private final Set<PoolEntry> unsure = new LinkedHashSet<>();

    ContainerOperations(Screen screen, Draw draw) {
        this.screen = screen;
        this.draw = draw;
    }

    Map<String, BooleanSupplier> kinds() {
        Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
        kinds.put("container create", this::create);
        kinds.put("container destroy", this::destroy);
        kinds.put("container set-prop", () -> inOne(this::setProperty));
        kinds.put("container set-owner", () -> inOne(this::setOwner));
        kinds.put("container update-acl", () -> inOne(this::updateAcl));
        kinds.put("container delete-acl", () -> inOne(this::deleteAcl));
        kinds.put("kv put", this::put);
        kinds.put("kv remove", () -> inOne(this::remove));
        return kinds;
    }

    private boolean inOne(BiPredicate<PoolEntry, ContainerEntry> operation) {
        PoolEntry pool = draw.pool();
        Optional<ContainerEntry> c = draw.container(pool);
        return c.isPresent() && operation.test(pool, c.get());
    }

    boolean create() {
        PoolEntry pool = draw.pool();
        if (pool.containers.values().stream().filter(c -> c.fate.mayBe()).count() >= CONTAINERS_MAX) return false;
        ContainerEntry c = new ContainerEntry(draw.fresh("c"), Fate.MAKING);
        pool.containers.put(c.label, c);
        c.fate = Fate.made(
                screen.daos("container create", "container", "create", pool.label, c.label, "--oclass", "RP_3GX"));
        if (c.fate == Fate.MAKING) unsure.add(pool);
        return true;
    }

    /** Once after an answer that is missing: what has not come or gone by then is unsure to the end. */
    void look() {
        unsure.removeIf(p -> p.fate != Fate.THERE);
        for (PoolEntry pool : List.copyOf(unsure)) {
            Set<String> listed = screen.containers(pool.label);
            pool.containers.values().forEach(c -> c.fate = c.fate.seen(listed.contains(c.label)));
            unsure.remove(pool);
        }
    }

    private boolean destroy() {
        PoolEntry pool = draw.pool();
        Optional<ContainerEntry> drawn = draw.butFirst(pool.with(Fate.THERE));
        if (drawn.isEmpty()) return false;
        ContainerEntry c = drawn.get();
        c.fate = Fate.ENDING;
        c.fate = Fate.ended(screen.daos("container destroy", "container", "destroy", pool.label, c.label, "--force"));
        if (c.fate == Fate.ENDING) unsure.add(pool);
        return true;
    }

    private boolean setProperty(PoolEntry pool, ContainerEntry c) {
        String value = draw.mayBe() ? "on" : "off";
        Answer answer =
                screen.daos("container set-prop", "container", "set-prop", pool.label, c.label, "scrubber:" + value);
        c.properties.of("scrubber").set(value, answer);
        return true;
    }

    /** Not to another user: he alone could use it then. */
    private boolean setOwner(PoolEntry pool, ContainerEntry c) {
        String group = draw.user() + "s";
        Answer answer =
                screen.dmg("container set-owner", "container", "set-owner", pool.label, c.label, "--group=" + group);
        c.group.set(group + "@", answer);
        return true;
    }

    private boolean updateAcl(PoolEntry pool, ContainerEntry c) {
        String user = draw.user();
        String rights = draw.of(RIGHTS);
        Answer answer = screen.daos(
                "container update-acl",
                "container",
                "update-acl",
                pool.label,
                c.label,
                "--entry=A::" + user + "@:" + rights);
        c.acl.of(user).set(rights, answer);
        return true;
    }

    private boolean deleteAcl(PoolEntry pool, ContainerEntry c) {
        String user = draw.user();
        Setting entry = c.acl.of(user);
        Set<String> may = entry.mayBe("") ? Set.of("NONEXIST") : Set.of();
        Answer answer = screen.daos(
                "container delete-acl",
                may,
                "container",
                "delete-acl",
                pool.label,
                c.label,
                "--principal=u:" + user + "@");
        entry.set("", answer);
        return true;
    }

    /** Each key once: what comes late cannot take the place of what was acknowledged. */
    boolean put() {
        return inOne((pool, c) -> {
            String key = draw.fresh("k");
            Path file = screen.mesh().dir().resolve("chaos-value");
            try {
                Files.writeString(file, value(pool.label, c.label, key));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            c.values.put(key, Fate.MAKING);
            c.values.put(key, Fate.made(screen.daos("kv put", "kv", "put", pool.label, c.label, key, file.toString())));
            return true;
        });
    }

    private boolean remove(PoolEntry pool, ContainerEntry c) {
        Optional<String> key = draw.butFirst(c.values.keySet().stream()
                .filter(k -> c.values.get(k) == Fate.THERE)
                .toList());
        if (key.isEmpty()) return false;
        c.values.put(key.get(), Fate.ENDING);
        c.values.put(key.get(), Fate.ended(screen.daos("kv remove", "kv", "remove", pool.label, c.label, key.get())));
        return true;
    }

    static String value(String pool, String container, String key) {
        return (pool + "/" + container + "/" + key + "\n").repeat(1 + Math.floorMod(key.hashCode() * 31, LINES_MAX));
    }
}
