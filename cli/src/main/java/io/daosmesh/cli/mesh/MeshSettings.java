package io.daosmesh.cli.mesh;

import io.daosmesh.cli.mesh.net.Network;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Properties;

/**
 * What a mesh was made with; every later command reads it, so that options need not be repeated. Immutable.
 *
 * @param isClear data channels are not encrypted
 * @param offset added to all ports, so that meshes run side by side
 * @param network of its own, in which it can be cut; empty = all nodes are on the loopback of this machine
 */
public record MeshSettings(Shape shape, boolean isInsecure, boolean isClear, int offset, Optional<Network> network) {
    private static final String FILE = "mesh.conf";

    /** @param replicas of the management service */
    public record Shape(int nodes, int engines, int targets, int ssds, int replicas) {
        Shape withNodes(int more) {
            return new Shape(more, engines, targets, ssds, replicas);
        }

        int ranks() {
            return nodes * engines;
        }
    }

    static boolean isMesh(Path dir) {
        return Files.isRegularFile(dir.resolve(FILE));
    }

    public static MeshSettings read(Path dir) {
        Properties made = new Properties();
        try (var in = Files.newBufferedReader(dir.resolve(FILE))) {
            made.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new MeshSettings(
                new Shape(
                        number(made, "nodes", 1),
                        number(made, "engines", 1),
                        number(made, "targets", 1),
                        number(made, "ssds", 1),
                        number(made, "replicas", 1)),
                number(made, "insecure", 0) == 1,
                made.getProperty("data_channel", "tls").equals("clear"),
                number(made, "offset", 0),
                Optional.of(number(made, "network", 0)).filter(n -> n > 0).map(Network::new));
    }

    MeshSettings withNodes(int more) {
        return new MeshSettings(shape.withNodes(more), isInsecure, isClear, offset, network);
    }

    private static int number(Properties made, String key, int otherwise) {
        return Integer.parseInt(made.getProperty(key, Integer.toString(otherwise)));
    }

    void write(Path dir) throws IOException {
        Texts.replace(
                dir.resolve(FILE),
                String.join(
                        "\n",
                        List.of(
                                "nodes=" + shape.nodes(),
                                "engines=" + shape.engines(),
                                "targets=" + shape.targets(),
                                "ssds=" + shape.ssds(),
                                "replicas=" + shape.replicas(),
                                "insecure=" + (isInsecure ? 1 : 0),
                                "data_channel=" + channel(),
                                "offset=" + offset,
                                "network=" + network.map(Network::number).orElse(0),
                                "")));
    }

    String channel() {
        return isClear ? "clear" : "tls";
    }
}
