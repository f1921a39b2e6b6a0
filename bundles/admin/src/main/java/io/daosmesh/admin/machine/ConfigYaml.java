package io.daosmesh.admin.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.StorageScanReply;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code config generate}: the text of a {@code daos_server.yml} that all the hosts can use, out of what they have. Pure. Source:
 * daos-admin facts 1.5 and 6.1.
 */
public final class ConfigYaml {
    private static final int PORT_DEFAULT = 10001;
    private static final int TELEMETRY_PORT = 9191;
    private static final int REPLICAS_MAX = 5;
    private static final BigDecimal GIB = BigDecimal.valueOf(1L << 30);

    private final StringBuilder out = new StringBuilder();

    private ConfigYaml() {}

    /**
     * MISMATCH when hosts differ, INVAL when they lack what is asked for; hosts that did not answer are the caller's to refuse.
     *
     * @param tool named in the first line
     */
    public static String text(
            String tool,
            HostReplies<HardwareScanReply> hardware,
            HostReplies<StorageScanReply> storage,
            ConfigOptions options) {
        List<HostMachine> machines = new ArrayList<>();
        hardware.replies()
                .forEach((host, reply) -> machines.add(new HostMachine(
                        host, reply, storage.replies().getOrDefault(host, StorageScanReply.getDefaultInstance()))));
        if (machines.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "no host has answered").asException();
        }
        refuseDifferent(machines, hardware);
        // the poorest in memory: what suits it suits all
        HostMachine machine = machines.stream()
                .min(java.util.Comparator.comparingLong(HostMachine::memoryBytes))
                .orElseThrow();
        List<ConfigPlan.Engine> engines = ConfigPlan.of(machine, options);
        List<String> hosts = machines.stream().map(HostMachine::host).toList();
        return new ConfigYaml().write(tool + " for " + hardware.display(hosts), machines, engines, options);
    }

    private static void refuseDifferent(List<HostMachine> machines, HostReplies<?> all) {
        Map<String, List<String>> kinds = new LinkedHashMap<>();
        machines.forEach(
                m -> kinds.computeIfAbsent(m.kind(), k -> new ArrayList<>()).add(m.host()));
        if (kinds.size() < 2) return;
        List<String> parts = new ArrayList<>();
        kinds.forEach((kind, hosts) -> parts.add(all.display(hosts) + " (" + kind + ")"));
        throw Fault.of(FaultCode.MISMATCH, "the hosts differ in hardware: %s", String.join(" and ", parts))
                .remedy("generate a configuration for each kind of host with -l")
                .asException();
    }

    private String write(
            String by, List<HostMachine> machines, List<ConfigPlan.Engine> engines, ConfigOptions options) {
        out.append("# Made by ").append(by).append(".\n");
        line(0, "name", "daos_server");
        // a node that is called by its loopback listens nowhere else
        boolean isLocal = machines.stream().allMatch(m -> name(m).startsWith("127."));
        line(0, "bind_address", isLocal ? HostList.name(name(machines.get(0))) : "0.0.0.0");
        line(0, "port", port(machines));
        out.append("mgmt_svc_replicas:\n");
        replicas(machines, options)
                .forEach(r -> out.append("- ").append(quoted(r)).append('\n'));
        line(0, "telemetry_port", TELEMETRY_PORT);
        out.append("transport_config:\n");
        line(1, "allow_insecure", options.insecure());
        if (!options.insecure()) {
            line(1, "ca_cert", "/etc/daos/certs/daosCA.crt");
            line(1, "cert", "/etc/daos/certs/server.crt");
            line(1, "key", "/etc/daos/certs/server.key");
        }
        options.metadataPath().ifPresent(path -> {
            out.append("control_metadata:\n");
            line(1, "path", path);
        });
        out.append("engines:\n");
        engines.forEach(this::engine);
        return out.toString();
    }

    private void engine(ConfigPlan.Engine engine) {
        out.append("- targets: ").append(engine.targets()).append('\n');
        line(1, "pinned_numa_node", engine.numa());
        line(1, "fabric_iface", engine.netInterface());
        line(1, "log_mask", "INFO");
        out.append("  storage:\n");
        ConfigPlan.Scm scm = engine.scm();
        out.append("  - class: ").append(scm.kind()).append('\n');
        line(2, "scm_mount", scm.mount());
        if (!scm.list().isEmpty()) list("scm_list", scm.list());
        if (scm.bytes() > 0) line(2, "scm_size", gib(scm.bytes()));
        ConfigPlan.Ssds ssds = engine.ssds();
        if (ssds.list().isEmpty()) return;
        out.append("  - class: ").append(ssds.kind()).append('\n');
        list("bdev_list", ssds.list());
        if (ssds.bytes() > 0) line(2, "bdev_size", gib(ssds.bytes()));
    }

    private void list(String key, List<String> values) {
        out.append("    ").append(key).append(":\n");
        values.forEach(v -> out.append("    - ").append(quoted(v)).append('\n'));
    }

    private void line(int depth, String key, Object value) {
        out.append("  ".repeat(depth)).append(key).append(": ");
        out.append(value instanceof String text ? quoted(text) : value.toString())
                .append('\n');
    }

    private static BigDecimal gib(long bytes) {
        BigDecimal exact = BigDecimal.valueOf(bytes).divide(GIB, MathContext.DECIMAL128);
        return new BigDecimal(exact.stripTrailingZeros().toPlainString());
    }

    private static int port(List<HostMachine> machines) {
        String host = machines.get(0).host();
        int colon = host.lastIndexOf(':');
        return colon < 0 ? PORT_DEFAULT : Integer.parseInt(host.substring(colon + 1));
    }

    private static String name(HostMachine machine) {
        String own = machine.hardware().getHost();
        return own.isEmpty() ? machine.host() : own;
    }

    /** As the nodes call themselves: a replica is known by that name. At most five, an odd number. */
    private static List<String> replicas(List<HostMachine> machines, ConfigOptions options) {
        if (!options.replicas().isEmpty()) return options.replicas();
        List<String> names = machines.stream().map(ConfigYaml::name).distinct().toList();
        int count = Math.min(REPLICAS_MAX, names.size());
        List<String> chosen = names.subList(0, count % 2 == 0 ? count - 1 : count);
        int port = port(machines);
        return chosen.stream()
                .map(n -> n.endsWith(":" + port) ? HostList.name(n) : n)
                .toList();
    }

    /** What YAML could take for something else than a text is in quotes. */
    private static String quoted(String text) {
        boolean plain =
                text.matches("[A-Za-z/][A-Za-z0-9_./+-]*") && !text.matches("(?i)true|false|yes|no|on|off|null|y|n");
        if (plain) return text;
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
