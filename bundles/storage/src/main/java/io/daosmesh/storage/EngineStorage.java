package io.daosmesh.storage;

import io.daosmesh.model.fault.Fault;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The formatted, open storage of one engine; published as an OSGi service (property {@code engine.index}) while it is
 * READY. Whoever holds it stops using it when the service goes: unregistering waits for that. Any thread; methods that
 * write tables block for a few milliseconds, so never call them from an event loop.
 */
public interface EngineStorage {
    int engineIndex();

    UUID engineUuid();

    String systemName();

    int targetCount();

    TargetStorage target(int index);

    /**
     * Space for a pool on all targets, durable on return, all or nothing; the same call again changes nothing. NOSPACE
     * when SCM or a device has not enough, EXIST when the pool is here with other sizes.
     */
    void reservePool(UUID pool, long scmBytesPerTarget, long nvmeBytesPerTarget);

    /**
     * Gives the space back, durable on return. Before, the owner has waited for all I/O on the pool's blobs and deleted its
     * keys: the space may be another pool's at once. Unknown pools: nothing.
     */
    void releasePool(UUID pool);

    List<PoolReservation> pools();

    Optional<PoolReservation> pool(UUID pool);

    /** Sizes of one target's share. */
    record PoolReservation(UUID pool, long scmBytes, long nvmeBytes) {}

    Usage usage();

    /**
     * Why nothing is written now: NOSPACE, in the words of the user who will read it; null when it is. Cheap: it is what was seen
     * at most two seconds ago.
     *
     * @param isDelete takes hardly any room and gives some back later
     */
    @Nullable
    Fault refusal(boolean isDelete);

    /** What the file system of the SCM can still take of new data, of all pools together; 0 while it is refused. */
    long scmWritableBytes();

    /** Totals of the engine; free = what no pool has, and there is room for. */
    record Usage(long scmTotalBytes, long scmFreeBytes, long nvmeTotalBytes, long nvmeFreeBytes) {}

    /** Of all devices together; for the I/O of a target: {@link TargetStorage#buffers}. */
    BufferPool buffers();

    /** Others, with a bound of their own: for what is kept. */
    BufferPool newBuffers(long totalBytes);

    DeviceState deviceState(UUID device);

    /** The engine has seen a checksum mismatch in data of the device. */
    void onChecksumError(UUID device);

    /** The device's targets are out of all pools: its I/O ends, it waits for replacement. */
    void tearDown(UUID device);

    /** Told the present state of each device at once, then each change. Close to stop. */
    AutoCloseable listen(DeviceListener listener);

    /** Called on storage's owner thread; must not block. */
    @FunctionalInterface
    interface DeviceListener {
        /** @param targets targets of this engine that live on the device */
        void onDevice(UUID device, DeviceState state, List<Integer> targets, String reason);
    }
}
