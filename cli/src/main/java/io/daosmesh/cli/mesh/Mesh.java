package io.daosmesh.cli.mesh;

import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.certs.Certs;
import io.daosmesh.cli.mesh.net.Network;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.cli.start.WarmUp;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.MemberMessage;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * What {@code ./mesh} does with nodes: the script calls it with the folder of the mesh. Exit status 0 done, 1 failed, 2 wrong
 * usage. Owner: the main thread.
 */
@Command(name = "mesh")
public final class Mesh {
    /** Keeps the three ranges of ports apart. */
    static final int NODES_MAX = 512;

    /** Nodes in a network of their own may join later: the certificate of all names their addresses. */
    private static final int ADDED_MAX = 16;

    private static final String DEVICE = "DEV";

    @Option(names = "--dir", required = true)
    private Path dir = Path.of("");

    /** Where the build has left what nodes run from. */
    @Option(names = "--assembly", required = true)
    private Path built = Path.of("");

    @Option(names = "--base-port-offset")
    private @Nullable Integer offset;

    private Mesh() {}

    public static void main(String[] args) {
        LeanStart.prepareSmall();
        // as the tools: they connect
        if (List.of(args).contains("up") || List.of(args).contains("add")) WarmUp.begin(args);
        int status = run(args);
        System.out.flush();
        System.exit(status);
    }

    static int run(String... args) {
        CommandLine line = CommandLines.strict(new CommandLine(new Mesh()));
        // what follows the node's number is the console's
        Objects.requireNonNull(line.getSubcommands().get("console")).setStopAtPositional(true);
        line.setParameterExceptionHandler((e, words) -> tell(wrongUsage(e)));
        line.setExecutionExceptionHandler((e, command, parsed) -> failed(e));
        return line.execute(args);
    }

    private static MeshException wrongUsage(CommandLine.ParameterException e) {
        String command = e.getCommandLine().getCommandName();
        if (e instanceof CommandLine.UnmatchedArgumentException u
                && !u.getUnmatched().isEmpty()) {
            return MeshException.usage(
                    "%s does not know '%s'", command, u.getUnmatched().get(0));
        }
        if (e instanceof CommandLine.MissingParameterException m
                && !m.getMissing().isEmpty()) {
            CommandLine.Model.ArgSpec missing = m.getMissing().get(0);
            if (missing.paramLabel().equals(DEVICE)) return MeshException.usage("which device? give its name");
            if (missing.isPositional()) return MeshException.usage("which node? give its number");
            return MeshException.usage("%s wants a value", ((CommandLine.Model.OptionSpec) missing).longestName());
        }
        return MeshException.usage(
                "%s: %s",
                command, String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage"));
    }

    private static int failed(Exception e) throws Exception {
        if (e instanceof MeshException m) return tell(m);
        if (e instanceof FaultException f)
            return tell(MeshException.failed("%s", f.fault().message()));
        if (e instanceof IOException) return tell(MeshException.failed("%s; is the device full?", e));
        throw e;
    }

    private static int tell(MeshException e) {
        System.err.println("mesh: " + e.getMessage());
        return e.status();
    }

    // ---------------------------------------------------------------- what there is

    private MeshSettings settings() {
        if (!MeshSettings.isMesh(dir)) {
            throw MeshException.failed("there is no mesh in %s: start one with ./mesh up --dir %s", dir, dir);
        }
        return MeshSettings.read(dir);
    }

    private List<Node> nodes() {
        return Node.all(dir, settings());
    }

    private Node node(String number) {
        if (!number.matches("[0-9]{1,9}")) throw MeshException.usage("which node? give its number");
        List<Node> nodes = nodes();
        int n = Integer.parseInt(number);
        if (n >= 1 && n <= nodes.size()) return nodes.get(n - 1);
        throw MeshException.failed("there is no node %d: this mesh has nodes 1 to %d", n, nodes.size());
    }

    private Launcher launcher() {
        return new Launcher(dir, new Assembly(built, dir));
    }

    // ---------------------------------------------------------------- commands

    @Command(name = "up")
    void up(@Mixin UpOptions options) throws IOException {
        MeshSettings settings = MeshSettings.isMesh(dir)
                ? options.sameAs(dir, MeshSettings.read(dir), offset)
                : fresh(options.settings(offset == null ? 0 : offset));
        makeFolder();
        if (!settings.isInsecure() && !Files.exists(dir.resolve("certs/daosCA.crt"))) makeCertificates(settings);
        settings.write(dir);
        List<Node> nodes = Node.all(dir, settings);
        boolean isInUse = false;
        for (Node node : nodes) isInUse |= node.runs();
        if (!new Assembly(built, dir).copy(isInUse)) {
            System.err.println(
                    "mesh: nodes are running on an older build; ./mesh down and up again to use the new one");
        }
        startAll(settings, nodes, nodes);
    }

    /** Before anything is made: a mesh keeps the ports it was made with. */
    private MeshSettings fresh(MeshSettings settings) throws IOException {
        if (Files.isDirectory(dir)) {
            try (var files = Files.list(dir)) {
                if (files.findAny().isPresent()) {
                    throw MeshException.failed("%s is not empty and holds no mesh: choose another --dir", dir);
                }
            }
        }
        for (Node node : Node.all(dir, settings)) Launcher.checkPorts(node);
        return settings;
    }

    private void makeFolder() {
        try {
            Files.createDirectories(dir);
        } catch (IOException e) {
            throw MeshException.failed("%s cannot be made or written: choose another --dir", dir);
        }
        if (!Files.isWritable(dir)) {
            throw MeshException.failed("%s cannot be made or written: choose another --dir", dir);
        }
    }

    private void makeCertificates(MeshSettings settings) {
        PrintWriter err = new PrintWriter(System.err, true);
        List<String> line = new ArrayList<>(
                List.of("generate", "--dir", dir.resolve("certs").toString()));
        settings.network().ifPresent(network -> {
            line.add("--address");
            line.add(IntStream.rangeClosed(1, settings.shape().nodes() + ADDED_MAX)
                    .mapToObj(network::host)
                    .collect(Collectors.joining(",")));
        });
        int status = Certs.run(err, err, line.toArray(String[]::new));
        if (status != 0) throw MeshException.failed("the certificates could not be made");
    }

    private void startAll(MeshSettings settings, List<Node> nodes, List<Node> launched) throws IOException {
        ConfigFiles files = new ConfigFiles(dir, settings);
        files.writeTools();
        for (Node node : launched) files.writeNode(node);
        Launcher launcher = launcher();
        for (Node node : launched) launcher.launch(node);
        for (Node node : launched) Launcher.awaitReady(node);
        try (Joining joining = new Joining(dir, nodes)) {
            List<MemberMessage> members = joining.formatAndJoin(settings.shape().ranks());
            MeshRecord.write(dir, nodes, members);
            joining.show();
        }
    }

    @Command(name = "add")
    void add() throws IOException {
        MeshSettings before = settings();
        int count = before.shape().nodes() + 1;
        if (count > NODES_MAX) throw MeshException.failed("a local mesh has at most %d nodes", NODES_MAX);
        MeshSettings settings = before.withNodes(count);
        List<Node> nodes = Node.all(dir, settings);
        Launcher.checkPorts(nodes.get(count - 1));
        settings.write(dir);
        Node added = nodes.get(count - 1);
        startAll(settings, nodes, List.of(added));
        String ranks =
                MeshRecord.read(dir).ranks(added).stream().map(String::valueOf).collect(Collectors.joining(","));
        System.err.printf(
                Locale.ROOT,
                "mesh: pools that are there do not use it yet: ./mesh dmg --dir %s pool extend POOL --ranks %s%n",
                dir,
                ranks);
    }

    @Command(name = "start")
    void start(@Parameters(paramLabel = "N") String number) throws IOException {
        Node node = node(number);
        launcher().launch(node);
        Launcher.awaitReady(node);
        MeshRecord.refreshPids(dir, nodes());
        try (Joining joining = new Joining(dir, List.of(node))) {
            joining.checkStorage(node);
        }
    }

    @Command(name = "kill")
    void kill(@Parameters(paramLabel = "N") String number) throws IOException {
        Node node = node(number);
        signal(node, "KILL");
        if (!Launcher.awaitEnd(node)) throw MeshException.failed("node %d is still there", node.number());
        MeshRecord.refreshPids(dir, nodes());
    }

    @Command(name = "pause")
    void pause(@Parameters(paramLabel = "N") String number) throws IOException {
        signal(node(number), "STOP");
    }

    @Command(name = "resume")
    void resume(@Parameters(paramLabel = "N") String number) throws IOException {
        signal(node(number), "CONT");
    }

    private static void signal(Node node, String name) throws IOException {
        if (!node.runs()) throw MeshException.failed("node %d is not running", node.number());
        if (!node.signal(name)) throw MeshException.failed("node %d could not be signalled", node.number());
    }

    /** From these nodes, or from all others and the tools: nothing of it gets there, nor, unless one way is wanted, back. */
    @Command(name = "cut")
    void cut(
            @Parameters(index = "0", paramLabel = "A") String number,
            @Parameters(index = "1..*", arity = "0..*", paramLabel = "B") @Nullable List<String> others,
            @Option(names = "--one-way") boolean isOneWay) {
        int from = node(number).number();
        List<Integer> to = others == null
                ? everyone()
                : others.stream().map(n -> node(n).number()).toList();
        Network network = network();
        for (int end : to) {
            if (end == from) continue;
            network.cut(from, end);
            if (!isOneWay) network.cut(end, from);
        }
    }

    /** Ends all cuts. */
    @Command(name = "heal")
    void heal() {
        Network network = network();
        everyone().forEach(network::heal);
    }

    private List<Integer> everyone() {
        return IntStream.rangeClosed(Network.TOOLS, settings().shape().nodes())
                .boxed()
                .toList();
    }

    private Network network() {
        return settings()
                .network()
                .orElseThrow(() -> MeshException.failed(
                        "the nodes of this mesh have no network of their own: make one with ./mesh up --namespaces"));
    }

    /** Without words it says what the device has been told. */
    @Command(name = "device")
    void device(
            @Parameters(index = "0", paramLabel = "N") String number,
            @Parameters(index = "1", paramLabel = DEVICE) String name,
            @Parameters(index = "2..*", arity = "0..*") @Nullable List<String> words)
            throws IOException {
        Node node = node(number);
        List<String> wanted = words == null ? List.of() : words;
        boolean isPlug = Device.isPlug(wanted);
        Device device = isPlug ? Device.plugged(node, name, wanted.size() > 1) : Device.of(node, name);
        if (!wanted.isEmpty() && !isPlug) device.tell(wanted);
        String told = device.told();
        System.out.printf(
                Locale.ROOT,
                "node %d %s: %s%n",
                node.number(),
                device.file().getFileName(),
                told.isEmpty() ? "does as it should" : told);
    }

    @Command(name = "status")
    void status() throws IOException {
        List<Node> nodes = nodes();
        MeshRecord record = MeshRecord.read(dir);
        for (Node node : nodes) {
            String ranks = record.ranks(node).stream().map(String::valueOf).collect(Collectors.joining(","));
            var pid = node.pid();
            System.out.printf(
                    Locale.ROOT,
                    "node %-3s pid %-8s ranks %-8s %-9s control %s telemetry %d ssh %d%n",
                    node.number(),
                    pid.isPresent() ? pid.getAsLong() : "-",
                    ranks.isEmpty() ? "-" : ranks,
                    node.state().name().toLowerCase(java.util.Locale.ROOT),
                    node.control(),
                    node.ports().telemetry(),
                    node.ports().ssh());
        }
    }

    @Command(name = "down")
    void down(@Option(names = "--wipe") boolean wipe) throws IOException {
        List<Node> nodes = nodes();
        Launcher.stop(nodes);
        MeshRecord.refreshPids(dir, nodes);
        settings().network().ifPresent(n -> n.lower(nodes.size(), Texts.word(dir)));
        if (wipe) Assembly.delete(dir);
    }

    @Command(name = "logs")
    int logs(@Parameters(index = "0", paramLabel = "N") String number, @Option(names = "-f") boolean follow)
            throws IOException, InterruptedException {
        Node node = node(number);
        Path log = Files.exists(node.log("node.log")) ? node.log("node.log") : node.log("console.log");
        if (!Files.exists(log)) throw MeshException.failed("node %d has written no log yet", node.number());
        if (follow) {
            return new ProcessBuilder("tail", "-n", "50", "-F", log.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
        }
        Files.copy(log, System.out);
        return 0;
    }

    /** All behind the node's number is the console's, but for {@code --as USER} right after it. */
    @Command(name = "console")
    int console(
            @Parameters(index = "0", paramLabel = "N") String number,
            @Parameters(index = "1..*", arity = "0..*") @Nullable List<String> given)
            throws IOException, InterruptedException {
        Node node = node(number);
        List<String> words = given == null ? List.of() : given;
        boolean isNamed = !words.isEmpty() && words.get(0).equals("--as");
        if (isNamed && (words.size() < 2 || !Assembly.isUser(words.get(1)))) {
            throw MeshException.usage("--as wants mesh, manager or viewer");
        }
        Node.State state = node.state();
        int n = node.number();
        if (state == Node.State.STOPPED) throw MeshException.failed("node %d is not running: ./mesh start %d", n, n);
        if (state == Node.State.PAUSED) throw MeshException.failed("node %d is paused: ./mesh resume %d", n, n);
        if (!node.isConsoleOpen()) {
            throw MeshException.failed(
                    "the console of node %d is not open: it is still starting, or see ./mesh logs %d", n, n);
        }
        return new Console(node, isNamed ? words.get(1) : "mesh").run(isNamed ? words.subList(2, words.size()) : words);
    }
}
