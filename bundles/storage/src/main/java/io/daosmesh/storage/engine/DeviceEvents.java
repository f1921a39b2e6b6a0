package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.slot.BlobOp;
import io.daosmesh.storage.smd.Smd;
import java.util.Locale;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What an operator hears of an engine's devices. Owner: the engine's owner loop. Source: daos-admin facts 5.2. */
final class DeviceEvents {
    private final NodeEffects effects;

    DeviceEvents(NodeEffects effects) {
        this.effects = effects;
    }

    void onState(Smd.Device device, DeviceState old, DeviceState next, String reason) {
        String id = device.uuid().toString();
        if (old == DeviceState.UNPLUGGED)
            effects.raise(
                    RasId.DEVICE_PLUGGED, Severity.NOTICE, "Detected hot plugged device: " + device.address(), id);
        if (next == DeviceState.UNPLUGGED)
            effects.raise(RasId.DEVICE_UNPLUGGED, Severity.NOTICE, "Device: " + id + " unplugged", id);
        if (next == DeviceState.FAULTY) {
            boolean isAuto = reason.startsWith(DeviceLife.AUTO);
            String what = isAuto ? " auto faulty detect (" : " set faulty (";
            String why = isAuto ? reason.substring(DeviceLife.AUTO.length()) : reason;
            effects.raise(RasId.DEVICE_SET_FAULTY, Severity.NOTICE, "Device: " + id + what + why + ")", id);
        }
    }

    void onAdded(Smd.Device device) {
        String id = device.uuid().toString();
        effects.raise(RasId.DEVICE_PLUGGED, Severity.NOTICE, "Detected hot plugged device: " + device.address(), id);
    }

    void onMediaError(Smd.Device device, BlobOp.Kind kind) {
        String what = kind == BlobOp.Kind.FLUSH ? "write" : kind.name().toLowerCase(Locale.ROOT);
        String target = device.targets().isEmpty()
                ? "-1"
                : String.valueOf(device.targets().get(0));
        String text = "Device: " + device.uuid() + " " + what + " error logged from tgt_id:" + target;
        effects.raise(
                RasId.DEVICE_MEDIA_ERROR, Severity.ERROR, text, device.uuid().toString());
    }

    /** @param why it could not be done; null if it was */
    void onReplaced(UUID old, UUID next, @Nullable Fault why) {
        String text = "Replaced device: " + old + " with device: " + next;
        if (why != null)
            text += " failed: DER_" + why.code().name() + "(-" + why.code().number() + ")";
        effects.raise(RasId.DEVICE_REPLACE, why == null ? Severity.NOTICE : Severity.ERROR, text, next.toString());
    }
}
