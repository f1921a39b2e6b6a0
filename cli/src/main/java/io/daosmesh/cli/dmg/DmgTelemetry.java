package io.daosmesh.cli.dmg;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.view.MetricsView;
import io.daosmesh.cli.metrics.MetricsPage;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code dmg telemetry}. Owner: the main thread. */
@Command(name = "telemetry", aliases = "telem", description = "Metrics")
final class DmgTelemetry {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    /** {@code dmg telemetry metrics}. */
    @Command(name = "metrics", description = "Metrics of one host")
    static final class Metrics {
        private static final int PORT_DEFAULT = 9191;

        @ParentCommand
        DmgTelemetry telemetry = new DmgTelemetry();

        @Command(name = "list", description = "Names and descriptions")
        int list(
                @Option(
                                names = {"-p", "--port"},
                                paramLabel = "PORT",
                                description = "default 9191")
                        @Nullable
                        Integer port) {
            List<MetricsView.MetricSet> sets = fetch(port);
            return telemetry.root.show(() -> MetricsView.list(sets), () -> MetricsView.listJson(sets));
        }

        @Command(name = "query", description = "Values")
        int query(
                @Option(
                                names = {"-p", "--port"},
                                paramLabel = "PORT",
                                description = "default 9191")
                        @Nullable
                        Integer port,
                @Option(
                                names = {"-m", "--metrics"},
                                paramLabel = "NAMES",
                                description = "only these, comma separated")
                        @Nullable
                        String names) {
            List<String> wanted = names == null ? List.of() : List.of(names.split(","));
            List<MetricsView.MetricSet> sets = fetch(port).stream()
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

        private List<MetricsView.MetricSet> fetch(@Nullable Integer port) {
            DmgRoot root = telemetry.root;
            int number = port == null ? PORT_DEFAULT : port;
            if (number < 1 || number > 65535) throw DmgSystem.invalid(number + " is not a port");
            List<String> hosts = root.hostList == null ? List.of("localhost") : HostList.parse(root.hostList);
            if (hosts.size() != 1) throw DmgSystem.invalid("must specify exactly one host");
            String at = HostList.name(hosts.get(0)) + ":" + number;
            root.say("connecting to " + at + "...\n");
            return MetricsView.parse(MetricsPage.read(at, root.config().metrics()));
        }
    }
}
