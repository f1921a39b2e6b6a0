package io.daosmesh.control.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.daosmesh.control.ras.SyslogAddress;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.TelemetryConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * A checked {@code daos_server.yml}. Immutable. Every complaint is a fault that names the key and the remedy.
 *
 * @param telemetry where metrics are served, and to whom
 * @param syslog {@code udp://host:port}, tcp or tls, that RAS events go to; empty = nowhere
 * @param warnings keys that are understood but do nothing here
 */
public record ServerConfig(NodeConfig node, TelemetryConfig telemetry, Optional<String> syslog, List<String> warnings) {
    private static final Set<String> USED = Set.of(
            "name",
            "access_points",
            "mgmt_svc_replicas",
            "port",
            "bind_address",
            "host",
            "telemetry_port",
            "telemetry_config",
            "fault_path",
            "fault_cb",
            "control_metadata",
            "transport_config",
            "engines",
            "servers",
            "syslog",
            "control_log_mask",
            "system_ram_reserved",
            "enable_vmd",
            "disable_vmd",
            "disable_hugepages");

    /** Keys of DAOS that have no meaning without its fabric, its helper processes or its hugepages. */
    private static final Set<String> WITHOUT_EFFECT = Set.of(
            "control_iface",
            "provider",
            "crt_ctx_share_addr",
            "crt_timeout",
            "disable_srx",
            "fabric_auth_key",
            "core_dump_filter",
            "bdev_exclude",
            "disable_vfio",
            "enable_hotplug",
            "hyperthreads",
            "socket_dir",
            "nr_hugepages",
            "control_log_file",
            "helper_log_file",
            "firmware_helper_log_file",
            "client_env_vars",
            "spdk_iobuf",
            "allow_numa_imbalance",
            "allow_thp");

    private static final Pattern SYSTEM = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}");
    private static final Pattern FAULT_PATH = Pattern.compile("(/[A-Za-z0-9_.=-]+)+");
    private static final Pattern ADDRESS = Pattern.compile("([A-Za-z0-9_.-]+)(?::([0-9]{1,6}))?");
    private static final int PORT_DEFAULT = 10001;

    public static ServerConfig read(Path file) {
        return read(file, Overrides.NONE);
    }

    static ServerConfig read(Path file, Overrides overrides) {
        ObjectMapper mapper = new ObjectMapper(YAMLFactory.builder()
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build());
        mapper.enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
        JsonNode tree;
        try {
            tree = mapper.readTree(Files.readString(file));
        } catch (JsonProcessingException e) {
            throw ConfigFault.NOT_YAML
                    .at(place(file, e), "%s", problem(e.getOriginalMessage()))
                    .asException();
        } catch (IOException e) {
            throw ConfigFault.NO_FILE
                    .at(file.toString(), "cannot be read (%s)", e.getClass().getSimpleName())
                    .asException();
        }
        if (tree == null || !tree.isObject()) {
            throw ConfigFault.NO_INFORMATION
                    .at(file.toString(), "holds no configuration")
                    .asException();
        }
        overrides.apply(tree);
        ServerConfig config = parse(new Yaml(tree, ""), hostName());
        Certificates.check(config.node().tls());
        return config;
    }

    static ServerConfig parse(Yaml top, String hostName) {
        Set<String> known = new java.util.HashSet<>(USED);
        known.addAll(WITHOUT_EFFECT);
        top.refuseUnknown(known);
        refuseContradictions(top);
        String system = top.text("name").orElse("daos_server");
        if (!SYSTEM.matcher(system).matches()) throw top.bad("name", "wants 1 to 15 letters, digits, '_', '.' or '-'");
        int port = port(top, "port", ConfigFault.BAD_CONTROL_PORT).orElse(PORT_DEFAULT);
        String bind = top.text("bind_address").orElse("127.0.0.1");
        String host = top.text("host").orElse(bind.equals("0.0.0.0") ? hostName : bind);
        String address = host + ":" + port;
        List<NodeConfig.Engine> engines = EngineConfigs.parse(top);
        Path metadata = metadataDir(top, engines.get(0));
        List<String> warnings = WITHOUT_EFFECT.stream()
                .filter(top::has)
                .sorted()
                .map(key -> "key " + key + " has no effect in this product")
                .toList();
        int telemetry =
                port(top, "telemetry_port", ConfigFault.BAD_TELEMETRY_PORT).orElse(0);
        if (telemetry == port) {
            throw ConfigFault.BAD_TELEMETRY_PORT
                    .at("telemetry_port", "%d is also the control port", telemetry)
                    .asException();
        }
        NodeConfig node = new NodeConfig(
                system,
                address,
                bind,
                port,
                replicas(top, address, port),
                faultDomain(top, host),
                telemetry,
                metadata,
                tls(top),
                engines);
        return new ServerConfig(node, telemetry(top, bind), syslog(top), warnings);
    }

    /** What is in the web configuration file is the metrics page's business: it reads it again when it changes. */
    private static TelemetryConfig telemetry(Yaml top, String bind) {
        Optional<Yaml> given = top.mapping("telemetry_config");
        if (given.isEmpty()) return new TelemetryConfig(bind, Optional.empty());
        Yaml yaml = given.get();
        yaml.refuseUnknown(Set.of("bind_address", "web_config_file"));
        if (!top.has("telemetry_port")) {
            throw ConfigFault.BAD_TELEMETRY_PORT
                    .at("telemetry_config", "given without telemetry_port")
                    .asException();
        }
        Optional<Path> web = yaml.text("web_config_file").map(Path::of);
        if (web.isPresent() && (!web.get().isAbsolute() || !Files.isReadable(web.get()))) {
            throw yaml.bad("web_config_file", "wants the absolute path of a file that can be read");
        }
        return new TelemetryConfig(yaml.text("bind_address").orElse(bind), web);
    }

    private static void refuseContradictions(Yaml top) {
        if (top.has("fault_path") && top.has("fault_cb")) {
            throw ConfigFault.FAULT_PATH_AND_SCRIPT
                    .at("fault_cb", "given together with fault_path")
                    .asException();
        }
        if (top.has("fault_cb")) {
            throw ConfigFault.NOT_BUILT
                    .at("fault_cb", "fault domain scripts are not built yet: use fault_path")
                    .asException();
        }
        if (top.has("enable_vmd") && top.has("disable_vmd")) {
            throw ConfigFault.VMD
                    .at("enable_vmd", "given together with disable_vmd")
                    .asException();
        }
        if (top.whole("system_ram_reserved").orElse(1L) <= 0) {
            throw ConfigFault.NO_RAM_RESERVED
                    .at("system_ram_reserved", "is not above zero")
                    .asException();
        }
    }

    private static List<String> replicas(Yaml top, String own, int port) {
        String key = top.oneOf("access_points", "mgmt_svc_replicas").orElse("");
        List<String> given = key.isEmpty() ? List.of(own) : top.texts(key);
        if (given.isEmpty()) {
            throw ConfigFault.BAD_REPLICAS.at(key, "the list is empty").asException();
        }
        List<String> all = new ArrayList<>();
        for (String one : given) {
            String address = address(one, port);
            if (address.isEmpty()) {
                throw ConfigFault.BAD_REPLICAS
                        .at(key, "'%s' is not HOST or HOST:PORT", one)
                        .asException();
            }
            if (all.contains(address)) {
                throw ConfigFault.BAD_REPLICAS
                        .at(key, "%s is listed twice", address)
                        .asException();
            }
            all.add(address);
        }
        if (all.size() % 2 == 0) {
            throw ConfigFault.EVEN_REPLICAS
                    .at(key, "%d replicas are an even number", all.size())
                    .asException();
        }
        return all;
    }

    /** {@code host:port}, or empty when it is none. */
    private static String address(String text, int port) {
        var match = ADDRESS.matcher(text);
        if (!match.matches()) return "";
        int number = match.group(2) == null ? port : Integer.parseInt(match.group(2));
        return number < 1 || number > 65535 ? "" : match.group(1) + ":" + number;
    }

    private static Optional<Integer> port(Yaml top, String key, ConfigFault fault) {
        Optional<Long> value = top.whole(key);
        if (value.isPresent() && (value.get() < 1 || value.get() > 65535)) {
            throw fault.at(key, "%d is not a port", value.get()).asException();
        }
        return value.map(Long::intValue);
    }

    private static String faultDomain(Yaml top, String host) {
        String path = top.text("fault_path").orElse("/" + host.replaceAll("[^A-Za-z0-9_.=-]", "_"));
        if (!FAULT_PATH.matcher(path).matches()) {
            throw ConfigFault.BAD_FAULT_DOMAIN
                    .at("fault_path", "'%s' is not a fault domain", path)
                    .asException();
        }
        if (path.chars().filter(c -> c == '/').count() > 2) {
            throw ConfigFault.DEEP_FAULT_PATH
                    .at("fault_path", "'%s' has more than two levels", path)
                    .asException();
        }
        return path;
    }

    private static Path metadataDir(Yaml top, NodeConfig.Engine first) {
        Optional<Yaml> metadata = top.mapping("control_metadata");
        metadata.ifPresent(m -> m.refuseUnknown(Set.of("path", "device")));
        Optional<String> path = metadata.flatMap(m -> m.text("path"));
        if (metadata.isPresent() && path.isEmpty()) {
            throw ConfigFault.METADATA_DEVICE
                    .at("control_metadata.path", "is missing")
                    .asException();
        }
        // beside the SCM space, not in it: a format must not wipe the Raft logs of a running replica
        return path.map(Path::of)
                .orElseGet(
                        () -> first.scmMount().resolveSibling(first.scmMount().getFileName() + ".control"));
    }

    private static NodeConfig.Tls tls(Yaml top) {
        Optional<Yaml> found = top.mapping("transport_config");
        if (found.isEmpty()) {
            return new NodeConfig.Tls(false, false, path("daosCA.crt"), path("server.crt"), path("server.key"));
        }
        Yaml yaml = found.get();
        yaml.refuseUnknown(
                Set.of("allow_insecure", "client_cert_dir", "ca_cert", "cert", "key", "crl", "data_channel"));
        String channel = yaml.text("data_channel").orElse("tls");
        if (!channel.equals("tls") && !channel.equals("clear")) throw yaml.bad("data_channel", "wants tls or clear");
        if (yaml.flag("allow_insecure", false)) {
            return new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty());
        }
        return new NodeConfig.Tls(
                false,
                channel.equals("clear"),
                yaml.text("ca_cert").map(Path::of).or(() -> path("daosCA.crt")),
                yaml.text("cert").map(Path::of).or(() -> path("server.crt")),
                yaml.text("key").map(Path::of).or(() -> path("server.key")),
                yaml.text("crl").map(Path::of));
    }

    private static Optional<Path> path(String name) {
        return Optional.of(Path.of("/etc/daos/certs", name));
    }

    private static Optional<String> syslog(Yaml top) {
        Optional<String> given = top.text("syslog");
        if (given.isEmpty()) return given;
        Optional<String> address = SyslogAddress.parse(given.get()).map(SyslogAddress::text);
        if (address.isEmpty()) throw top.bad("syslog", "wants HOST, HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT");
        return address;
    }

    private static String place(Path file, JsonProcessingException e) {
        return e.getLocation() == null
                ? file.toString()
                : file + " line " + e.getLocation().getLineNr();
    }

    /** The parser tells first what it was doing and where, then what is wrong. */
    private static String problem(String text) {
        return text.lines()
                .filter(line -> !line.startsWith("while ") && !line.startsWith(" "))
                .findFirst()
                .orElse("not YAML");
    }

    /** Without asking a name server. */
    private static String hostName() {
        try {
            String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).trim();
            return name.isEmpty() ? "localhost" : name;
        } catch (IOException e) {
            return "localhost";
        }
    }
}
