package io.daosmesh.cli.metrics;

import io.daosmesh.admin.view.MetricsView;
import io.daosmesh.cli.CommandLines;
import io.daosmesh.cli.ToolConfig;
import io.daosmesh.cli.server.ServerFile;
import io.daosmesh.cli.start.LeanStart;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.text.Printable;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The metrics of one engine of this machine, as a tree or as CSV, read from the node's own page. Exit status 0 or 1. Owner: the main
 * thread. Source: daos-admin facts 1.10.
 */
@Command(name = "daos_metrics", description = "Shows the metrics of an engine of this machine.", sortOptions = false)
public final class DaosMetrics implements Callable<Integer> {
    private static final long DELAY_S_MAX = 86_400;

    @Option(
            names = {"-S", "--srv_idx"},
            paramLabel = "N",
            description = "engine of this machine (default 0)")
    int index;

    @Option(
            names = {"-p", "--path"},
            paramLabel = "PATH",
            description = "only this part of the tree, e.g. pool or io/latency")
    String path = "";

    @Option(
            names = {"-i", "--iterations"},
            paramLabel = "N",
            description = "how often to show them (default 1; 0 = until it is stopped)")
    long iterations = 1;

    @Option(
            names = {"-D", "--delay"},
            paramLabel = "SECONDS",
            description = "time between two (default 1)")
    long delayS = 1;

    @Option(
            names = {"-C", "--csv"},
            description = "CSV, one metric a row")
    boolean csv;

    @Option(
            names = {"-M", "--meta"},
            description = "with description and unit")
    boolean meta;

    @Option(
            names = {"-T", "--type"},
            description = "with the type")
    boolean type;

    @Option(
            names = {"-c", "--counter"},
            description = "counters")
    boolean counters;

    @Option(
            names = {"-d", "--duration"},
            description = "durations")
    boolean durations;

    @Option(
            names = {"-t", "--timestamp"},
            description = "timestamps")
    boolean timestamps;

    @Option(
            names = {"-s", "--snapshot"},
            description = "timer snapshots (nodes have none)")
    boolean snapshots;

    @Option(
            names = {"-g", "--gauge"},
            description = "gauges")
    boolean gauges;

    @Option(
            names = {"-o", "--config-path"},
            paramLabel = "FILE",
            description = "configuration of the node (default: /etc/daos/daos_server.yml)")
    @Nullable
    Path config;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "this help")
    boolean help;

    private final PrintStream out;
    private final PrintStream err;
    private final Source source;

    /** Where pages come from, and time. */
    interface Source {
        /** The page of the node that this configuration is of. */
        String page(ServerFile file);

        void pause(long seconds) throws InterruptedException;
    }

    public DaosMetrics(PrintStream out, PrintStream err) {
        this(out, err, new Source() {
            @Override
            public String page(ServerFile file) {
                return MetricsPage.read(file.metricsAddress(), access());
            }

            @Override
            public void pause(long seconds) throws InterruptedException {
                Thread.sleep(seconds * 1000);
            }
        });
    }

    DaosMetrics(PrintStream out, PrintStream err, Source source) {
        this.out = out;
        this.err = err;
        this.source = source;
    }

    public static void main(String[] args) {
        LeanStart.prepareSmall(args);
        PrintStream out = new PrintStream(
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                false,
                StandardCharsets.UTF_8);
        int status = run(new DaosMetrics(out, System.err), args);
        Runtime.getRuntime().halt(CommandLines.flushed(out, System.err, "daos_metrics", status));
    }

    /** The command with its options, for those who describe it. */
    public static CommandLine tree() {
        return new CommandLine(new DaosMetrics(System.out, System.err));
    }

    static int run(DaosMetrics tool, String... args) {
        CommandLine line = new CommandLine(tool);
        line.setOut(new PrintWriter(tool.out, true));
        line.setParameterExceptionHandler((e, given) -> {
            tool.err.println("ERROR: daos_metrics: "
                    + Printable.line(
                            String.valueOf(e.getMessage()).lines().findFirst().orElse("wrong usage")));
            tool.err.println("ERROR: daos_metrics: see daos_metrics --help");
            return 1;
        });
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            Fault fault = FaultException.faultOf(e);
            tool.err.println("ERROR: daos_metrics: " + Printable.line(fault.message()));
            tool.err.println("ERROR: daos_metrics: " + Printable.line(fault.remedy()));
            return 1;
        });
        CommandLines.strict(line);
        return line.execute(args) == 0 ? 0 : 1;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (index < 0) throw invalid("engine " + index + " does not exist", "give 0 or more");
        if (iterations < 0) throw invalid(iterations + " iterations are out of range", "give 0 or more");
        if (delayS < 0 || delayS > DELAY_S_MAX)
            throw invalid("a delay of " + delayS + " s is out of range", "give 0 to 86400");
        ServerFile file = ServerFile.find(Optional.ofNullable(config));
        for (long i = 0; iterations == 0 || i < iterations; i++) {
            if (i > 0) source.pause(delayS);
            List<Metric> all = Metric.of(MetricsView.parse(source.page(file)), index);
            List<Metric> wanted = filtered(all);
            out.print(Printable.lines(
                    csv ? MetricsText.csv(wanted, meta, type) : MetricsText.tree(index, wanted, meta, type)));
            // whoever reads the rest has it as it comes, and an end of the pipe ends this
            if (out.checkError()) return 1;
        }
        return 0;
    }

    private List<Metric> filtered(List<Metric> all) {
        Set<Metric.Type> types = EnumSet.noneOf(Metric.Type.class);
        if (counters) types.add(Metric.Type.COUNTER);
        if (durations) types.add(Metric.Type.DURATION);
        if (timestamps) types.add(Metric.Type.TIMESTAMP);
        if (gauges) types.add(Metric.Type.GAUGE);
        boolean any = types.isEmpty() && !snapshots;
        String below = path.replaceAll("^/+|/+$", "");
        List<Metric> found = new ArrayList<>();
        for (Metric metric : all) if (below.isEmpty() || metric.isBelow(below)) found.add(metric);
        if (found.isEmpty() && !below.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "no metric is below '%s'", below)
                    .remedy("see daos_metrics without --path")
                    .asException();
        }
        return found.stream().filter(m -> any || types.contains(m.type())).toList();
    }

    private static RuntimeException invalid(String text, String remedy) {
        return Fault.of(FaultCode.INVAL, "%s", text).remedy(remedy).asException();
    }

    /** How to read a protected page stands where dmg finds it, too. */
    private static MetricsAccess access() {
        String named = System.getenv("DAOS_CONTROL_CONFIG");
        Path own = Path.of(System.getProperty("user.home", "."), ".daos_control.yml");
        Path common = Path.of("/etc/daos/daos_control.yml");
        Path file = named != null && !named.isEmpty() ? Path.of(named) : Files.exists(own) ? own : common;
        if (!Files.exists(file)) return MetricsAccess.PLAIN;
        ToolConfig control = ToolConfig.read(
                file,
                Set.of(),
                Fault.of(FaultCode.INVAL, "%s cannot be read", file).remedy("check its permissions"));
        return MetricsAccess.of(control, control.tls("admin").ca());
    }
}
