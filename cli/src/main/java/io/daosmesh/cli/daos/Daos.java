package io.daosmesh.cli.daos;

import io.daosmesh.admin.view.Json;
import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.ToolVersion;
import io.daosmesh.cli.copy.Progress;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.cli.start.WarmUp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.text.Printable;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The user's tool: pools, containers, key-value pairs, files. Exit status 0 done, 1 not. Owner: main thread. */
@Command(
        name = "daos",
        description = "Uses pools, containers and what is in them.",
        mixinStandardHelpOptions = true,
        versionProvider = ToolVersion.class,
        sortOptions = false)
public final class Daos implements DaosCommand.Group {
    private static final Map<List<String>, Class<?>> GROUPS = groups();

    @Option(
            names = {"-j", "--json"},
            scope = CommandLine.ScopeType.INHERIT,
            description = "Print the answer as JSON.")
    private boolean json;

    @Option(
            names = {"-o", "--config-path"},
            paramLabel = "FILE",
            scope = CommandLine.ScopeType.INHERIT,
            description = "The agent's configuration (DAOS_AGENT_CONFIG, /etc/daos/daos_agent.yml).")
    private @Nullable String configPath;

    private final DaosContext context;
    private @Nullable DaosSession session;

    private Daos(DaosContext context) {
        this.context = context;
    }

    private static Map<List<String>, Class<?>> groups() {
        Map<List<String>, Class<?>> groups = new LinkedHashMap<>();
        groups.put(List.of("pool"), DaosPool.class);
        groups.put(List.of("container", "cont"), DaosContainer.class);
        groups.put(List.of("kv"), DaosKv.class);
        groups.put(List.of("filesystem", "fs"), DaosFilesystem.class);
        groups.put(List.of("object", "obj"), DaosObjectCommands.class);
        groups.put(List.of("version"), DaosVersion.class);
        return groups;
    }

    /** Only the group that is named: reading the annotations of all would double a tool's start. */
    private static void addCommands(CommandLine line, String[] args) {
        int word = 0;
        while (word < args.length && args[word].startsWith("-")) {
            word += args[word].equals("-o") || args[word].equals("--config-path") ? 2 : 1;
        }
        String name = word < args.length ? args[word] : "";
        boolean isKnown = GROUPS.keySet().stream().anyMatch(names -> names.contains(name));
        GROUPS.forEach((names, group) -> {
            if (!isKnown || names.contains(name)) line.addSubcommand(group);
        });
    }

    @Override
    public Daos daos() {
        return this;
    }

    DaosContext context() {
        return context;
    }

    boolean isJson() {
        return json;
    }

    DaosSession session() {
        DaosSession open = session == null ? new DaosSession(context, configPath) : session;
        session = open;
        return open;
    }

    public static void main(String[] args) {
        LeanStart.prepare(args);
        WarmUp.begin(args);
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                false,
                StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        int status = run(
                new DaosContext(
                        System.in,
                        out,
                        err,
                        Progress.isTerminal(),
                        System.getenv(),
                        DaosWay::asOwnAgent,
                        DaosWay::throughAgent),
                args);
        Runtime.getRuntime().halt(CommandLines.flushed(out, err, "daos", status));
    }

    /** All its commands, to be described and not to be run. */
    public static CommandLine tree() {
        InputStream none = InputStream.nullInputStream();
        Daos daos = new Daos(new DaosContext(
                none, System.out, System.err, false, Map.of(), DaosWay::asOwnAgent, DaosWay::throughAgent));
        CommandLine line = new CommandLine(daos);
        addCommands(line, new String[0]);
        return line;
    }

    /** Everything but the exit. */
    public static int run(DaosContext context, String... args) {
        Daos daos = new Daos(context);
        CommandLine line = new CommandLine(daos);
        addCommands(line, args);
        line.setOut(new java.io.PrintWriter(context.out(), true, StandardCharsets.UTF_8));
        line.setParameterExceptionHandler((wrong, given) -> wrongUsage(context, wrong, given));
        line.setExecutionExceptionHandler((error, command, parsed) -> daos.failed(error));
        CommandLines.strict(line);
        try {
            int status = line.execute(args);
            return status == 0 ? 0 : 1;
        } finally {
            DaosSession open = daos.session;
            if (open != null) open.close();
        }
    }

    private static int wrongUsage(DaosContext context, CommandLine.ParameterException wrong, String[] given) {
        String text = String.valueOf(wrong.getMessage()).lines().findFirst().orElse("wrong usage");
        Fault usage = Fault.of(FaultCode.INVAL, "%s", text);
        if (List.of(given).contains("-j") || List.of(given).contains("--json")) {
            context.out().print(Json.failure(null, usage));
        }
        context.err().println("ERROR: daos: " + Printable.line(usage.message()));
        context.err()
                .println("ERROR: daos: try '"
                        + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help'");
        return 1;
    }

    private int failed(Throwable error) {
        Fault fault = FaultException.faultOf(error);
        if (json) context.out().print(Json.failure(null, fault));
        return complain(fault);
    }

    /** Exit status of what was not done, told with its remedy; both may come from elsewhere. */
    int complain(Fault fault) {
        String text = fault.message().replaceAll("\\s*[\\r\\n]+\\s*", " ");
        context.err().println("ERROR: daos: " + Printable.line(text));
        context.err().println("ERROR: daos: " + Printable.line(fault.remedy()));
        return 1;
    }
}
