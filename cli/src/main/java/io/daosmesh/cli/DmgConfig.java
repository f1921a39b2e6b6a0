package io.daosmesh.cli;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;

/**
 * A checked {@code daos_control.yml}. Immutable. Read with the bare YAML parser, see {@link PlainYaml}.
 *
 * @param hosts addresses {@code host:port}
 * @param metrics how the metrics pages of hosts are read
 */
record DmgConfig(String system, int port, List<String> hosts, NodeConfig.Tls tls, MetricsAccess metrics) {
    static final int PORT_DEFAULT = 10001;
    private static final Set<String> KEYS = Set.of("name", "port", "hostlist", "transport_config", "telemetry_config");
    private static final Set<String> TLS_KEYS =
            Set.of("allow_insecure", "ca_cert", "cert", "key", "crl", "data_channel");
    private static final Path CERTIFICATES = Path.of("/etc/daos/certs");

    /** Metrics over plain HTTP. */
    DmgConfig(String system, int port, List<String> hosts, NodeConfig.Tls tls) {
        this(system, port, hosts, tls, MetricsAccess.PLAIN);
    }

    /** Without any file: this host, DAOS's ports and certificates. */
    static DmgConfig builtIn() {
        return new DmgConfig("daos_server", PORT_DEFAULT, List.of("localhost:" + PORT_DEFAULT), tls(Map.of()));
    }

    /** Order: {@code -o}, environment, the user's file, the host's file, built-in values. DER_INVAL, DER_NO_PERM. */
    static DmgConfig find(Optional<Path> given) {
        Optional<Path> wanted = given.or(() -> Optional.ofNullable(System.getenv("DAOS_CONTROL_CONFIG"))
                .filter(p -> !p.isEmpty())
                .map(Path::of));
        if (wanted.isPresent()) return read(wanted.get());
        Path own = Path.of(System.getProperty("user.home", "."), ".daos_control.yml");
        Path common = Path.of("/etc/daos/daos_control.yml");
        if (Files.exists(own)) return read(own);
        return Files.exists(common) ? read(common) : builtIn();
    }

    static DmgConfig read(Path file) {
        Object tree;
        try {
            tree = PlainYaml.read(Files.readString(file));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw bad(file, "line " + line, String.valueOf(e.getProblem()));
        } catch (YAMLException e) {
            throw bad(file, "the file", "is not YAML");
        } catch (IOException e) {
            throw Fault.of(FaultCode.INVAL, "%s cannot be read", file)
                    .remedy("check path and permissions, or give another file with -o")
                    .asException();
        }
        if (tree == null) return builtIn();
        if (!(tree instanceof Map<?, ?> map)) throw bad(file, "the file", "holds no mapping");
        return parse(file, map);
    }

    private static DmgConfig parse(Path file, Map<?, ?> map) {
        refuseUnknown(file, map, KEYS, "");
        Object port = map.get("port");
        if (port != null && !(port instanceof Integer p && p >= 1 && p <= 65535)) {
            throw bad(file, "port", port + " is not a port");
        }
        int number = port instanceof Integer p ? p : PORT_DEFAULT;
        Object transport = map.get("transport_config");
        if (transport != null && !(transport instanceof Map)) throw bad(file, "transport_config", "wants a mapping");
        Map<?, ?> tls = transport instanceof Map<?, ?> m ? m : Map.of();
        refuseUnknown(file, tls, TLS_KEYS, "transport_config.");
        Object insecure = tls.get("allow_insecure");
        if (insecure != null && !(insecure instanceof Boolean)) {
            throw bad(file, "transport_config.allow_insecure", "wants true or false");
        }
        Object name = map.get("name");
        NodeConfig.Tls checked = tls(tls);
        return new DmgConfig(
                name == null ? "daos_server" : name.toString(),
                number,
                hosts(file, map.get("hostlist"), number),
                checked,
                MetricsAccess.parse(file, map.get("telemetry_config"), checked.ca()));
    }

    private static List<String> hosts(Path file, @Nullable Object list, int port) {
        if (list == null) return List.of("localhost:" + port);
        List<String> hosts = new ArrayList<>();
        if (list instanceof List<?> items) items.forEach(i -> hosts.add(String.valueOf(i)));
        else hosts.add(list.toString());
        try {
            List<String> addresses = HostList.addresses(String.join(",", hosts), port);
            if (addresses.isEmpty()) throw bad(file, "hostlist", "names no host");
            return addresses;
        } catch (FaultException e) {
            throw bad(file, "hostlist", e.fault().text());
        }
    }

    private static NodeConfig.Tls tls(Map<?, ?> tls) {
        boolean clear = "clear".equals(tls.get("data_channel"));
        if (Boolean.TRUE.equals(tls.get("allow_insecure"))) {
            return new NodeConfig.Tls(true, clear, Optional.empty(), Optional.empty(), Optional.empty());
        }
        return new NodeConfig.Tls(
                false,
                clear,
                path(tls, "ca_cert", "daosCA.crt"),
                path(tls, "cert", "admin.crt"),
                path(tls, "key", "admin.key"),
                Optional.ofNullable(tls.get("crl")).map(crl -> Path.of(crl.toString())));
    }

    private static Optional<Path> path(Map<?, ?> tls, String key, String otherwise) {
        Object given = tls.get(key);
        return Optional.of(given == null ? CERTIFICATES.resolve(otherwise) : Path.of(given.toString()));
    }

    static void refuseUnknown(Path file, Map<?, ?> map, Set<String> known, String prefix) {
        for (Object key : map.keySet()) {
            if (!known.contains(String.valueOf(key))) throw bad(file, prefix + key, "unknown key");
        }
    }

    static FaultException bad(Path file, String key, String text) {
        return Fault.of(FaultCode.INVAL, "%s: %s: %s", file, key, text)
                .remedy("correct the named key")
                .asException();
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
