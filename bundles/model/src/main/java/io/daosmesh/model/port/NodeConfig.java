package io.daosmesh.model.port;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A node's active configuration ({@code daos_server.yml} after checking). Immutable; published as an OSGi service before
 * anything else starts and for as long as the process lives (it survives an update of the control bundle).
 *
 * @param address control address {@code host:port}, also the node's identity in Raft groups
 * @param bindHost interface to listen on
 * @param replicas control addresses of the management-service replicas, an odd number
 * @param faultDomain fault-domain path of the node
 * @param telemetryPort 0 = off
 * @param metadataDir folder for the node's own durable state (Raft logs)
 */
public record NodeConfig(
        String system,
        String address,
        String bindHost,
        int port,
        List<String> replicas,
        String faultDomain,
        int telemetryPort,
        Path metadataDir,
        Tls tls,
        List<Engine> engines) {
    public NodeConfig {
        replicas = List.copyOf(replicas);
        engines = List.copyOf(engines);
    }

    public boolean isReplica() {
        return replicas.contains(address);
    }

    /**
     * @param allowInsecure no certificates at all
     * @param clearData data channels without encryption after an authenticated SETUP
     * @param crl revocation lists of the authorities
     */
    public record Tls(
            boolean allowInsecure,
            boolean clearData,
            Optional<Path> ca,
            Optional<Path> certificate,
            Optional<Path> key,
            Optional<Path> crl) {
        /** Without a revocation list. */
        public Tls(
                boolean allowInsecure,
                boolean clearData,
                Optional<Path> ca,
                Optional<Path> certificate,
                Optional<Path> key) {
            this(allowInsecure, clearData, ca, certificate, key, Optional.empty());
        }
    }

    /**
     * When a device is put out for its errors, of which there are more than these since the engine started or the device came in.
     *
     * @param ioErrorsMax read and write errors together
     */
    public record AutoFaulty(boolean isEnabled, long ioErrorsMax, long checksumErrorsMax) {
        /** As in DAOS: checksum errors put no device out. */
        public static final AutoFaulty USUAL = new AutoFaulty(true, 10, 0xffff_ffffL);
    }

    /**
     * @param scmBytes capacity to use, 0 = what the file system offers
     * @param bdevBytes size of each emulated device, 0 = as it is
     */
    public record Engine(
            int index,
            int targetCount,
            String scmClass,
            Path scmMount,
            long scmBytes,
            String bdevClass,
            List<String> bdevs,
            long bdevBytes,
            String logMask,
            AutoFaulty autoFaulty) {
        public Engine {
            bdevs = List.copyOf(bdevs);
        }

        /** Devices are put out as usual. */
        public Engine(
                int index,
                int targetCount,
                String scmClass,
                Path scmMount,
                long scmBytes,
                String bdevClass,
                List<String> bdevs,
                long bdevBytes,
                String logMask) {
            this(
                    index,
                    targetCount,
                    scmClass,
                    scmMount,
                    scmBytes,
                    bdevClass,
                    bdevs,
                    bdevBytes,
                    logMask,
                    AutoFaulty.USUAL);
        }
    }
}
