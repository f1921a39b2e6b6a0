package io.daosmesh.cli.agent;

import io.daosmesh.agent.Agent;
import io.daosmesh.cli.DaosConfig;
import io.daosmesh.cli.ToolConfig;
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
public record AgentConfig(
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
    public static AgentConfig read(Path path) {
        ToolConfig file = DaosConfig.file(path);
        ToolConfig credentials =
                file.section("credential_config", Set.of("cache_expiration", "client_user_map", "node_cert_dir"));
        if (credentials.has("node_cert_dir")) {
            throw credentials.bad("node_cert_dir", "pools have no certificates of nodes here");
        }
        String mask = file.text("control_log_mask").orElse("INFO");
        if (!MASKS.contains(mask)) throw file.bad("control_log_mask", "'" + mask + "' is none of " + MASKS);
        int minutes = file.number("cache_expiration", 0, MINUTES_MAX, 0, "a number of minutes, 0 for never");
        Agent.Caching caching =
                new Agent.Caching(file.flag("disable_caching"), Duration.ofMinutes(minutes), kept(credentials));
        return new AgentConfig(
                DaosConfig.of(file),
                file.path("log_file"),
                mask,
                !file.flag("disable_auto_evict"),
                caching,
                users(credentials),
                WITHOUT_EFFECT.stream().filter(file::has).toList());
    }

    private static Duration kept(ToolConfig credentials) {
        String text = credentials.text("cache_expiration").orElse("0");
        if (text.equals("0")) return Duration.ZERO;
        Duration all = Duration.ZERO;
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
        throw credentials.bad("cache_expiration", "'" + text + "' is not a time like 10m, at most 30m");
    }

    private static Map<String, Agent.NamedUser> users(ToolConfig credentials) {
        ToolConfig all = credentials.section("client_user_map", Set.of());
        if (all.values().size() > USERS_MAX) {
            throw credentials.bad("client_user_map", "has more than " + USERS_MAX + " users");
        }
        Map<String, Agent.NamedUser> users = new LinkedHashMap<>();
        for (String uid : all.values().keySet()) {
            if (!uid.equals(Agent.ANY_UNNAMED) && !uid.matches("\\d{1,10}")) {
                throw all.bad(uid, "is neither the number of a user nor " + Agent.ANY_UNNAMED);
            }
            ToolConfig user = all.section(uid, USER_KEYS);
            users.put(
                    uid,
                    new Agent.NamedUser(
                            name(user, "user", user.text("user").orElse("")),
                            name(user, "group", user.text("group").orElse("")),
                            user.texts("groups").stream()
                                    .map(g -> name(user, "groups", g))
                                    .toList()));
        }
        return users;
    }

    /** With or without its @. */
    private static String name(ToolConfig at, String key, String given) {
        String name = given.replaceFirst("@$", "");
        if (name.matches("[\\x21-\\x7e&&[^:@]]{1,250}")) return name;
        throw at.bad(key, "is no name of a user or group");
    }

    /** Sentences for the log. */
    List<String> remarks() {
        List<String> remarks = new ArrayList<>();
        for (String key : withoutEffect) remarks.add(key + " has no effect here");
        return remarks;
    }
}
