package io.daosmesh.cli.metrics;

import io.daosmesh.cli.ToolConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * {@code telemetry_config} of daos_control.yml: the keys that Prometheus's scrape configuration has for the same page.
 * Immutable.
 *
 * @param user name, and the file that holds the password; both or none
 * @param ca authorities whose certificates the page may show
 * @param certificate shown to the page with {@code key}; both or none
 */
public record MetricsAccess(
        boolean isTls,
        Optional<String> user,
        Optional<Path> passwordFile,
        Optional<Path> ca,
        Optional<Path> certificate,
        Optional<Path> key) {
    public static final MetricsAccess PLAIN = new MetricsAccess(
            false, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    private static final String SECTION = "telemetry_config";

    /** @param systemCa trusted when the section names no authority of its own */
    public static MetricsAccess of(ToolConfig file, Optional<Path> systemCa) {
        if (!file.has(SECTION)) return PLAIN;
        ToolConfig own = file.section(SECTION, Set.of("scheme", "basic_auth", "tls_config"));
        ToolConfig auth = own.section("basic_auth", Set.of("username", "password_file"));
        ToolConfig tls = own.section("tls_config", Set.of("ca_file", "cert_file", "key_file"));
        pair(own, "basic_auth", auth, "username", "password_file");
        pair(own, "tls_config", tls, "cert_file", "key_file");
        String scheme = own.text("scheme").orElse(own.has("tls_config") ? "https" : "http");
        if (!scheme.equals("http") && !scheme.equals("https")) throw own.bad("scheme", "wants http or https");
        if (scheme.equals("http") && own.has("tls_config")) {
            throw own.bad("scheme", "is http, yet tls_config is given");
        }
        return new MetricsAccess(
                scheme.equals("https"),
                auth.text("username"),
                auth.path("password_file"),
                tls.path("ca_file").or(() -> systemCa),
                tls.path("cert_file"),
                tls.path("key_file"));
    }

    private static void pair(ToolConfig own, String key, ToolConfig section, String one, String other) {
        if (section.has(one) == section.has(other)) return;
        throw own.bad(key, one + " and " + other + " belong together");
    }
}
