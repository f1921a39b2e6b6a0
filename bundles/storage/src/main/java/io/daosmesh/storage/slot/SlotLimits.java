package io.daosmesh.storage.slot;

import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import java.util.concurrent.TimeUnit;

/**
 * Bounds of a device slot. Immutable.
 *
 * @param graceNs how long requests wait for a driver before the device counts as unplugged
 * @param drainNs how long a leaving driver is given to finish; with the driver's own 2.5 s to close it stays below the
 *     5 s that DS waits for its locks
 * @param answerNsMax how long a device may take to answer a request, counted while somebody looks; then it is faulty
 * @param parkedMax requests that may wait for a driver
 * @param requestsMax requests on the device together
 * @param autoFaulty how many errors a device may have
 */
public record SlotLimits(
        long graceNs, long drainNs, long answerNsMax, int parkedMax, int requestsMax, AutoFaulty autoFaulty) {
    public static SlotLimits of(long graceMs, long answerMsMax) {
        return new SlotLimits(
                TimeUnit.MILLISECONDS.toNanos(graceMs),
                TimeUnit.MILLISECONDS.toNanos(1500),
                TimeUnit.MILLISECONDS.toNanos(answerMsMax),
                8192,
                8192,
                AutoFaulty.USUAL);
    }

    public SlotLimits with(AutoFaulty other) {
        return new SlotLimits(graceNs, drainNs, answerNsMax, parkedMax, requestsMax, other);
    }
}
