package io.daosmesh.cli.agent;

import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.agent.Agent;
import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.DaosConfig;
import io.daosmesh.cli.ToolVersion;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.cli.start.LogOptions;
import io.daosmesh.client.Blocking;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.transport.ClientTransport;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.NetworkInterface;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The daemon of a client machine, and what it can say of itself. Exit status 0 or 1. Owner: the main thread. */
@Command(
        name = "daos_agent",
        description = "Serves the processes of this machine; without a command as with start.",
        sortOptions = false,
        subcommands = {
            DaosAgent.Start.class,
            DaosAgent.Version.class,
            DaosAgent.NetScan.class,
            DaosAgent.DumpAttachInfo.class
        })
public final class DaosAgent implements Callable<Integer> {
    @Mixin
    private final ConfigOption config = new ConfigOption();

    @Option(
            names = "--allow-proxy",
            scope = ScopeType.INHERIT,
            hidden = true,
            description = "no effect: no proxy is used")
    private boolean allowProxy;

    @Option(
            names = {"-d", "--debug"},
            scope = ScopeType.INHERIT,
            description = "log everything")
    private boolean debug;

    @Option(
            names = {"-j", "--json"},
            scope = ScopeType.INHERIT,
            description = "one JSON document on standard output")
    private boolean json;

    @Option(
            names = {"-J", "--json-logging"},
            scope = ScopeType.INHERIT,
            description = "log lines as JSON")
    private boolean jsonLogging;

    @Option(
            names = {"-i", "--insecure"},
            scope = ScopeType.INHERIT,
            description = "without certificates")
    private boolean insecure;

    @Option(
            names = {"-s", "--runtime_dir"},
            scope = ScopeType.INHERIT,
            paramLabel = "DIR",
            description = "folder of the socket")
    private @Nullable Path runtimeDir;

    @Option(
            names = {"-l", "--logfile"},
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description = "append the log to a file")
    private @Nullable Path logFile;

    @Option(
            names = {"-h", "--help"},
            scope = ScopeType.INHERIT,
            usageHelp = true,
            description = "this help")
    private boolean help;

    private final PrintStream out;
    private final PrintStream err;
    private final Map<String, String> environment;

    /** Before or after the name of the command; dump-attachinfo has another -o. */
    static final class ConfigOption {
        @Option(
                names = {"-o", "--config-path"},
                paramLabel = "FILE",
                description = "configuration (default: $DAOS_AGENT_CONFIG, /etc/daos/daos_agent.yml)")
        @Nullable
        String path;
    }

    DaosAgent(PrintStream out, PrintStream err, Map<String, String> environment) {
        this.out = out;
        this.err = err;
        this.environment = environment;
    }

    public static void main(String[] args) {
        LeanStart.prepareServing();
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        int status = run(new DaosAgent(out, System.err, System.getenv()), args);
        out.flush();
        Runtime.getRuntime().halt(status);
    }

    /** All its commands, to be described and not to be run. */
    public static CommandLine tree() {
        return new CommandLine(new DaosAgent(System.out, System.err, Map.of()));
    }

    static int run(DaosAgent root, String... args) {
        CommandLine line = new CommandLine(root);
        line.setOut(new java.io.PrintWriter(root.out, true));
        line.setParameterExceptionHandler((wrong, given) -> root.wrongUsage(wrong));
        line.setExecutionExceptionHandler((error, command, parsed) -> root.failed(FaultException.faultOf(error)));
        CommandLines.strict(line);
        return line.execute(args) == 0 ? 0 : 1;
    }

    private int wrongUsage(CommandLine.ParameterException wrong) {
        String text = String.valueOf(wrong.getMessage()).lines().findFirst().orElse("wrong usage");
        if (json) out.print(Json.failure(text));
        err.println("ERROR: daos_agent: " + text);
        err.println("ERROR: daos_agent: see "
                + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help");
        return 1;
    }

    private int failed(Fault fault) {
        if (json) out.print(Json.failure(null, fault));
        err.println("ERROR: daos_agent: " + fault.message());
        err.println("ERROR: daos_agent: " + fault.remedy());
        return 1;
    }

    private int show(String text, Object response) {
        out.print(json ? Json.success(response) : text);
        return 0;
    }

    @Override
    public Integer call() {
        return start(Optional.empty());
    }

    private AgentConfig config(Optional<String> later) {
        AgentConfig read = AgentConfig.read(AgentConfig.file(later.orElse(config.path), environment));
        DaosConfig common = read.common();
        NodeConfig.Tls tls = insecure
                ? new NodeConfig.Tls(
                        true, common.tls().clearData(), Optional.empty(), Optional.empty(), Optional.empty())
                : common.tls();
        Path folder = runtimeDir == null ? common.runtimeDir() : runtimeDir;
        return new AgentConfig(
                new DaosConfig(common.system(), common.addresses(), tls, folder),
                Optional.ofNullable(logFile).or(read::logFile),
                debug ? "DEBUG" : read.logMask(),
                read.evictsAtStop(),
                read.caching(),
                read.unnamed(),
                read.withoutEffect());
    }

    private int start(Optional<String> path) {
        AgentConfig settings = config(path);
        settings.logFile().ifPresent(DaosAgent::checkWritable);
        LogOptions.serve(settings.logMask(), settings.logFile(), jsonLogging);
        try (AgentDaemon daemon = AgentDaemon.start(settings)) {
            return daemon.runUntilSignal();
        }
    }

    /** An appender that cannot write would say so nowhere. */
    private static void checkWritable(Path file) {
        try (var append = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            append.flush();
        } catch (IOException e) {
            throw Fault.of(FaultCode.BADPATH, "log_file %s cannot be written", file)
                    .asException();
        }
    }

    /** What every command but the first has. */
    abstract static class Sub implements Callable<Integer> {
        @CommandLine.ParentCommand
        private @Nullable DaosAgent parent;

        final DaosAgent root() {
            return java.util.Objects.requireNonNull(parent);
        }
    }

    @Command(name = "start", description = "Serve until a signal: TERM ends it, HUP lets it look again.")
    static final class Start extends Sub {
        @Mixin
        private final ConfigOption config = new ConfigOption();

        @Override
        public Integer call() {
            return root().start(Optional.ofNullable(config.path));
        }
    }

    @Command(name = "version", description = "Release of this program.")
    static final class Version extends Sub {
        @Override
        public Integer call() {
            String version = ToolVersion.VERSION;
            return root().show(
                            "daos_agent version " + version + "\n",
                            Json.object("name", "daos_agent", "version", version));
        }
    }

    @Command(name = "net-scan", description = "Network interfaces that clients of this machine can use.")
    static final class NetScan extends Sub {
        @Override
        public Integer call() {
            Map<Integer, List<String>> byNode = new TreeMap<>();
            for (String name : interfaces()) {
                byNode.computeIfAbsent(numaNode(name), n -> new ArrayList<>()).add(name);
            }
            String host = io.daosmesh.transport.credential.LocalUser.machine();
            String line = "-".repeat(host.length());
            StringBuilder text = new StringBuilder(line + "\n" + host + "\n" + line + "\n");
            List<Map<String, ?>> nodes = new ArrayList<>();
            byNode.forEach((node, names) -> {
                String title = "NUMA Socket " + node;
                String under = "-".repeat(title.length());
                text.append(indent("\n" + under + "\n" + title + "\n" + under + "\n\n", 1));
                text.append(indent(
                        new TextTable("Provider", "Interfaces")
                                .row("tcp", String.join(", ", names))
                                .render(),
                        2));
                nodes.add(Json.object("numa_node", node, "provider", "tcp", "interfaces", names));
            });
            return root().show(text + "\n", Json.object("host", host, "numa_nodes", nodes));
        }

        private static String indent(String text, int times) {
            StringBuilder out = new StringBuilder();
            for (String line : text.split("\n", -1)) {
                out.append(line.isEmpty() ? "" : "    ".repeat(times))
                        .append(line)
                        .append('\n');
            }
            out.setLength(out.length() - 1);
            return out.toString();
        }

        private static List<String> interfaces() {
            try {
                return NetworkInterface.networkInterfaces()
                        .filter(NetScan::isUsable)
                        .map(NetworkInterface::getName)
                        .sorted()
                        .toList();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static boolean isUsable(NetworkInterface candidate) {
            try {
                return candidate.isUp() && candidate.inetAddresses().findAny().isPresent();
            } catch (IOException e) {
                return false; // gone meanwhile
            }
        }

        /** 0 for what is no device of a bus, as the kernel counts a machine without nodes. */
        private static int numaNode(String name) {
            try {
                String node = Files.readString(Path.of("/sys/class/net", name, "device/numa_node"))
                        .strip();
                return Math.max(0, Integer.parseInt(node));
            } catch (IOException | NumberFormatException e) {
                return 0;
            }
        }
    }

    @Command(name = "dump-attachinfo", description = "Ranks of the system and where they are.")
    static final class DumpAttachInfo extends Sub {
        @Option(
                names = {"-o", "--output"},
                paramLabel = "FILE",
                description = "write to a file")
        private @Nullable Path output;

        @Option(names = "--config-path", paramLabel = "FILE", description = "configuration")
        private @Nullable String config;

        @Override
        public Integer call() {
            DaosConfig common = root().config(Optional.ofNullable(config)).common();
            AgentIdentity identity = new AgentIdentity(common.system(), common.tls());
            GroupMap map;
            try (ClientTransport transport = AgentDaemon.connect(common)) {
                map = Blocking.get(Agent.askForMembers(transport.rpc(), common.addresses(), identity));
            }
            List<Member> members = map.members().stream()
                    .sorted(Comparator.comparingInt(Member::rank))
                    .toList();
            StringBuilder text = new StringBuilder("name " + common.system() + "\nsize " + members.size() + "\nall\n");
            List<Map<String, ?>> ranks = new ArrayList<>();
            for (Member member : members) {
                text.append(member.rank())
                        .append(" tcp://")
                        .append(member.address())
                        .append('\n');
                ranks.add(Json.object("rank", member.rank(), "uri", "tcp://" + member.address()));
            }
            Path file = output;
            if (file == null) {
                return root().show(text.toString(), Json.object("sys", common.system(), "rank_uris", ranks));
            }
            write(file, text.toString());
            return root().json ? root().show("", Json.object("output", file.toString())) : 0;
        }

        private static void write(Path file, String text) {
            try {
                Files.writeString(file, text);
            } catch (IOException e) {
                throw Fault.of(FaultCode.BADPATH, "%s cannot be written", file).asException();
            }
        }
    }
}
