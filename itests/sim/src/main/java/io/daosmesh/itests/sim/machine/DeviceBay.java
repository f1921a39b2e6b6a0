package io.daosmesh.itests.sim.machine;

import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.bio.Extent;
import io.daosmesh.storage.slot.BlobOp;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.DriverSet;
import io.daosmesh.storage.slot.HeldMemory;
import io.daosmesh.storage.slot.SlotLimits;
import io.daosmesh.storage.slot.SlotSet;
import io.daosmesh.storage.smd.Smd;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;

/**
 * The device of one process behind the shipped slot: its deadline, its states, what it refuses. Owner: the timeline.
 */
public final class DeviceBay {
    private static final long GRACE_MS = 5_000;
    /** As long as shipped. */
    private static final long ANSWER_MS_MAX = 10_000;

    private final SlotSet slots;
    private final DeviceSlot slot;
    private final DeviceBlob blob;

    /**
     * @param isFaulty what the tables of the engine say of the device
     * @param owner of the slot
     */
    DeviceBay(BlockDriver driver, boolean isFaulty, ScheduledExecutorService owner, Consumer<DeviceState> onState) {
        Smd.Device device =
                new Smd.Device(DiskDevice.ID, "ssd0", DiskDevice.FRONT_BYTES + Disk.BLOB_BYTES, isFaulty, List.of(0));
        DriverSet<BlockDriver> drivers = new DriverSet<>(BlockDriver::version);
        drivers.add(driver, Map.of());
        slots = new SlotSet(
                () -> new Smd(2, List.of(device), List.of()),
                d -> new DeviceSpec(DiskDevice.CLASS, d.address(), 0, Map.of()),
                drivers,
                SlotLimits.of(GRACE_MS, ANSWER_MS_MAX),
                owner,
                new SlotSet.Listener() {
                    @Override
                    public void onDevice(Smd.Device of, DeviceState old, DeviceState next, String reason) {
                        onState.accept(next);
                    }

                    @Override
                    public void onMediaError(Smd.Device of, BlobOp.Kind kind) {
                        // there are none
                    }
                });
        slots.onDriversChanged();
        slot = Objects.requireNonNull(slots.slot(DiskDevice.ID));
        Extent all = new Extent(DiskDevice.FRONT_BYTES, Disk.BLOB_BYTES);
        blob = new DeviceBlob(new Smd.BlobSpace(0, 1, DiskDevice.ID, List.of(all)), slot, new HeldMemory(0));
    }

    DeviceBlob blob() {
        return blob;
    }

    /** Now and then: gives up what has had no answer in time. */
    public void onTick(long nowNs) {
        slots.onTick(nowNs);
    }

    public DeviceState state() {
        return slot.life().state();
    }

    /** Its targets are out of all pools. */
    public void tearDown() {
        slot.life().transition(DeviceState.TEARDOWN, "out of all pools");
        slot.life().transition(DeviceState.OUT, "nothing is under way");
    }
}
