package io.daosmesh.cli.server;

import io.daosmesh.cli.ToolConfig;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.StorageScanReply;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a tool wants to know of a {@code daos_server.yml}; the node checks the rest when it starts. Immutable.
 *
 * @param config of nothing when there is no file
 */
public record ServerFile(ToolConfig config, boolean isThere) {
    static final Path USUAL = Path.of("/etc/daos/daos_server.yml");
    private static final Set<String> EMULATED = Set.of("file", "malloc");
    private static final BigDecimal GIB = BigDecimal.valueOf(1L << 30);

    public static ServerFile find(Optional<Path> given) {
        Path file = given.orElse(USUAL);
        if (given.isEmpty() && !Files.exists(file)) return new ServerFile(new ToolConfig(file, "", Map.of()), false);
        Fault absent = Fault.of(FaultCode.NONEXIST, "%s cannot be read", file)
                .remedy("check path and permissions, or give another file with -o")
                .with(ServerRoot.NUMBER, 702)
                .with(ServerRoot.DOMAIN, "serverconfig");
        return new ServerFile(ToolConfig.read(file, Set.of(), absent), true);
    }

    Path path() {
        return config.file();
    }

    NodeConfig.Tls tls() {
        return config.tls("server");
    }

    /** Where the node of this file listens. */
    String address() {
        String bind = config.text("bind_address").orElse("127.0.0.1");
        String host = config.text("host").orElse(bind.equals("0.0.0.0") ? "localhost" : bind);
        return host + ":" + config.port();
    }

    /** Where the page of metrics is; INVAL when there is none. */
    public String metricsAddress() {
        if (!config.has("telemetry_port")) {
            throw Fault.of(FaultCode.INVAL, "telemetry is off: %s names no telemetry_port", path())
                    .remedy(
                            "set telemetry_port (9191, say) and start the node again, or name its configuration with -o")
                    .asException();
        }
        String bind = config.section("telemetry_config", Set.of())
                .text("bind_address")
                .or(() -> config.text("bind_address"))
                .orElse("127.0.0.1");
        return (bind.equals("0.0.0.0") ? "127.0.0.1" : bind) + ":"
                + config.number("telemetry_port", 1, 65535, 1, "a port");
    }

    /** Files and memory that the engines use in the place of devices. */
    StorageScanReply emulated() {
        StorageScanReply.Builder storage = StorageScanReply.newBuilder();
        int index = 0;
        for (Map<?, ?> engine : mappings(config.values().getOrDefault("engines", List.of()))) {
            List<Map<?, ?>> tiers = new ArrayList<>(mappings(engine.get("storage")));
            if (tiers.isEmpty()) tiers.add(engine);
            for (Map<?, ?> tier : tiers) add(storage, tier, index);
            index++;
        }
        return storage.build();
    }

    private static void add(StorageScanReply.Builder storage, Map<?, ?> tier, int engine) {
        String scm = text(tier, "scm_class", text(tier, "class", ""));
        if (scm.equals("file") && tier.get("scm_mount") != null) {
            storage.addScm(ScmInfoMessage.newBuilder()
                    .setScmClass(scm)
                    .setMount(text(tier, "scm_mount", ""))
                    .setEngineIndex(engine));
        }
        String kind = text(tier, "bdev_class", text(tier, "class", ""));
        if (!EMULATED.contains(kind) || !(tier.get("bdev_list") instanceof List<?> list)) return;
        for (Object address : list) {
            storage.addNvme(DeviceInfoMessage.newBuilder()
                    .setDeviceClass(kind)
                    .setAddress(String.valueOf(address))
                    .setSizeBytes(bytes(text(tier, "bdev_size", "0")))
                    .setEngineIndex(engine));
        }
    }

    private static long bytes(String gib) {
        try {
            return new BigDecimal(gib).multiply(GIB).longValue();
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static String text(Map<?, ?> map, String key, String otherwise) {
        Object value = map.get(key);
        return value == null ? otherwise : String.valueOf(value);
    }

    private static List<Map<?, ?>> mappings(@Nullable Object value) {
        List<Map<?, ?>> all = new ArrayList<>();
        if (value instanceof List<?> list) {
            for (Object item : list) if (item instanceof Map<?, ?> map) all.add(map);
        }
        return all;
    }
}
