package io.daosmesh.cli.dmg;

import io.daosmesh.cli.ToolConfig;
import io.daosmesh.cli.metrics.MetricsAccess;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A checked {@code daos_control.yml}. Immutable.
 *
 * @param hosts addresses {@code host:port}
 * @param metrics how the metrics pages of hosts are read
 */
public record DmgConfig(String system, int port, List<String> hosts, NodeConfig.Tls tls, MetricsAccess metrics) {
    private static final Set<String> KEYS = Set.of("name", "port", "hostlist", "transport_config", "telemetry_config");
    private static final Path COMMON = Path.of("/etc/daos/daos_control.yml");

    /** Order: {@code -o}, environment, the user's file, the host's file, built-in values. DER_INVAL, DER_NO_PERM. */
    static DmgConfig find(Optional<Path> given) {
        // without any file: this host, DAOS's ports and certificates
        return written(given).orElseGet(() -> of(new ToolConfig(COMMON, "", Map.of())));
    }

    /** As {@link #find}, empty when nobody has written one. */
    public static Optional<DmgConfig> written(Optional<Path> given) {
        Optional<Path> wanted = given.or(() -> Optional.ofNullable(System.getenv("DAOS_CONTROL_CONFIG"))
                .filter(p -> !p.isEmpty())
                .map(Path::of));
        if (wanted.isPresent()) return wanted.map(DmgConfig::read);
        Path own = Path.of(System.getProperty("user.home", "."), ".daos_control.yml");
        if (Files.exists(own)) return Optional.of(read(own));
        return Files.exists(COMMON) ? Optional.of(read(COMMON)) : Optional.empty();
    }

    public static DmgConfig read(Path file) {
        return of(ToolConfig.read(
                file,
                KEYS,
                Fault.of(FaultCode.INVAL, "%s cannot be read", file)
                        .remedy("check path and permissions, or give another file with -o")));
    }

    private static DmgConfig of(ToolConfig file) {
        List<String> hosts = file.has("hostlist") ? file.hosts("hostlist") : List.of("localhost:" + file.port());
        if (hosts.isEmpty()) throw file.bad("hostlist", "names no host");
        NodeConfig.Tls tls = file.tls("admin");
        return new DmgConfig(file.system(), file.port(), hosts, tls, MetricsAccess.of(file, tls.ca()));
    }

    DmgConfig insecure() {
        return new DmgConfig(
                system,
                port,
                hosts,
                new NodeConfig.Tls(true, tls.clearData(), Optional.empty(), Optional.empty(), Optional.empty()),
                metrics);
    }
}
