package io.daosmesh.cli.mesh;

import io.daosmesh.cli.mesh.MeshSettings.Shape;
import io.daosmesh.cli.mesh.net.Network;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code ./mesh up} may be asked for; picocli fills it. Owner: the main thread. */
final class UpOptions {
    @Option(names = "--nodes")
    private @Nullable String nodes;

    @Option(names = "--engines")
    private @Nullable String engines;

    @Option(names = "--targets")
    private @Nullable String targets;

    @Option(names = "--ssds")
    private @Nullable String ssds;

    @Option(names = "--replicas")
    private @Nullable String replicas;

    @Option(names = "--insecure")
    private boolean isInsecure;

    @Option(names = "--namespaces")
    private boolean isApart;

    @Option(names = "--data-channel")
    private @Nullable String channel;

    /** For a new mesh. */
    MeshSettings settings(int offset) {
        Shape asked = new Shape(
                number("--nodes", nodes, Mesh.NODES_MAX, 3),
                number("--engines", engines, 16, 1),
                number("--targets", targets, 64, 2),
                number("--ssds", ssds, 64, 2),
                replicas(0));
        int replicated = replicas != null ? asked.replicas() : asked.nodes() >= 3 ? 3 : 1;
        if (replicated > asked.nodes()) throw MeshException.usage("--replicas %d needs as many nodes", replicated);
        return new MeshSettings(
                new Shape(asked.nodes(), asked.engines(), asked.targets(), asked.ssds(), replicated),
                isInsecure,
                isClear(),
                offset,
                isApart ? Optional.of(Network.free()) : Optional.empty());
    }

    private boolean isClear() {
        if (channel == null || channel.equals("tls")) return false;
        if (channel.equals("clear")) return true;
        throw MeshException.usage("--data-channel is tls or clear");
    }

    private static int number(String option, @Nullable String given, int max, int otherwise) {
        if (given == null) return otherwise;
        boolean isNumber = given.matches("[0-9]{1,9}");
        if (isNumber && Integer.parseInt(given) >= 1 && Integer.parseInt(given) <= max) return Integer.parseInt(given);
        throw MeshException.usage("%s wants a number from 1 to %d, not '%s'", option, max, given);
    }

    private int replicas(int otherwise) {
        int given = number("--replicas", replicas, 9, otherwise);
        if (replicas != null && given % 2 == 0) throw MeshException.usage("--replicas must be odd");
        return given;
    }

    /** Refuses what a mesh was not made with. */
    MeshSettings sameAs(Path dir, MeshSettings made, @Nullable Integer offset) {
        Shape shape = made.shape();
        same(dir, "nodes", number("--nodes", nodes, Mesh.NODES_MAX, shape.nodes()), shape.nodes());
        same(dir, "engines", number("--engines", engines, 16, shape.engines()), shape.engines());
        same(dir, "targets", number("--targets", targets, 64, shape.targets()), shape.targets());
        same(dir, "ssds", number("--ssds", ssds, 64, shape.ssds()), shape.ssds());
        same(dir, "replicas", replicas(shape.replicas()), shape.replicas());
        if (isApart) same(dir, "namespaces", true, made.network().isPresent());
        if (isInsecure) same(dir, "insecure", 1, made.isInsecure() ? 1 : 0);
        if (channel != null) same(dir, "data-channel", isClear() ? "clear" : "tls", made.channel());
        if (offset != null) same(dir, "base-port-offset", offset, made.offset());
        return made;
    }

    private static void same(Path dir, String option, Object wanted, Object made) {
        if (wanted.equals(made)) return;
        throw MeshException.failed(
                "the mesh in %s was made with %s %s: leave the option out, use another --dir, or ./mesh down --wipe first",
                dir, option, made);
    }
}
