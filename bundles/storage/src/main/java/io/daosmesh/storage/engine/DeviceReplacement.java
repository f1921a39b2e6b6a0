package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.smd.Smd;
import java.util.UUID;

/** Which device may take the place of which. Stateless. Source: DAOS, bio_replace_dev. */
final class DeviceReplacement {
    private static final String LIST = "see dmg storage query list-devices";

    private DeviceReplacement() {}

    /**
     * NONEXIST for an unknown device, INVAL for one that cannot be replaced or cannot replace another, BUSY while targets of
     * the old one are still in a pool.
     *
     * @param hasLeft the old one is unplugged, and its targets are out of all pools
     */
    static void check(EngineStore store, UUID old, UUID next, boolean hasLeft) {
        Smd.Device from = known(store, old);
        DeviceState state = store.deviceState(old);
        if (from.targets().isEmpty())
            throw Fault.of(FaultCode.INVAL, "device %s has no targets, so that there is nothing to replace", old)
                    .remedy(LIST)
                    .asException();
        if (state == DeviceState.NORMAL)
            throw Fault.of(FaultCode.INVAL, "device %s is NORMAL, only an EVICTED one is replaced", old)
                    .remedy("evict it first: dmg storage set nvme-faulty --uuid=" + old)
                    .asException();
        boolean isOut = state == DeviceState.OUT || (state == DeviceState.UNPLUGGED && hasLeft);
        if (!isOut)
            throw Fault.of(FaultCode.BUSY, "targets of device %s are still in a pool", old)
                    .remedy("they are being taken out: try again in a moment, see dmg pool query")
                    .asException();
        if (!old.equals(next)) checkNew(store, next);
    }

    private static void checkNew(EngineStore store, UUID next) {
        Smd.Device to = known(store, next);
        DeviceState state = store.deviceState(next);
        if (!to.targets().isEmpty()) throw unfit("device %s is in use by targets %s", next, to.targets());
        if (state != DeviceState.NEW) throw unfit("device %s is %s, a NEW one is needed", next, state.shown());
    }

    private static FaultException unfit(String text, Object... arguments) {
        return Fault.of(FaultCode.INVAL, text, arguments)
                .remedy("give a device that dmg storage query list-devices shows as NEW")
                .asException();
    }

    private static Smd.Device known(EngineStore store, UUID device) {
        return store.smd()
                .device(device)
                .orElseThrow(
                        () -> Fault.of(FaultCode.NONEXIST, "engine %d has no device %s", store.engineIndex(), device)
                                .remedy(LIST)
                                .asException());
    }
}
