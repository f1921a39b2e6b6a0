package io.daosmesh.itests.mesh.chaos;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What was acknowledged, and what may be true besides because an answer is missing. Owner: the thread of the operations. */
final class Ledger {
    private final Map<String, PoolEntry> pools = new LinkedHashMap<>();
    private final Map<String, Set<String>> attributes = new TreeMap<>();

    /** Of a pool or a container. */
    enum Fate {
        THERE,
        GONE,
        /** Made or destroyed without an answer: there or not, but wholly. */
        UNSURE
    }

    static final class PoolEntry {
        final String label;
        final Map<String, ContainerEntry> containers = new LinkedHashMap<>();
        final Map<String, Set<String>> properties = new HashMap<>();
        Fate fate;
        /** What it was made on and extended to, if that was acknowledged. */
        final Set<Integer> ranks = new HashSet<>();

        PoolEntry(String label, Fate fate) {
            this.label = label;
            this.fate = fate;
        }

        List<ContainerEntry> there() {
            return containers.values().stream()
                    .filter(c -> c.fate == Fate.THERE)
                    .toList();
        }
    }

    static final class ContainerEntry {
        final String label;
        Fate fate;
        /** By key; true = acknowledged, false = there or absent. */
        final Map<String, Boolean> values = new LinkedHashMap<>();

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

    List<PoolEntry> poolsThere() {
        return pools.values().stream().filter(p -> p.fate == Fate.THERE).toList();
    }

    Map<String, Set<String>> attributes() {
        return attributes;
    }

    /** An acknowledged value takes the place of all before it, but what was not answered may still come. */
    static void noted(Map<String, Set<String>> of, String key, String value, boolean isAcknowledged) {
        Set<String> may = of.computeIfAbsent(key, k -> new HashSet<>());
        if (isAcknowledged) may.removeIf(v -> !v.startsWith("?"));
        may.add((isAcknowledged ? "" : "?") + value);
    }

    /** @param of what {@link #noted} has filled */
    static boolean mayBe(Set<String> of, String found) {
        boolean isSure = of.stream().anyMatch(v -> !v.startsWith("?"));
        return of.contains(found) || of.contains("?" + found) || !isSure;
    }
}
