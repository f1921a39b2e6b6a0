package io.daosmesh.cli;

import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What daos needs of daos_agent.yml. Immutable.
 *
 * @param addresses {@code host:port} of servers
 * @param runtimeDir folder of the agent's socket
 */
public record DaosConfig(String system, List<String> addresses, NodeConfig.Tls tls, Path runtimeDir) {
    /** Keys of the agent's file, those of daos_agent itself included: anything else is a slip of the pen. */
    private static final Set<String> KEYS = Set.of(
            "name",
            "access_points",
            "hostlist",
            "port",
            "transport_config",
            "runtime_dir",
            "log_file",
            "control_log_mask",
            "disable_auto_evict",
            "disable_caching",
            "cache_expiration",
            "exclude_fabric_ifaces",
            "include_fabric_ifaces",
            "fabric_ifaces",
            "telemetry_port",
            "telemetry_enabled",
            "telemetry_retain",
            "credential_config");

    public static DaosConfig read(Path file) {
        return of(file(file));
    }

    /** The file's keys, all of them known. */
    public static ToolConfig file(Path file) {
        return ToolConfig.read(
                file,
                KEYS,
                Fault.of(FaultCode.NONEXIST, "configuration file '%s' cannot be read", file)
                        .remedy("name the agent's file with -o or in DAOS_AGENT_CONFIG"));
    }

    public static DaosConfig of(ToolConfig file) {
        List<String> addresses = new ArrayList<>(file.hosts("access_points"));
        addresses.addAll(file.hosts("hostlist"));
        if (addresses.isEmpty()) addresses.add("localhost:" + file.port());
        return new DaosConfig(
                file.system(),
                addresses.stream().distinct().toList(),
                file.tls("agent"),
                file.path("runtime_dir").orElse(LocalAgent.FOLDER));
    }

    /** Whoever can read the agent's key is an agent. */
    public boolean mayBeOwnAgent() {
        return tls.allowInsecure() || tls.key().filter(Files::isReadable).isPresent();
    }
}
