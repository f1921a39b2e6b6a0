package io.daosmesh.cli.mesh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The configuration files of a mesh: of its nodes, of dmg, of daos and its agent. Owner: the main thread. */
final class ConfigFiles {
    /** Capacity of an emulated SSD, a sparse file. */
    private static final int SSD_GB = 8;

    private final Path dir;
    private final MeshSettings settings;

    ConfigFiles(Path dir, MeshSettings settings) {
        this.dir = dir;
        this.settings = settings;
    }

    static Path control(Path dir) {
        return dir.resolve("daos_control.yml");
    }

    void writeTools() throws IOException {
        List<Node> nodes = Node.all(dir, settings);
        String head = "name: daos_server\nport: " + nodes.get(0).ports().control() + "\n";
        Texts.replace(control(dir), head + "hostlist: " + hosts(nodes) + "\n" + transport("admin"));
        Texts.replace(
                dir.resolve("daos_agent.yml"),
                head + "access_points: " + hosts(replicas()) + "\n" + transport("agent"));
    }

    private List<Node> replicas() {
        return Node.all(dir, settings).subList(0, settings.shape().replicas());
    }

    /** With its folders; what is there stays. */
    void writeNode(Node node) throws IOException {
        for (String folder : List.of("etc", "log", "scm", "nvme")) {
            Files.createDirectories(node.dir().resolve(folder));
        }
        Path file = server(node);
        if (!Files.exists(file)) Texts.replace(file, serverText(node));
    }

    static Path server(Node node) {
        return node.dir().resolve("etc/daos_server.yml");
    }

    private String serverText(Node node) {
        String head = String.format(
                Locale.ROOT,
                """
                name: daos_server
                access_points: %s
                port: %d
                bind_address: %s
                telemetry_port: %d
                fault_path: /node%d
                control_metadata:
                  path: "%s"
                """,
                hosts(replicas()),
                node.ports().control(),
                node.host(),
                node.ports().telemetry(),
                node.number(),
                node.dir().resolve("scm/control"));
        return head
                + transport("server")
                + "engines:\n"
                + IntStream.range(0, settings.shape().engines())
                        .mapToObj(engine -> engine(node, engine))
                        .collect(Collectors.joining());
    }

    private String engine(Node node, int engine) {
        int ssds = settings.shape().ssds();
        Stream<Path> disks = IntStream.range(engine * ssds, (engine + 1) * ssds)
                .mapToObj(ssd -> node.dir().resolve("nvme/ssd" + ssd));
        return String.format(
                Locale.ROOT,
                """
                - targets: %d
                  scm_class: file
                  scm_mount: "%s"
                  bdev_class: file
                  bdev_list: %s
                  bdev_size: %d
                  log_file: "%s"
                """,
                settings.shape().targets(),
                node.dir().resolve("scm/engine" + engine),
                list(disks),
                SSD_GB,
                node.log("engine" + engine + ".log"));
    }

    private String transport(String role) {
        Path certs = dir.resolve("certs");
        String keys = settings.isInsecure()
                ? "  allow_insecure: true\n"
                : String.format(
                        Locale.ROOT,
                        """
                  allow_insecure: false
                  ca_cert: "%s"
                  cert: "%s"
                  key: "%s"
                """,
                        certs.resolve("daosCA.crt"),
                        certs.resolve(role + ".crt"),
                        certs.resolve(role + ".key"));
        return "transport_config:\n" + keys + "  data_channel: " + settings.channel() + "\n";
    }

    private static String hosts(List<Node> nodes) {
        return list(nodes.stream().map(Node::control));
    }

    private static String list(Stream<?> items) {
        return items.map(item -> "\"" + item + "\"").collect(Collectors.joining(", ", "[", "]"));
    }
}
