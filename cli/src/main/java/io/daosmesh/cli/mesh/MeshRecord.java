package io.daosmesh.cli.mesh;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.daosmesh.admin.view.Json;
import io.daosmesh.model.wire.MemberMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/** {@code mesh.json}: what other programs read about a mesh. Immutable. */
public record MeshRecord(List<Entry> nodes) {
    private static final String FILE = "mesh.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A node.
     *
     * @param pid 0 = it does not run
     * @param ranks sorted; none before it has joined
     */
    public record Entry(int number, long pid, String control, int telemetry, int ssh, List<Integer> ranks, Path dir) {
        /** The first; -1 = none yet. */
        public int rank() {
            return ranks.isEmpty() ? -1 : ranks.get(0);
        }
    }

    /** No nodes where there is no file. */
    public static MeshRecord read(Path dir) {
        Path file = dir.resolve(FILE);
        if (!Files.exists(file)) return new MeshRecord(List.of());
        try {
            List<Entry> nodes = new ArrayList<>();
            for (JsonNode n : JSON.readTree(Files.readString(file)).path("nodes")) {
                nodes.add(new Entry(
                        n.path("node").asInt(),
                        n.path("pid").asLong(),
                        n.path("control").asText(),
                        n.path("telemetry").asInt(),
                        n.path("ssh").asInt(),
                        StreamSupport.stream(n.path("ranks").spliterator(), false)
                                .map(JsonNode::asInt)
                                .toList(),
                        Path.of(n.path("dir").asText())));
            }
            return new MeshRecord(nodes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<Integer> ranks(Node node) {
        return nodes.stream()
                .filter(n -> n.number() == node.number())
                .findFirst()
                .map(Entry::ranks)
                .orElse(List.of());
    }

    /** Ranks come from the system itself, by each member's address. */
    static void write(Path dir, List<Node> nodes, List<MemberMessage> members) throws IOException {
        List<Entry> entries = new ArrayList<>();
        for (Node node : nodes) {
            List<Integer> ranks = members.stream()
                    .filter(m -> m.getAddress().equals(node.control()))
                    .map(MemberMessage::getRank)
                    .sorted()
                    .toList();
            entries.add(entry(node, ranks));
        }
        write(dir, entries);
    }

    /** After kill, start and down only the pids change: the system itself may not answer then. */
    static void refreshPids(Path dir, List<Node> nodes) throws IOException {
        MeshRecord known = read(dir);
        if (known.nodes().isEmpty()) return;
        List<Entry> entries = new ArrayList<>();
        for (Node node : nodes) entries.add(entry(node, known.ranks(node)));
        write(dir, entries);
    }

    private static Entry entry(Node node, List<Integer> ranks) throws IOException {
        return new Entry(
                node.number(),
                node.pid().orElse(0),
                node.control(),
                node.ports().telemetry(),
                node.ports().ssh(),
                ranks,
                node.dir());
    }

    private static void write(Path dir, List<Entry> entries) throws IOException {
        List<Map<String, @Nullable Object>> rows = new ArrayList<>();
        for (Entry e : entries) {
            rows.add(Json.object(
                    "node",
                    e.number(),
                    "pid",
                    e.pid() == 0 ? null : e.pid(),
                    "control",
                    e.control(),
                    "telemetry",
                    e.telemetry(),
                    "ssh",
                    e.ssh(),
                    "ranks",
                    e.ranks(),
                    "dir",
                    e.dir().toString()));
        }
        Texts.replace(dir.resolve(FILE), JSON.writeValueAsString(Json.object("nodes", rows)) + "\n");
    }
}
