package io.daosmesh.cli.mesh;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Karaf's client at the console of a node. Owner: the main thread. */
final class Console {
    private static final List<String> JARS =
            List.of("org/apache/karaf/org.apache.karaf.client", "org/apache/sshd", "org/jline", "org/fusesource/jansi");

    private final Node node;
    private final String user;

    Console(Node node, String user) {
        this.node = node;
        this.user = user;
    }

    /** Interactive without words, else one command; the client's exit status. */
    int run(List<String> words) throws IOException, InterruptedException {
        boolean isInteractive = words.isEmpty();
        ProcessBuilder start = new ProcessBuilder(commandLine(isInteractive)).inheritIO();
        if (!isInteractive) start.redirectInput(ProcessBuilder.Redirect.PIPE);
        Process client = start.start();
        // A signal of the keyboard is the client's: this process ends after it.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                Runtime.getRuntime().halt(client.waitFor());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        if (!isInteractive) {
            // one command goes in by standard input: given as arguments it fails without a terminal
            try (var in = client.getOutputStream()) {
                in.write((String.join(" ", words) + "\n").getBytes(StandardCharsets.UTF_8));
            }
        }
        return client.waitFor();
    }

    /** The client takes user and password from the first line of users.properties: nothing secret among the arguments. */
    private List<String> commandLine(boolean isInteractive) throws IOException {
        Path home = Assembly.home(node.mesh());
        List<String> line = new ArrayList<>(node.inside());
        line.addAll(List.of(
                java(),
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xmx256m",
                "-Xlog:disable",
                "-Xlog:all=off",
                isInteractive ? "-Dmesh.console=interactive" : "-Dorg.jline.terminal.dumb=true",
                "-Dkaraf.home=" + home,
                "-Dkaraf.base=" + node.dir().resolve("karaf"),
                "-Dkaraf.etc=" + Assembly.console(node, user),
                "-Djava.io.tmpdir=" + node.dir().resolve("karaf/tmp"),
                "-cp",
                classpath(home.resolve("system")),
                "org.apache.karaf.client.Main",
                "-h",
                "127.0.0.1",
                "-a",
                Integer.toString(node.ports().ssh())));
        if (!isInteractive) line.add("-b");
        return line;
    }

    /** The nodes': Karaf's client does not start on newer ones. */
    private static String java() {
        return System.getenv().getOrDefault("JAVA_HOME", System.getProperty("java.home")) + "/bin/java";
    }

    private static String classpath(Path system) throws IOException {
        List<Path> jars = new ArrayList<>();
        for (String folder : JARS) {
            try (Stream<Path> all = Files.walk(system.resolve(folder))) {
                all.filter(p -> p.toString().endsWith(".jar")).forEach(jars::add);
            }
        }
        return jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
