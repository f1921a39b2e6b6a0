package io.daosmesh.itests.mesh.chaos;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What was acknowledged, and what may be true besides because an answer is missing. Owner: the thread of the operations. */
final class Ledger {
    private final Map<String, PoolEntry> pools = new LinkedHashMap<>();
    final Settings attributes = new Settings("");
    final Settings properties = new Settings(null);

    /** Of a pool, a container or a value. */
    enum Fate {
        THERE,
        GONE,
        /** Made without an answer: there or not, but wholly; it may still come. */
        MAKING,
        /** Removed without an answer: it may still go. */
        ENDING;

        static Fate made(Screen.Answer answer) {
            return switch (answer) {
                case DONE -> THERE;
                case REFUSED -> GONE;
                case UNKNOWN -> MAKING;
            };
        }

        static Fate ended(Screen.Answer answer) {
            return switch (answer) {
                case DONE -> GONE;
                case REFUSED -> THERE;
                case UNKNOWN -> ENDING;
            };
        }

        boolean mustBe() {
            return this == THERE;
        }

        boolean mayBe() {
            return this != GONE;
        }

        /** After a look; what may still come or go stays as it is. */
        Fate seen(boolean isThere) {
            if (this == MAKING && isThere) return THERE;
            if (this == ENDING && !isThere) return GONE;
            return this;
        }
    }

    /** Settings by name. */
    static final class Settings {
        private final @Nullable String byDefault;
        private final Map<String, Setting> all = new TreeMap<>();

        Settings(@Nullable String byDefault) {
            this.byDefault = byDefault;
        }

        Setting of(String key) {
            return all.computeIfAbsent(key, k -> new Setting(byDefault));
        }

        Map<String, Setting> all() {
            return all;
        }
    }

    static final class PoolEntry {
        final String label;
        final Map<String, ContainerEntry> containers = new LinkedHashMap<>();
        final Settings properties = new Settings(null);
        /** By user: what the entry allows, empty = there is none. */
        final Settings acl = new Settings("");

        Fate fate;
        /** Seen not to be there, while it may still come. */
        boolean isUnseen;
        /** What it was made on and extended to, if that was acknowledged. */
        final Set<Integer> ranks = new TreeSet<>();

        PoolEntry(String label, Fate fate) {
            this.label = label;
            this.fate = fate;
        }

        List<ContainerEntry> with(Fate wanted) {
            return containers.values().stream().filter(c -> c.fate == wanted).toList();
        }
    }

    static final class ContainerEntry {
        final String label;
        final Settings properties = new Settings(null);
        final Settings acl = new Settings("");
        final Setting group = new Setting(null);
        Fate fate;
        final Map<String, Fate> values = new LinkedHashMap<>();

        ContainerEntry(String label, Fate fate) {
            this.label = label;
            this.fate = fate;
        }
    }

    PoolEntry add(String label, Fate fate) {
        PoolEntry made = new PoolEntry(label, fate);
        pools.put(label, made);
        return made;
    }

    List<PoolEntry> pools() {
        return List.copyOf(pools.values());
    }

    List<PoolEntry> pools(Fate wanted) {
        return pools.values().stream().filter(p -> p.fate == wanted).toList();
    }
}
