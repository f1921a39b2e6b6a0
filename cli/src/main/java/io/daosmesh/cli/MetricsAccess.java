package io.daosmesh.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code telemetry_config} of daos_control.yml: the keys that Prometheus's scrape configuration has for the same page.
 * Immutable.
 *
 * @param user name, and the file that holds the password; both or none
 * @param ca authorities whose certificates the page may show
 * @param certificate shown to the page with {@code key}; both or none
 */
record MetricsAccess(
        boolean isTls,
        Optional<String> user,
        Optional<Path> passwordFile,
        Optional<Path> ca,
        Optional<Path> certificate,
        Optional<Path> key) {
    static final MetricsAccess PLAIN = new MetricsAccess(
            false, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    private static final String SECTION = "telemetry_config";

    /** @param systemCa trusted when the section names no authority of its own */
    static MetricsAccess parse(Path file, @Nullable Object given, Optional<Path> systemCa) {
        if (given == null) return PLAIN;
        Map<?, ?> map = section(file, SECTION, given, Set.of("scheme", "basic_auth", "tls_config"));
        Map<?, ?> auth =
                section(file, SECTION + ".basic_auth", map.get("basic_auth"), Set.of("username", "password_file"));
        Map<?, ?> tls = section(
                file, SECTION + ".tls_config", map.get("tls_config"), Set.of("ca_file", "cert_file", "key_file"));
        pair(file, SECTION + ".basic_auth", auth, "username", "password_file");
        pair(file, SECTION + ".tls_config", tls, "cert_file", "key_file");
        String scheme = text(map, "scheme").orElse(map.containsKey("tls_config") ? "https" : "http");
        if (!scheme.equals("http") && !scheme.equals("https")) {
            throw DmgConfig.bad(file, SECTION + ".scheme", "wants http or https");
        }
        if (scheme.equals("http") && map.containsKey("tls_config")) {
            throw DmgConfig.bad(file, SECTION + ".scheme", "is http, yet tls_config is given");
        }
        return new MetricsAccess(
                scheme.equals("https"),
                text(auth, "username"),
                path(auth, "password_file"),
                path(tls, "ca_file").or(() -> systemCa),
                path(tls, "cert_file"),
                path(tls, "key_file"));
    }

    private static Map<?, ?> section(Path file, String key, @Nullable Object given, Set<String> known) {
        if (given == null) return Map.of();
        if (!(given instanceof Map<?, ?> map)) throw DmgConfig.bad(file, key, "wants a mapping");
        DmgConfig.refuseUnknown(file, map, known, key + ".");
        return map;
    }

    private static void pair(Path file, String section, Map<?, ?> map, String one, String other) {
        if (map.containsKey(one) == map.containsKey(other)) return;
        throw DmgConfig.bad(file, section, one + " and " + other + " belong together");
    }

    private static Optional<String> text(Map<?, ?> map, String key) {
        return Optional.ofNullable(map.get(key)).map(Object::toString);
    }

    private static Optional<Path> path(Map<?, ?> map, String key) {
        return text(map, key).map(Path::of);
    }
}
