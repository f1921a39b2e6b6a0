package io.daosmesh.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What daos needs of daos_agent.yml. Immutable.
 *
 * @param addresses {@code host:port} of servers
 * @param runtimeDir folder of the agent's socket
 */
record DaosConfig(String system, List<String> addresses, NodeConfig.Tls tls, Path runtimeDir) {
    private static final int FILE_BYTES_MAX = 1 << 20;
    private static final int PORT = 10001;

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

    private static final Set<String> TLS_KEYS =
            Set.of("allow_insecure", "ca_cert", "cert", "key", "crl", "data_channel");

    /** INVAL with the file and what is wrong with it. */
    static DaosConfig read(Path file) {
        return of(file, yaml(file));
    }

    /** The file's keys, all of them known. */
    static Map<String, Object> yaml(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) throw wrong(file, "is longer than 1 MiB");
            Map<String, Object> yaml = parse(Files.readString(file));
            check(file, yaml, KEYS, "");
            return yaml;
        } catch (JsonProcessingException e) {
            String line =
                    e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr();
            throw wrong(file, "is no YAML" + line);
        } catch (IOException e) {
            throw Fault.of(FaultCode.NONEXIST, "configuration file '%s' cannot be read", file)
                    .remedy("name the agent's file with -o or in DAOS_AGENT_CONFIG")
                    .asException();
        }
    }

    static DaosConfig of(Path file, Map<String, Object> yaml) {
        int port = port(file, yaml.get("port"));
        List<String> addresses = new ArrayList<>();
        for (String key : List.of("access_points", "hostlist")) {
            for (String host : texts(file, key, yaml.get(key))) addresses.addAll(HostList.addresses(host, port));
        }
        if (addresses.isEmpty()) addresses.add("localhost:" + port);
        String system = String.valueOf(yaml.getOrDefault("name", "daos_server"));
        return new DaosConfig(
                system,
                addresses.stream().distinct().toList(),
                tls(file, yaml.get("transport_config")),
                Path.of(String.valueOf(yaml.getOrDefault("runtime_dir", LocalAgent.FOLDER))));
    }

    /** Whoever can read the agent's key is an agent. */
    boolean mayBeOwnAgent() {
        return tls.allowInsecure() || tls.key().filter(Files::isReadable).isPresent();
    }

    private static NodeConfig.Tls tls(Path file, @Nullable Object given) {
        Object section = given == null ? Map.of() : given;
        if (!(section instanceof Map<?, ?> map)) throw wrong(file, "transport_config is not a section");
        Map<String, Object> tls = new LinkedHashMap<>();
        map.forEach((key, value) -> tls.put(String.valueOf(key), value));
        check(file, tls, TLS_KEYS, "transport_config.");
        String channel = String.valueOf(tls.getOrDefault("data_channel", "tls"));
        if (!channel.equals("tls") && !channel.equals("clear")) {
            throw wrong(file, "transport_config.data_channel is '" + channel + "', not tls or clear");
        }
        Object insecure = tls.getOrDefault("allow_insecure", false);
        if (!(insecure instanceof Boolean)) throw wrong(file, "transport_config.allow_insecure is not true or false");
        return new NodeConfig.Tls(
                (Boolean) insecure,
                channel.equals("clear"),
                path(tls, "ca_cert", "/etc/daos/certs/daosCA.crt"),
                path(tls, "cert", "/etc/daos/certs/agent.crt"),
                path(tls, "key", "/etc/daos/certs/agent.key"),
                Optional.ofNullable(tls.get("crl")).map(crl -> Path.of(String.valueOf(crl))));
    }

    private static Optional<Path> path(Map<String, Object> map, String key, String otherwise) {
        return Optional.of(Path.of(String.valueOf(map.getOrDefault(key, otherwise))));
    }

    private static int port(Path file, @Nullable Object value) {
        if (value == null) return PORT;
        if (value instanceof Integer port && port > 0 && port < 65536) return port;
        throw wrong(file, "port is '" + value + "', not a number from 1 to 65535");
    }

    static List<String> texts(Path file, String key, @Nullable Object value) {
        if (value == null) return List.of();
        if (value instanceof String text) return List.of(text);
        if (!(value instanceof List<?> list)) throw wrong(file, key + " is not a list of hosts");
        return list.stream().map(String::valueOf).toList();
    }

    static void check(Path file, Map<String, Object> map, Set<String> known, String prefix) {
        for (String key : map.keySet()) {
            if (!known.contains(key)) throw wrong(file, "unknown key '" + prefix + key + "'");
        }
    }

    static RuntimeException wrong(Path file, String what) {
        return Fault.of(FaultCode.INVAL, "%s: %s", file, what)
                .remedy("correct the file")
                .asException();
    }

    /** By tokens: binding it to objects takes a tool longer than its request. */
    private static Map<String, Object> parse(String text) throws IOException {
        try (JsonParser parser = new YAMLFactory().createParser(text)) {
            Map<String, Object> all = new LinkedHashMap<>();
            if (parser.nextToken() == null || parser.currentToken() == JsonToken.VALUE_NULL) return all;
            if (value(parser) instanceof Map<?, ?> map)
                map.forEach((key, value) -> all.put(String.valueOf(key), value));
            else throw new com.fasterxml.jackson.core.JsonParseException(parser, "no section");
            return all;
        }
    }

    private static Object value(JsonParser parser) throws IOException {
        switch (parser.currentToken()) {
            case START_OBJECT -> {
                Map<String, Object> map = new LinkedHashMap<>();
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String key = parser.currentName();
                    if (parser.nextToken() != JsonToken.VALUE_NULL) map.put(key, value(parser));
                }
                return map;
            }
            case START_ARRAY -> {
                List<Object> list = new ArrayList<>();
                while (parser.nextToken() != JsonToken.END_ARRAY) list.add(value(parser));
                return list;
            }
            case VALUE_NUMBER_INT -> {
                long number = parser.getLongValue();
                return number == (int) number ? (Object) (int) number : (Object) number;
            }
            case VALUE_TRUE, VALUE_FALSE -> {
                return parser.getBooleanValue();
            }
            default -> {
                return parser.getText();
            }
        }
    }
}
