package io.daosmesh.cli.metrics;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * The configuration with which Prometheus scrapes the nodes of a system, as {@code dmg telemetry config} writes it. Source: DAOS
 * administration guide, Prometheus integration; Prometheus' own documentation of {@code scrape_config}.
 */
public final class ScrapeConfig {
    private static final String HEADER = "# Written by dmg telemetry config.\n";

    private ScrapeConfig() {}

    /** @param targets {@code host:port} of metrics pages */
    public static String text(List<String> targets, MetricsAccess access) {
        Map<String, Object> job = new LinkedHashMap<>();
        job.put("job_name", "daos");
        job.put("scrape_interval", "5s");
        if (access.isTls()) job.put("scheme", "https");
        access.user()
                .ifPresent(user -> job.put(
                        "basic_auth", Map.of("username", user, "password_file", absolute(access.passwordFile()))));
        Map<String, Object> tls = new LinkedHashMap<>();
        if (access.isTls()) {
            access.ca().ifPresent(ca -> tls.put("ca_file", absolute(Optional.of(ca))));
            access.certificate().ifPresent(c -> tls.put("cert_file", absolute(Optional.of(c))));
            access.key().ifPresent(k -> tls.put("key_file", absolute(Optional.of(k))));
        }
        if (!tls.isEmpty()) job.put("tls_config", tls);
        job.put("static_configs", List.of(Map.of("targets", targets)));
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        return HEADER + new Yaml(options).dump(Map.of("scrape_configs", List.of(job)));
    }

    private static String absolute(Optional<Path> file) {
        return file.orElseThrow().toAbsolutePath().toString();
    }

    /**
     * Replaces the file at once or not at all; one that says something else is kept beside it with {@code .bak}. NO_PERM when it
     * cannot be written.
     */
    public static void write(Path file, String text) {
        try {
            if (Files.exists(file) && !Files.readString(file).equals(text)) {
                Files.copy(file, backup(file), StandardCopyOption.REPLACE_EXISTING);
            }
            Path fresh = Files.createTempFile(file.toAbsolutePath().getParent(), ".prometheus", ".new");
            try {
                Files.writeString(fresh, text);
                Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(fresh);
            }
        } catch (IOException e) {
            throw Fault.of(FaultCode.NO_PERM, "%s cannot be written: %s", file, String.valueOf(e.getMessage()))
                    .remedy("check $HOME, its permissions and the free space there")
                    .asException();
        }
    }

    public static Path backup(Path file) {
        return file.resolveSibling(file.getFileName() + ".bak");
    }
}
