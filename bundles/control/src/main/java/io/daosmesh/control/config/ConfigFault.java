package io.daosmesh.control.config;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Locale;

/**
 * What can be wrong with a {@code daos_server.yml}, with DAOS's {@code serverconfig} numbers. Source: daos-admin facts 6.2.
 */
enum ConfigFault {
    NO_INFORMATION(701, "add the key, see docs/configuration.md"),
    NO_PATH(702, "give the file with the system property daosmesh.server.config"),
    BAD_CONTROL_PORT(703, "use a number from 1 to 65535"),
    BAD_TELEMETRY_PORT(704, "use a number from 1 to 65535, or leave the key out to switch telemetry off"),
    BAD_REPLICAS(705, "list HOST or HOST:PORT of every management-service replica"),
    EVEN_REPLICAS(706, "list an odd number of replicas"),
    NO_ENGINES(708, "add at least one engine to the list engines"),
    SAME_LOG_FILE(710, "give every engine its own log_file"),
    SAME_SCM_MOUNT(711, "give every engine its own scm_mount"),
    SAME_SCM_LIST(712, "give every engine its own PMem namespaces"),
    BDEV_OVERLAP(713, "list every device once"),
    BDEV_COUNT(714, "give every engine as many devices"),
    TARGET_COUNT(715, "give every engine as many targets"),
    BAD_FAULT_DOMAIN(717, "write it like /rack1/node3"),
    FAULT_PATH_AND_SCRIPT(722, "keep one of fault_path and fault_cb"),
    DEEP_FAULT_PATH(724, "use at most two levels, like /rack1/node3"),
    HUGEPAGES(726, "remove disable_hugepages or the NVMe devices"),
    VMD(727, "keep one of enable_vmd and disable_vmd"),
    METADATA_DEVICE(729, "add control_metadata.path"),
    RAM_SIZE(730, "set scm_size of the RAM class to at least 1 (GiB)"),
    SCM_CLASS(732, "use the same SCM class for every engine"),
    NO_RAM_RESERVED(734, "use a number of GiB above zero, or leave the key out"),
    /** Ours: not in DAOS's list. */
    UNKNOWN_KEY(750, "correct its spelling or remove it"),
    BAD_VALUE(751, "correct the value"),
    CONTRADICTION(752, "keep one of the two"),
    NO_FILE(753, "check path and permissions"),
    NOT_YAML(754, "correct the YAML at the named place"),
    NOT_BUILT(755, "remove the key"),
    CERTIFICATE(756, "check path and permissions, make certificates with daos-certs, or set allow_insecure");

    private final int number;
    private final String remedy;

    ConfigFault(int number, String remedy) {
        this.number = number;
        this.remedy = remedy;
    }

    int number() {
        return number;
    }

    /** Argument {@code key} names the key, {@code serverconfig} the number. */
    Fault at(String key, String text, Object... args) {
        return Fault.of(
                        FaultCode.INVAL,
                        args.length == 0 ? text.replace("%", "%%") : text,
                        args.length == 0 ? NONE : args)
                .with("key", key)
                .with("serverconfig", number)
                .remedy(remedy);
    }

    private static final Object[] NONE = {""};

    /** The one line an operator reads. */
    static String line(Fault fault) {
        return String.format(
                Locale.ROOT,
                "%s: %s: serverconfig: code = %s resolution = \"%s\"",
                fault.argument("key").orElse("daos_server.yml"),
                fault.text(),
                fault.argument("serverconfig").orElse("700"),
                fault.remedy());
    }
}
