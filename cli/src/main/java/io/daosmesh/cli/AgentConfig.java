package io.daosmesh.cli;

import io.daosmesh.agent.Agent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A checked {@code daos_agent.yml} as the daemon needs it. Immutable.
 *
 * @param unnamed users that this machine has no name for
 * @param withoutEffect keys that are set and mean nothing here
 */
record AgentConfig(
        DaosConfig common,
        Optional<Path> logFile,
        String logMask,
        boolean evictsAtStop,
        Agent.Caching caching,
        Map<String, Agent.NamedUser> unnamed,
        List<String> withoutEffect) {

    /** A credential that is handed out again has to live for a good while yet. */
    static final Duration CREDENTIALS_KEPT_MAX = Duration.ofMinutes(30);

    private static final Path FILE = Path.of("/etc/daos/daos_agent.yml");
    private static final int MINUTES_MAX = 525_600;
    private static final int USERS_MAX = 4096;
    private static final Set<String> MASKS = Set.of("DISABLED", "TRACE", "DEBUG", "INFO", "NOTICE", "ERROR");
    private static final Set<String> USER_KEYS = Set.of("user", "group", "groups");
    private static final Pattern PART_OF_DURATION = Pattern.compile("(\\d{1,9})(h|m|s)");

    /** Addresses and ways of a fabric, and metrics of clients: the network here is the kernel's, and clients have no metrics. */
    private static final List<String> WITHOUT_EFFECT = List.of(
            "exclude_fabric_ifaces",
            "include_fabric_ifaces",
            "fabric_ifaces",
            "telemetry_port",
            "telemetry_enabled",
            "telemetry_retain");

    /** What is given, {@code DAOS_AGENT_CONFIG}, the machine's file. */
    static Path file(@Nullable String given, Map<String, String> environment) {
        if (given != null) return Path.of(given);
        String named = environment.get("DAOS_AGENT_CONFIG");
        return named == null || named.isEmpty() ? FILE : Path.of(named);
    }

    /** INVAL with the file, the key and what is wrong with it. */
    static AgentConfig read(Path file) {
        Map<String, Object> yaml = DaosConfig.yaml(file);
        Map<String, Object> credentials = section(file, "credential_config", yaml.get("credential_config"));
        if (credentials.containsKey("node_cert_dir")) {
            throw DaosConfig.wrong(file, "credential_config.node_cert_dir: pools have no certificates of nodes here");
        }
        DaosConfig.check(file, credentials, Set.of("cache_expiration", "client_user_map"), "credential_config.");
        String mask = String.valueOf(yaml.getOrDefault("control_log_mask", "INFO"));
        if (!MASKS.contains(mask)) throw DaosConfig.wrong(file, "control_log_mask is '" + mask + "', none of " + MASKS);
        int minutes = minutes(file, yaml.getOrDefault("cache_expiration", 0));
        Agent.Caching caching = new Agent.Caching(
                isTrue(file, "disable_caching", yaml),
                Duration.ofMinutes(minutes),
                kept(file, credentials.get("cache_expiration")));
        return new AgentConfig(
                DaosConfig.of(file, yaml),
                Optional.ofNullable(yaml.get("log_file")).map(f -> Path.of(String.valueOf(f))),
                mask,
                !isTrue(file, "disable_auto_evict", yaml),
                caching,
                users(file, section(file, "credential_config.client_user_map", credentials.get("client_user_map"))),
                WITHOUT_EFFECT.stream().filter(yaml::containsKey).toList());
    }

    private static boolean isTrue(Path file, String key, Map<String, Object> yaml) {
        Object value = yaml.getOrDefault(key, false);
        if (value instanceof Boolean b) return b;
        throw DaosConfig.wrong(file, key + " is not true or false");
    }

    private static int minutes(Path file, Object value) {
        if (value instanceof Integer n && n >= 0 && n <= MINUTES_MAX) return n;
        throw DaosConfig.wrong(file, "cache_expiration is '" + value + "', not a number of minutes, 0 for never");
    }

    private static Duration kept(Path file, @Nullable Object value) {
        if (value == null || value.equals(0)) return Duration.ZERO;
        Duration all = Duration.ZERO;
        String text = String.valueOf(value);
        Matcher part = PART_OF_DURATION.matcher(text);
        int end = 0;
        while (part.find() && part.start() == end) {
            long n = Long.parseLong(part.group(1));
            all = all.plus(
                    switch (part.group(2)) {
                        case "h" -> Duration.ofHours(n);
                        case "m" -> Duration.ofMinutes(n);
                        default -> Duration.ofSeconds(n);
                    });
            end = part.end();
        }
        if (end == text.length() && all.compareTo(CREDENTIALS_KEPT_MAX) <= 0) return all;
        throw DaosConfig.wrong(
                file, "credential_config.cache_expiration is '" + value + "', not a time like 10m, at most 30m");
    }

    private static Map<String, Agent.NamedUser> users(Path file, Map<String, Object> section) {
        if (section.size() > USERS_MAX) {
            throw DaosConfig.wrong(file, "credential_config.client_user_map has more than " + USERS_MAX + " users");
        }
        Map<String, Agent.NamedUser> users = new LinkedHashMap<>();
        section.forEach((uid, value) -> {
            String key = "credential_config.client_user_map." + uid;
            if (!uid.equals(Agent.ANY_UNNAMED) && !uid.matches("\\d{1,10}")) {
                throw DaosConfig.wrong(file, key + " is neither the number of a user nor " + Agent.ANY_UNNAMED);
            }
            Map<String, Object> user = section(file, key, value);
            DaosConfig.check(file, user, USER_KEYS, key + ".");
            users.put(
                    uid,
                    new Agent.NamedUser(
                            name(file, key + ".user", user.get("user")),
                            name(file, key + ".group", user.get("group")),
                            DaosConfig.texts(file, key + ".groups", user.get("groups")).stream()
                                    .map(g -> name(file, key + ".groups", g))
                                    .toList()));
        });
        return users;
    }

    /** With or without its @. */
    private static String name(Path file, String key, @Nullable Object value) {
        String name = value == null ? "" : value.toString().replaceFirst("@$", "");
        if (name.matches("[\\x21-\\x7e&&[^:@]]{1,250}")) return name;
        throw DaosConfig.wrong(file, key + " is no name of a user or group");
    }

    private static Map<String, Object> section(Path file, String key, @Nullable Object value) {
        if (value == null) return Map.of();
        if (!(value instanceof Map<?, ?> map)) throw DaosConfig.wrong(file, key + " is not a section");
        Map<String, Object> section = new LinkedHashMap<>();
        map.forEach((k, v) -> section.put(String.valueOf(k), v));
        return section;
    }

    /** Sentences for the log. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        for (String key : withoutEffect) remarks.add(key + " has no effect here");
        return remarks;
    }
}
