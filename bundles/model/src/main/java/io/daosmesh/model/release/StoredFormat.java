package io.daosmesh.model.release;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.ras.RasId;
import java.util.Optional;

/**
 * Layouts of what is stored: which this release reads, which it writes, and what is raised where another one is found. Shown in
 * docs/protocol.md, which a test compares.
 */
public enum StoredFormat {
    SUPERBLOCK("superblock of an engine", 3, 3, RasId.ENGINE_DURABLE_FORMAT_INCOMPAT),
    /** 2: with devices that were added; written when there are such. */
    DEVICE_TABLE("server metadata of an engine", 1, 2, RasId.ENGINE_DURABLE_FORMAT_INCOMPAT),
    DEVICE_HEADER("header of a device", 1, 1, RasId.ENGINE_DURABLE_FORMAT_INCOMPAT),
    INDEX_NOTE("note of an index", 1, 1, RasId.ENGINE_DURABLE_FORMAT_INCOMPAT),
    /** 2: with sizes of its own; written when they are not the usual ones. */
    ENGINE_LOG("log of an engine", 1, 2, RasId.ENGINE_DURABLE_FORMAT_INCOMPAT),
    /** 1 is brought up to 2 when the target opens it. */
    TARGET_INDEX("index of a target", 1, 2, RasId.POOL_DURABLE_FORMAT_INCOMPAT),
    /** 2: put together from several, with their origins. */
    RECORD("record of a container", 1, 2, RasId.CONTAINER_DURABLE_FORMAT_INCOMPAT),
    SERVICE_SNAPSHOT("snapshot of a service", 1, 1, RasId.RDB_DURABLE_FORMAT_INCOMPATIBLE),
    SYSTEM_DATABASE("system database", 1, 1, RasId.RDB_DURABLE_FORMAT_INCOMPATIBLE),
    POOL_SERVICE("service of a pool", 1, 1, RasId.RDB_DURABLE_FORMAT_INCOMPATIBLE);

    private final String label;
    private final int oldest;
    private final int newest;
    private final RasId event;

    StoredFormat(String label, int oldest, int newest, RasId event) {
        this.label = label;
        this.oldest = oldest;
        this.newest = newest;
        this.event = event;
    }

    public String label() {
        return label;
    }

    public int oldest() {
        return oldest;
    }

    /** What this release writes. */
    public int newest() {
        return newest;
    }

    public RasId event() {
        return event;
    }

    /** DF_INCOMPT for a layout that this release does not read. */
    public Optional<Fault> refusal(int found) {
        return refusal(label, found);
    }

    /** @param name which one, for the operator */
    public Optional<Fault> refusal(String name, int found) {
        if (found >= oldest && found <= newest) return Optional.empty();
        return Optional.of(
                Fault.of(FaultCode.DF_INCOMPT, "%s has layout version %d not in [%d, %d]", name, found, oldest, newest)
                        .remedy(
                                found > newest
                                        ? "install the release that wrote it, or a newer one, on every node"
                                        : "run the release that wrote it, save the data elsewhere, format the storage anew"));
    }

    /** Throws DF_INCOMPT. */
    public void check(int found) {
        Optional<Fault> refusal = refusal(found);
        if (refusal.isPresent()) throw refusal.get().asException();
    }
}
