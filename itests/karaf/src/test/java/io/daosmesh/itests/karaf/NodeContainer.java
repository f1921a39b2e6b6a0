package io.daosmesh.itests.karaf;

import static org.ops4j.pax.exam.CoreOptions.composite;
import static org.ops4j.pax.exam.CoreOptions.vmOption;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureConsole;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.configureSecurity;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.editConfigurationFilePut;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.karafDistributionConfiguration;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.keepRuntimeFolder;
import static org.ops4j.pax.exam.karaf.options.KarafDistributionOption.replaceConfigurationFile;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.ops4j.pax.exam.Option;

/** How the shipped assembly is started for a test: a lone node of one engine with two targets on two emulated devices. */
final class NodeContainer {
    /** Below the kernel's ephemeral range: nothing else is given such a port between our look and the node's start. */
    private static final int PORT_MIN = 12_000;

    private static final int PORT_MAX = 32_000;
    private static final int PORT_TRIES_MAX = 200;

    private NodeContainer() {}

    static Option[] options() {
        Path work = Path.of(property("test.work")).toAbsolutePath();
        Path node = work.resolve("node");
        int controlPort = freePort();
        wipe(work);
        Path config = writeConfig(node, controlPort);
        String repository = Path.of(property("local.repository")).toUri().toString();
        return new Option[] {
            karafDistributionConfiguration()
                    .frameworkUrl(archive().toUri().toString())
                    .karafVersion(property("karaf.version"))
                    .name("daos-mesh")
                    .unpackDirectory(work.resolve("karaf").toFile())
                    .useDeployFolder(false)
                    .runEmbedded(false),
            keepRuntimeFolder(),
            configureConsole().ignoreLocalConsole().startRemoteShell(),
            // as a save cut short would leave it: must not open the console to the network
            replaceConfigurationFile("etc/org.apache.karaf.shell.cfg", emptyFile(node)),
            configureSecurity().disableKarafMBeanServerBuilder(),
            // the test's own bundles come from the local repository, the node's from its system folder
            editConfigurationFilePut(
                    "etc/org.ops4j.pax.url.mvn.cfg",
                    "org.ops4j.pax.url.mvn.defaultRepositories",
                    "file:${karaf.home}/${karaf.default.repository}@id=system.repository@snapshots, " + repository
                            + "@id=local"),
            editConfigurationFilePut(
                    "etc/org.ops4j.pax.url.mvn.cfg",
                    "org.ops4j.pax.url.mvn.localRepository",
                    property("local.repository")),
            flags(javaFlags()),
            flags(List.of(
                    "-Ddaosmesh.server.config=" + config,
                    "-Dorg.apache.karaf.shell.sshPort=" + freePort(),
                    "-Ddaosmesh.node.dir=" + node,
                    // the tests' own bundles are none of the node's
                    "-Ddaosmesh.bundles.trusted=any",
                    "-Dmesh.parent.pid=" + ProcessHandle.current().pid(),
                    "-Dtest.dump=" + Boolean.getBoolean("test.dump"),
                    "-Dtest.tools.jar=" + property("tools.jar"),
                    "-Dtest.control.config=" + node.resolve("etc/daos_control.yml"),
                    "-Dtest.node.version=" + property("node.version"))),
        };
    }

    private static Path archive() {
        Path archive = Path.of(property("assembly.archive"));
        if (!Files.isRegularFile(archive)) {
            throw new IllegalStateException(archive + " is not there: build the assembly first (./mesh build)");
        }
        return archive;
    }

    /** The flags of {@code ./mesh}; softly reachable memory is given back at once, so that only true leaks remain. */
    private static List<String> javaFlags() {
        String boot = String.join(File.pathSeparator, "lib/jdk9plus/*", "lib/boot/*", "lib/endorsed/*");
        return List.of(
                "-XX:+UseSerialGC",
                "-Xmx384m",
                "-XX:MaxDirectMemorySize=384m",
                "-XX:TieredStopAtLevel=1",
                "-XX:SoftRefLRUPolicyMSPerMB=0",
                "-XX:+ExitOnOutOfMemoryError",
                "--add-reads=java.xml=java.logging",
                "--add-exports=java.base/org.apache.karaf.specs.locator=java.xml,ALL-UNNAMED",
                "--patch-module=java.base=lib/endorsed/org.apache.karaf.specs.locator-" + property("karaf.version")
                        + ".jar",
                "--patch-module=java.xml=lib/endorsed/org.apache.karaf.specs.java.xml-" + property("karaf.version")
                        + ".jar",
                "--add-opens=java.base/java.security=ALL-UNNAMED",
                "--add-opens=java.base/java.net=ALL-UNNAMED",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "--add-opens=java.base/java.nio=ALL-UNNAMED",
                "--add-opens=java.naming/javax.naming.spi=ALL-UNNAMED",
                "--add-opens=java.rmi/sun.rmi.transport.tcp=ALL-UNNAMED",
                "--add-exports=java.base/sun.net.www.protocol.file=ALL-UNNAMED",
                "--add-exports=java.base/sun.net.www.protocol.http=ALL-UNNAMED",
                "--add-exports=java.base/sun.net.www.protocol.jar=ALL-UNNAMED",
                "-classpath",
                boot);
    }

    private static Option flags(List<String> flags) {
        return composite(flags.stream().map(f -> (Option) vmOption(f)).toArray(Option[]::new));
    }

    private static Path writeConfig(Path node, int controlPort) {
        Path config = node.resolve("etc/daos_server.yml");
        try {
            for (String folder : List.of("etc", "log", "scm", "nvme")) Files.createDirectories(node.resolve(folder));
            Files.writeString(config, """
                    name: daos_server
                    access_points: ["127.0.0.1:%1$d"]
                    port: %1$d
                    bind_address: 127.0.0.1
                    telemetry_port: %2$d
                    fault_path: /node1
                    control_metadata:
                      path: "%3$s/scm/control"
                    transport_config:
                      allow_insecure: true
                    engines:
                    - targets: 2
                      scm_class: file
                      scm_mount: "%3$s/scm/engine0"
                      bdev_class: file
                      bdev_list: ["%3$s/nvme/ssd0", "%3$s/nvme/ssd1"]
                      bdev_size: 2
                    """.formatted(controlPort, freePort(), node));
            Files.writeString(node.resolve("etc/daos_control.yml"), """
                    name: daos_server
                    port: %1$d
                    hostlist: ["127.0.0.1:%1$d"]
                    transport_config:
                      allow_insecure: true
                    """.formatted(controlPort));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return config;
    }

    private static File emptyFile(Path node) {
        try {
            return Files.createFile(node.resolve("etc/empty.cfg")).toFile();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int freePort() {
        for (int i = 0; i < PORT_TRIES_MAX; i++) {
            int port = ThreadLocalRandom.current().nextInt(PORT_MIN, PORT_MAX);
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (IOException inUse) {
                continue;
            }
        }
        throw new IllegalStateException("no free port from " + PORT_MIN + " to " + PORT_MAX);
    }

    private static void wipe(Path folder) {
        if (!Files.exists(folder)) return;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String property(String name) {
        String value = System.getProperty(name, "");
        if (value.isEmpty()) throw new IllegalStateException("run by Maven only: -D" + name + " is missing");
        return value;
    }
}
