package io.daosmesh.admin.machine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What {@code config generate} is asked for. Immutable. Source: daos-admin facts 1.5.
 *
 * @param replicas of the management service, an odd number; empty = chosen
 * @param engines 0 = one for each NUMA node that has what it takes
 * @param minSsds an engine with fewer SSDs is refused; ignored with {@code scmOnly}
 * @param tmpfs memory instead of persistent memory
 * @param metadataPath folder of the node's own state; empty = beside the first SCM mount
 * @param insecure without certificates
 */
public record ConfigOptions(
        List<String> replicas,
        int engines,
        int minSsds,
        NetClass netClass,
        boolean scmOnly,
        boolean tmpfs,
        Optional<String> metadataPath,
        boolean insecure) {
    private static final int ENGINES_MAX = 16;
    private static final int SSDS_MAX = 128;

    /** Which interfaces an engine may use. */
    public enum NetClass {
        INFINIBAND("infiniband"),
        ETHERNET("ethernet"),
        BEST_AVAILABLE("best-available");

        private final String label;

        NetClass(String label) {
            this.label = label;
        }

        @Override
        public String toString() {
            return label;
        }

        /** INVAL. */
        public static NetClass of(String text) {
            for (NetClass c : values()) if (c.label.equals(text.toLowerCase(Locale.ROOT))) return c;
            throw invalid("net class '" + text + "' is unknown", "give infiniband, ethernet or best-available");
        }
    }

    public ConfigOptions {
        replicas = List.copyOf(replicas);
        if (!replicas.isEmpty() && replicas.size() % 2 == 0) {
            throw invalid(
                    replicas.size() + " management-service replicas are an even number", "list an odd number of them");
        }
        if (engines < 0 || engines > ENGINES_MAX) {
            throw invalid("the number of engines is " + engines, "give 1 to " + ENGINES_MAX);
        }
        if (minSsds < 0 || minSsds > SSDS_MAX) {
            throw invalid("the number of SSDs is " + minSsds, "give 0 to " + SSDS_MAX);
        }
        if (metadataPath.isPresent() && !tmpfs) {
            throw invalid(
                    "a control metadata path is given without memory as SCM",
                    "add --use-tmpfs-scm, or leave --control-metadata-path out");
        }
        if (metadataPath.filter(p -> !p.startsWith("/")).isPresent()) {
            throw invalid("control metadata path '" + metadataPath.get() + "' is not absolute", "give a path from /");
        }
    }

    private static RuntimeException invalid(String text, String remedy) {
        return Fault.of(FaultCode.INVAL, "%s", text).remedy(remedy).asException();
    }
}
