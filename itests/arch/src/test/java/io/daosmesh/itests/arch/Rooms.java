package io.daosmesh.itests.arch;

import java.util.Map;
import java.util.Set;

/** Which packages may do what, and what is let pass by name, with the reason. Immutable. */
final class Rooms {
    /** A reader keeps so many classes of one package in mind; the largest of MicroRaft has 13. */
    static final int CLASSES_MAX = 15;

    /**
     * The only packages of the pure bundles that act: threads, clocks, files, OSGi, native code. Their siblings are plain
     * objects.
     */
    static final Set<String> EDGES = Set.of(
            "engine.runtime",
            "engine.runtime.access",
            "engine.runtime.loop",
            "engine.runtime.rpc",
            "management.loop",
            "management.maps",
            "management.node",
            "management.pool.service",
            "management.raft",
            "management.system.service",
            "rebuild.runtime",
            "storage.emulated",
            "storage.engine",
            "storage.index",
            "storage.log.runtime",
            "storage.rocks",
            "storage.runtime",
            "storage.scm",
            "storage.slot",
            "swim.runtime");

    /** Packages that hold more, and how many at most. */
    static final Map<String, Integer> CROWDED = Map.of(
            // one protocol in the words of its papers, with 18 entry points of nobody else
            "swim", 19);

    /** Classes outside of the edges that several threads share, by simple name, and why. */
    static final Map<String, String> SHARED = Map.ofEntries(
            Map.entry("Blob", "joins completions of a device's threads"),
            Map.entry("CachedValue", "replies that send it end on any thread"),
            Map.entry("DeviceLife", "counts errors where requests end, on any thread"),
            Map.entry("HandleTable", "read by every connection"),
            Map.entry("LeaderWrite", "answers of other ranks come on any thread"),
            Map.entry("MemoryKvStore", "stands for RocksDB, which any thread may read"),
            Map.entry("Export", "joins completions of a device's threads"),
            Map.entry("ReadGenerations", "reads end on any thread"),
            Map.entry("Reads", "joins completions of a device's threads"),
            Map.entry("RecordRead", "joins completions of a device's threads"),
            Map.entry("ShardCounters", "read by the metrics"),
            Map.entry("SpaceAccount", "read by queries and metrics"),
            Map.entry("StagedOp", "joins completions of a device's threads"),
            Map.entry("Target", "its shards are read by queries and metrics"),
            Map.entry("Turn", "joins completions of a device's threads"),
            Map.entry("ValueCache", "hot reads are answered where they arrive"));

    private static final String ROOT = "io.daosmesh.";

    private Rooms() {}

    static boolean isEdge(String packageName) {
        return packageName.startsWith(ROOT) && EDGES.contains(packageName.substring(ROOT.length()));
    }

    /** @param file from the checkout's root */
    static boolean isEdgeFile(String file) {
        String name = file.replace('/', '.');
        int root = name.lastIndexOf(ROOT);
        return root >= 0 && isEdge(name.substring(root).replaceAll("\\.[^.]+\\.java$", ""));
    }

    static int classesMax(String packageName) {
        return packageName.startsWith(ROOT)
                ? CROWDED.getOrDefault(packageName.substring(ROOT.length()), CLASSES_MAX)
                : CLASSES_MAX;
    }
}
