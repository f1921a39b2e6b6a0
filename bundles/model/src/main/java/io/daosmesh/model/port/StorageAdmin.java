package io.daosmesh.model.port;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import reactor.core.publisher.Mono;

/**
 * One engine's storage as the control plane and management see it; published by storage as an OSGi service (property
 * {@code engine.index}). Any thread; blocking work runs on storage's own threads.
 */
public interface StorageAdmin {
    enum State {
        /** Configured devices are being looked for. */
        STARTING,
        AWAIT_FORMAT,
        READY,
        FAILED
    }

    int engineIndex();

    State state();

    /** Why it FAILED; empty otherwise. */
    String fault();

    /** Identity in the superblock; empty before format. */
    Optional<UUID> engineUuid();

    /** Rank in the superblock; empty before the first join. */
    Optional<Integer> rank();

    /** Keeps the rank durably. DER_ID_MISMATCH if another one is there. */
    Mono<Void> assignRank(int rank);

    /** DER_EXIST unless force when formatted; one result for SCM and one per device. */
    Mono<List<FormatResultMessage>> format(String system, boolean force);

    /**
     * As {@link #format} of storage that is not formatted, for an engine in the place of one that is lost: when it joins it asks for
     * the rank of that one.
     */
    default Mono<List<FormatResultMessage>> formatToReplace(String system) {
        return Mono.error(Fault.of(FaultCode.NOSYS).asException());
    }

    /** It was formatted to replace a lost engine, and has no rank yet. */
    default boolean isReplacement() {
        return false;
    }

    /**
     * Ends this engine: its superblock goes first, then all it holds on SCM; AWAIT_FORMAT on return. Nothing when another engine is
     * there, or none. The rank must not run.
     */
    default Mono<Void> erase(UUID engine) {
        return Mono.error(Fault.of(FaultCode.NOSYS).asException());
    }

    Mono<ScmInfoMessage> scm();

    Mono<List<DeviceInfoMessage>> devices(boolean health);

    List<SmdPoolMessage> pools();

    List<DriverMessage> drivers();

    /** DER_NOSYS where the slot has no light. */
    Mono<DeviceInfoMessage> led(UUID device, String state);

    Mono<Void> setFaulty(UUID device);

    /**
     * The targets of an evicted device go on with another one of the same engine, or anew with the same one; their data comes
     * from the other replicas. NONEXIST for an unknown device, INVAL for one that does not fit, NOSPACE for one that is too small,
     * BUSY while targets of the old one are in a pool, UNINIT while the rank does not run.
     */
    Mono<Void> replace(UUID old, UUID next);

    /**
     * Takes in a device that is plugged in and of no engine: it gets an identity, is NEW and may take the place of another one,
     * also after a restart. NONEXIST when there is no such device, ALREADY when the engine has it, EXIST when it is another
     * engine's, INVAL when it is not blank, NOSPACE when the engine has as many as it can, UNINIT before the format.
     */
    default Mono<DeviceInfoMessage> addDevice(String address) {
        return Mono.error(Fault.of(FaultCode.NOSYS).asException());
    }

    AutoCloseable listen(Listener listener);

    /** Called on storage's owner thread; must not block. */
    interface Listener {
        default void onState(State state) {}

        /** @param targets targets of this engine that live on the device */
        default void onDevice(UUID device, String state, List<Integer> targets) {}
    }
}
