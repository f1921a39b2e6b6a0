package io.daosmesh.cli;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Representer;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * A mapping in the configuration file of a tool, with the place it stands at: each complaint names file and key. Immutable.
 *
 * @param at empty at the top, else as {@code transport_config.}
 * @param values without those that are null
 */
public record ToolConfig(Path file, String at, Map<String, Object> values) {
    public static final int PORT_DEFAULT = 10001;
    public static final String SYSTEM_DEFAULT = "daos_server";
    private static final int FILE_BYTES_MAX = 1 << 20;
    private static final int DEPTH_MAX = 10;
    private static final Path CERTIFICATES = Path.of("/etc/daos/certs");
    private static final Set<String> TLS_KEYS =
            Set.of("allow_insecure", "ca_cert", "cert", "key", "crl", "data_channel");

    /** Texts, decimal whole numbers, truth values: a port of 010001 is a mistake, not octal. */
    private static final class Scalars extends Resolver {
        @Override
        protected void addImplicitResolvers() {
            addImplicitResolver(Tag.BOOL, BOOL, "yYnNtTfFoO");
            addImplicitResolver(Tag.INT, Pattern.compile("0|-?[1-9][0-9]*"), "-0123456789");
            addImplicitResolver(Tag.NULL, NULL, "~nN\0");
            addImplicitResolver(Tag.NULL, EMPTY, null);
        }
    }

    /** INVAL with the file, the key and what is wrong with it; {@code absent} when the file cannot be read. */
    public static ToolConfig read(Path file, Set<String> keys, Fault absent) {
        ToolConfig none = new ToolConfig(file, "", Map.of());
        try {
            if (Files.size(file) > FILE_BYTES_MAX) throw none.bad("the file", "is longer than 1 MiB");
            Object tree = yaml().load(Files.readString(file));
            if (tree == null) return none;
            if (!(tree instanceof Map<?, ?> map)) throw none.bad("the file", "holds no mapping");
            return none.mapping("", map, keys);
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
            throw none.bad("line " + line, String.valueOf(e.getProblem()));
        } catch (IOException e) {
            throw absent.asException();
        } catch (FaultException e) {
            throw e;
        } catch (RuntimeException e) {
            // the library has many for what a tag forbids
            throw none.bad("the file", "is not YAML");
        }
    }

    private static Yaml yaml() {
        LoaderOptions options = new LoaderOptions();
        options.setAllowDuplicateKeys(false);
        options.setNestingDepthLimit(DEPTH_MAX);
        DumperOptions unused = new DumperOptions();
        return new Yaml(new SafeConstructor(options), new Representer(unused), unused, options, new Scalars());
    }

    private ToolConfig mapping(String place, Map<?, ?> map, Set<String> known) {
        Map<String, Object> mapping = new LinkedHashMap<>();
        map.forEach((key, value) -> {
            if (key instanceof Map || key instanceof Iterable) throw bad(place, "has a key that is no text");
            if (value != null) mapping.put(String.valueOf(key), value);
        });
        ToolConfig section = new ToolConfig(file, place, mapping);
        for (String key : mapping.keySet()) {
            if (!known.isEmpty() && !known.contains(key)) throw section.bad(key, "unknown key");
        }
        return section;
    }

    public FaultException bad(String key, String text) {
        return Fault.of(FaultCode.INVAL, "%s: %s%s: %s", file, at, key, text)
                .remedy("correct the named key")
                .asException();
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /** The mapping of a key; of none when it is not given. @param known empty = any */
    public ToolConfig section(String key, Set<String> known) {
        Object value = values.getOrDefault(key, Map.of());
        if (!(value instanceof Map<?, ?> map)) throw bad(key, "wants a mapping");
        return mapping(at + key + ".", map, known);
    }

    public Optional<String> text(String key) {
        return Optional.ofNullable(values.get(key)).map(value -> text(key, value));
    }

    private String text(String key, @Nullable Object value) {
        if (value instanceof String || value instanceof Number || value instanceof Boolean) return value.toString();
        throw bad(key, "wants a text");
    }

    /** A list of texts, or one. */
    public List<String> texts(String key) {
        Object value = values.get(key);
        if (value == null) return List.of();
        List<String> texts = new ArrayList<>();
        for (Object item : value instanceof List<?> list ? list : List.of(value)) texts.add(text(key, item));
        return texts;
    }

    public Optional<Path> path(String key) {
        try {
            return text(key).map(Path::of);
        } catch (InvalidPathException e) {
            throw bad(key, "is no path");
        }
    }

    public boolean flag(String key) {
        Object value = values.getOrDefault(key, false);
        if (value instanceof Boolean flag) return flag;
        throw bad(key, "wants true or false");
    }

    /** @param wanted what a value outside of 0 to {@code max} is not, e.g. a port */
    public int number(String key, int min, int max, int otherwise, String wanted) {
        Object value = values.getOrDefault(key, otherwise);
        if (value instanceof Integer number && number >= min && number <= max) return number;
        throw bad(key, text(key, value) + " is not " + wanted);
    }

    public String system() {
        return text("name").orElse(SYSTEM_DEFAULT);
    }

    public int port() {
        return number("port", 1, 65535, PORT_DEFAULT, "a port");
    }

    /** Addresses {@code host:port} of a list like {@code st[1-3]}. */
    public List<String> hosts(String key) {
        try {
            return HostList.addresses(String.join(",", texts(key)), port());
        } catch (FaultException e) {
            throw e.fault().text().startsWith(file.toString())
                    ? e
                    : bad(key, e.fault().text());
        }
    }

    /** {@code transport_config} of who shows the certificate of this role. */
    public NodeConfig.Tls tls(String role) {
        ToolConfig tls = section("transport_config", TLS_KEYS);
        String channel = tls.text("data_channel").orElse("tls");
        if (!channel.equals("tls") && !channel.equals("clear")) throw tls.bad("data_channel", "wants tls or clear");
        boolean isClear = channel.equals("clear");
        if (tls.flag("allow_insecure")) {
            return new NodeConfig.Tls(true, isClear, Optional.empty(), Optional.empty(), Optional.empty());
        }
        return new NodeConfig.Tls(
                false,
                isClear,
                tls.path("ca_cert").or(() -> Optional.of(CERTIFICATES.resolve("daosCA.crt"))),
                tls.path("cert").or(() -> Optional.of(CERTIFICATES.resolve(role + ".crt"))),
                tls.path("key").or(() -> Optional.of(CERTIFICATES.resolve(role + ".key"))),
                tls.path("crl"));
    }
}
