package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.machine.ConfigOptions;
import io.daosmesh.admin.machine.NetworkView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of {@code config generate}, of dmg and of daos_server alike. Source: daos-admin facts 1.5. Owner: the main thread. */
public final class GenerateFlags {
    @Option(
            names = {"-a", "--access-points"},
            paramLabel = "HOSTS",
            description = "replicas of the management service, an odd number (default: of the hosts asked, at most 5)")
    @Nullable
    String accessPoints;

    @Option(
            names = {"-r", "--ms-replicas"},
            paramLabel = "HOSTS",
            description = "the same, as DAOS 2.8 calls it")
    @Nullable
    String replicas;

    @Option(
            names = {"-e", "--num-engines"},
            paramLabel = "N",
            description = "engines a host (default: one for each NUMA node that has what it takes)")
    @Nullable
    Integer engines;

    @Option(
            names = {"-s", "--min-ssds"},
            paramLabel = "N",
            description = "refuse engines with fewer SSDs (default 1; 0: SCM only is good enough)")
    int minSsds = 1;

    @Option(
            names = {"-c", "--net-class"},
            paramLabel = "CLASS",
            description = "infiniband, ethernet or best-available (default)")
    String netClass = "best-available";

    @Option(
            names = {"-p", "--net-provider"},
            paramLabel = "PROVIDER",
            description = "tcp; nodes have no other")
    @Nullable
    String provider;

    @Option(names = "--scm-only", description = "no SSDs")
    boolean scmOnly;

    @Option(
            names = {"-t", "--use-tmpfs-scm"},
            description = "memory in place of persistent memory")
    boolean tmpfs;

    @Option(
            names = {"-m", "--control-metadata-path"},
            paramLabel = "DIR",
            description = "folder of the node's own state, with --use-tmpfs-scm")
    @Nullable
    String metadata;

    /** INVAL and NOTSUPPORTED. */
    public ConfigOptions options(boolean insecure) {
        if (provider != null) NetworkView.check(provider);
        if (accessPoints != null && replicas != null) {
            throw Fault.of(FaultCode.INVAL, "--access-points and --ms-replicas cannot be set together")
                    .remedy("they mean the same: keep one")
                    .asException();
        }
        if (engines != null && engines == 0) {
            throw Fault.of(FaultCode.INVAL, "the number of engines is 0")
                    .remedy("give 1 to 16, or leave it out")
                    .asException();
        }
        String given = accessPoints != null ? accessPoints : replicas;
        return new ConfigOptions(
                given == null ? List.of() : HostList.parse(given),
                engines == null ? 0 : engines,
                minSsds,
                ConfigOptions.NetClass.of(netClass),
                scmOnly,
                tmpfs,
                Optional.ofNullable(metadata),
                insecure);
    }
}
