package io.daosmesh.cli.dmg;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.MetricsView;
import io.daosmesh.cli.metrics.MetricsPage;
import io.daosmesh.cli.metrics.ScrapeConfig;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.NodeStatusReply;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ScopeType;

/** {@code dmg telemetry}. Owner: the main thread. */
@Command(name = "telemetry", aliases = "telem", description = "Metrics", addMethodSubcommands = true)
final class DmgTelemetry {
    private static final Duration ASK_MAX = Duration.ofSeconds(10);

    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Option(
            names = {"-p", "--port"},
            scope = ScopeType.INHERIT,
            paramLabel = "PORT",
            description = "port of the metrics page (default 9191; for config what each node says)")
    @Nullable
    Integer port;

    private Optional<Integer> port() {
        if (port != null && (port < 1 || port > 65535)) throw DmgSystem.invalid(port + " is not a port");
        return Optional.ofNullable(port);
    }

    @Command(name = "config", description = "Write the configuration with which Prometheus scrapes the nodes")
    int config(
            @Option(
                            names = "--install-dir",
                            paramLabel = "DIR",
                            description = "where prometheus is; -i for short (default: found by PATH)")
                    @Nullable
                    Path installDir) {
        String program = installDir == null ? "prometheus" : installed(installDir);
        List<String> targets = new ArrayList<>();
        HostReplies<NodeStatusReply> asked = targets(targets);
        Path file = root.home().resolve(".prometheus.yml");
        if (!targets.isEmpty())
            ScrapeConfig.write(file, ScrapeConfig.text(targets, root.config().metrics()));
        String text = targets.isEmpty()
                ? ""
                : "Wrote the Prometheus configuration to " + file + "\nStart Prometheus with: " + program
                        + " --config.file=" + file + "\n";
        return root.show(
                asked,
                () -> text,
                () -> Json.object(
                        "host_errors", HostBlocks.errorsJson(asked), "file", file.toString(), "targets", targets));
    }

    /** dmg installs no software of others: a package does that better. */
    private static String installed(Path dir) {
        Path program = dir.resolve("prometheus");
        if (Files.isExecutable(program) && !Files.isDirectory(program)) return program.toString();
        throw Fault.of(FaultCode.NONEXIST, "there is no program prometheus in %s", dir)
                .remedy("install Prometheus (Debian: apt-get install prometheus), or unpack a release there")
                .asException();
    }

    /** Fills the targets; with a port given nobody is asked. */
    private HostReplies<NodeStatusReply> targets(List<String> targets) {
        List<String> hosts = root.hosts();
        if (port().isPresent()) {
            hosts.forEach(h -> targets.add(HostList.name(h) + ":" + port));
            return new HostReplies<>(Map.of(), Map.of());
        }
        HostReplies<NodeStatusReply> asked = root.calls().nodeStatus(hosts, ASK_MAX);
        Map<String, Fault> errors = new LinkedHashMap<>(asked.errors());
        asked.replies().forEach((host, status) -> {
            if (status.getTelemetryPort() > 0) targets.add(HostList.name(host) + ":" + status.getTelemetryPort());
            else
                errors.put(
                        host,
                        Fault.of(FaultCode.NOTSUPPORTED, "telemetry is off")
                                .remedy("set telemetry_port in daos_server.yml of this host"));
        });
        return new HostReplies<>(asked.replies(), errors, hosts);
    }

    /** {@code dmg telemetry metrics}. */
    @Command(name = "metrics", description = "Metrics of one host")
    static final class Metrics {
        private static final int PORT_DEFAULT = 9191;

        @ParentCommand
        DmgTelemetry telemetry = new DmgTelemetry();

        @Command(name = "list", description = "Names and descriptions")
        int list() {
            List<MetricsView.MetricSet> sets = fetch();
            return telemetry.root.show(() -> MetricsView.list(sets), () -> MetricsView.listJson(sets));
        }

        @Command(name = "query", description = "Values")
        int query(
                @Option(
                                names = {"-m", "--metrics"},
                                paramLabel = "NAMES",
                                description = "only these, comma separated")
                        @Nullable
                        String names) {
            List<String> wanted = names == null ? List.of() : List.of(names.split(","));
            List<MetricsView.MetricSet> sets = fetch().stream()
                    .filter(s -> wanted.isEmpty() || wanted.contains(s.name()))
                    .toList();
            List<String> found = sets.stream().map(MetricsView.MetricSet::name).toList();
            List<String> missing =
                    wanted.stream().filter(n -> !found.contains(n)).toList();
            if (!missing.isEmpty()) {
                throw Fault.of(FaultCode.NONEXIST, "no metric %s on this host", String.join(", ", missing))
                        .remedy("see dmg telemetry metrics list")
                        .asException();
            }
            return telemetry.root.show(() -> MetricsView.query(sets), () -> MetricsView.queryJson(sets));
        }

        private List<MetricsView.MetricSet> fetch() {
            DmgRoot root = telemetry.root;
            int number = telemetry.port().orElse(PORT_DEFAULT);
            List<String> hosts = root.hostList == null ? List.of("localhost") : HostList.parse(root.hostList);
            if (hosts.size() != 1) throw DmgSystem.invalid("must specify exactly one host");
            root.check(hosts);
            String at = HostList.name(hosts.get(0)) + ":" + number;
            root.say("connecting to " + at + "...\n");
            return MetricsView.parse(MetricsPage.read(at, root.config().metrics()));
        }
    }
}
