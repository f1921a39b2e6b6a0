package io.daosmesh.control.config;

import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import io.daosmesh.model.port.NodeConfig.Engine;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The list {@code engines} of a server configuration: each engine alone, then engine against engine. */
final class EngineConfigs {
    private static final int ENGINES_MAX = 16;
    private static final int TARGETS_MAX = 64;
    private static final int BDEVS_MAX = 128;
    private static final long ERRORS_MAX = 0xffff_ffffL;

    private static final Set<String> KEYS = Set.of(
            "targets",
            "storage",
            "scm_class",
            "scm_mount",
            "scm_list",
            "scm_size",
            "bdev_class",
            "bdev_list",
            "bdev_size",
            "log_file",
            "log_mask",
            "first_core",
            "pinned_numa_node",
            "nr_xs_helpers",
            "bypass_health_chk",
            "fabric_iface",
            "fabric_iface_port",
            "env_vars",
            "env_pass_through",
            "acceleration",
            "bdev_auto_faulty",
            "spdk_rpc_server",
            "bdev_busid_range",
            "bdev_roles",
            "scm_hugepages_disabled");
    private static final Set<String> TIER_KEYS = Set.of(
            "class",
            "scm_mount",
            "scm_list",
            "scm_size",
            "scm_hugepages_disabled",
            "bdev_list",
            "bdev_size",
            "bdev_busid_range",
            "bdev_roles");
    private static final Set<String> SCM_CLASSES = Set.of("dcpm", "ram", "file");
    private static final Set<String> BDEV_CLASSES = Set.of("nvme", "kdev", "file", "malloc");

    private EngineConfigs() {}

    static List<Engine> parse(Yaml top) {
        String key = top.oneOf("engines", "servers").orElse("engines");
        List<Yaml> all = top.mappings(key);
        if (all.isEmpty()) {
            throw ConfigFault.NO_ENGINES.at(key, "no engine is configured").asException();
        }
        if (all.size() > ENGINES_MAX) {
            throw ConfigFault.BAD_VALUE
                    .at(key, "%d engines are more than %d", all.size(), ENGINES_MAX)
                    .asException();
        }
        List<Engine> engines = new ArrayList<>();
        for (Yaml yaml : all) engines.add(engine(engines.size(), yaml, top.flag("disable_hugepages", false)));
        compare(all, engines);
        return engines;
    }

    private static Engine engine(int index, Yaml yaml, boolean hugepagesOff) {
        yaml.refuseUnknown(KEYS);
        yaml.oneOf("first_core", "pinned_numa_node");
        long targets = yaml.whole("targets").orElse(1L);
        if (targets < 1 || targets > TARGETS_MAX) throw yaml.bad("targets", "wants a number from 1 to " + TARGETS_MAX);
        Scm scm = scm(yaml);
        Bdev bdev = bdev(yaml);
        if (hugepagesOff && bdev.kind.equals("nvme") && !bdev.list.isEmpty()) {
            throw ConfigFault.HUGEPAGES
                    .at("disable_hugepages", "but %s names NVMe devices", bdev.at)
                    .asException();
        }
        return new Engine(
                index,
                (int) targets,
                scm.kind,
                scm.mount,
                scm.bytes,
                bdev.kind,
                bdev.list,
                bdev.bytes,
                yaml.text("log_mask").orElse("INFO"),
                autoFaulty(yaml));
    }

    private static AutoFaulty autoFaulty(Yaml engine) {
        AutoFaulty usual = AutoFaulty.USUAL;
        Optional<Yaml> given = engine.mapping("bdev_auto_faulty");
        if (given.isEmpty()) return usual;
        Yaml yaml = given.get();
        yaml.refuseUnknown(Set.of("enable", "max_io_errs", "max_csum_errs"));
        return new AutoFaulty(
                yaml.flag("enable", usual.isEnabled()),
                errors(yaml, "max_io_errs", usual.ioErrorsMax()),
                errors(yaml, "max_csum_errs", usual.checksumErrorsMax()));
    }

    private static long errors(Yaml yaml, String key, long usual) {
        long max = yaml.whole(key).orElse(usual);
        if (max < 0 || max > ERRORS_MAX) throw yaml.bad(key, "wants a number from 0 to " + ERRORS_MAX);
        return max;
    }

    private record Scm(String kind, Path mount, long bytes) {}

    private record Bdev(String at, String kind, List<String> list, long bytes) {}

    /** The first tier of {@code storage}, or the flat keys of DAOS 2.0. */
    private static Scm scm(Yaml engine) {
        List<Yaml> tiers = engine.mappings("storage");
        refuseBothSpellings(engine, tiers);
        Yaml yaml = tiers.isEmpty() ? engine : tiers.get(0);
        String key = tiers.isEmpty() ? "scm_class" : "class";
        tiers.forEach(t -> t.refuseUnknown(TIER_KEYS));
        String kind = yaml.text(key).orElse("dcpm");
        if (!SCM_CLASSES.contains(kind)) throw yaml.bad(key, "wants dcpm, ram or file");
        String mount = yaml.text("scm_mount")
                .orElseThrow(() -> ConfigFault.NO_INFORMATION
                        .at(yaml.key("scm_mount"), "is missing")
                        .asException());
        if (!Path.of(mount).isAbsolute()) throw yaml.bad("scm_mount", "wants an absolute path");
        long bytes = yaml.gibibytes("scm_size");
        if (kind.equals("ram") && bytes == 0) {
            throw ConfigFault.RAM_SIZE.at(yaml.key("scm_size"), "is missing").asException();
        }
        if (kind.equals("dcpm") && yaml.has("scm_size")) {
            throw ConfigFault.CONTRADICTION
                    .at(yaml.key("scm_size"), "given for class dcpm, which has the size of its namespace")
                    .asException();
        }
        if (!kind.equals("dcpm") && yaml.has("scm_list")) {
            throw ConfigFault.CONTRADICTION
                    .at(yaml.key("scm_list"), "given for class %s", kind)
                    .asException();
        }
        return new Scm(kind, Path.of(mount), bytes);
    }

    private static void refuseBothSpellings(Yaml engine, List<Yaml> tiers) {
        if (tiers.isEmpty()) return;
        for (String flat :
                List.of("scm_class", "scm_mount", "scm_size", "scm_list", "bdev_class", "bdev_list", "bdev_size")) {
            engine.oneOf("storage", flat);
        }
        if (tiers.size() > 2) {
            throw ConfigFault.NOT_BUILT
                    .at(engine.key("storage[2]"), "more than one device tier is not built yet")
                    .asException();
        }
    }

    private static Bdev bdev(Yaml engine) {
        List<Yaml> tiers = engine.mappings("storage");
        if (tiers.size() == 1) return new Bdev("", "", List.of(), 0);
        Yaml yaml = tiers.isEmpty() ? engine : tiers.get(1);
        String key = tiers.isEmpty() ? "bdev_class" : "class";
        List<String> list = yaml.texts("bdev_list");
        String kind = yaml.text(key).orElse(list.isEmpty() ? "" : "nvme");
        if (!kind.isEmpty() && !BDEV_CLASSES.contains(kind)) throw yaml.bad(key, "wants nvme, kdev, file or malloc");
        if (!kind.isEmpty() && list.isEmpty()) {
            throw ConfigFault.NO_INFORMATION
                    .at(yaml.key("bdev_list"), "names no device for class %s", kind)
                    .asException();
        }
        if (list.size() > BDEVS_MAX) throw yaml.bad("bdev_list", "wants at most " + BDEVS_MAX + " devices");
        long bytes = yaml.gibibytes("bdev_size");
        if ((kind.equals("file") || kind.equals("malloc")) && bytes == 0) {
            throw ConfigFault.NO_INFORMATION
                    .at(yaml.key("bdev_size"), "is missing for class %s", kind)
                    .asException();
        }
        return new Bdev(yaml.key("bdev_list"), kind, list, bytes);
    }

    private static void compare(List<Yaml> yamls, List<Engine> engines) {
        Map<String, String> devices = new HashMap<>();
        Map<String, String> mounts = new HashMap<>();
        Map<String, String> logs = new HashMap<>();
        Map<String, String> namespaces = new HashMap<>();
        Engine first = engines.get(0);
        for (int i = 0; i < engines.size(); i++) {
            Engine engine = engines.get(i);
            Yaml yaml = yamls.get(i);
            String place = yaml.at();
            unique(mounts, engine.scmMount().normalize().toString(), yaml.key("scm_mount"), ConfigFault.SAME_SCM_MOUNT);
            yaml.text("log_file").ifPresent(f -> unique(logs, f, yaml.key("log_file"), ConfigFault.SAME_LOG_FILE));
            scmList(yaml).forEach(n -> unique(namespaces, n, yaml.key("scm_list"), ConfigFault.SAME_SCM_LIST));
            engine.bdevs().forEach(b -> unique(devices, b, yaml.key("bdev_list"), ConfigFault.BDEV_OVERLAP));
            same(first.bdevs().size(), engine.bdevs().size(), place + ".bdev_list", ConfigFault.BDEV_COUNT);
            same(first.targetCount(), engine.targetCount(), place + ".targets", ConfigFault.TARGET_COUNT);
            same(first.scmClass(), engine.scmClass(), place + ".scm_class", ConfigFault.SCM_CLASS);
        }
    }

    private static List<String> scmList(Yaml engine) {
        List<Yaml> tiers = engine.mappings("storage");
        return Optional.of(tiers.isEmpty() ? engine : tiers.get(0))
                .map(y -> y.texts("scm_list"))
                .orElse(List.of());
    }

    private static void unique(Map<String, String> seen, String value, String key, ConfigFault fault) {
        String before = seen.putIfAbsent(value, key);
        if (before != null) {
            throw fault.at(key, "%s is also in %s", value, before).asException();
        }
    }

    private static void same(Object first, Object other, String key, ConfigFault fault) {
        if (!first.equals(other)) {
            throw fault.at(key, "%s differs from %s of engines[0]", other, first)
                    .asException();
        }
    }
}
