package io.daosmesh.storage.runtime;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * Settings of the bundle. Immutable.
 *
 * @param deviceGraceMs how long I/O waits for a driver before its devices count as unplugged
 * @param bufferBytes aligned I/O buffers of one engine
 */
record StorageSettings(long deviceGraceMs, long bufferBytes) {
    StorageSettings {
        if (deviceGraceMs < 100 || deviceGraceMs > 600_000)
            throw Fault.of(FaultCode.INVAL, "device.grace.ms is %d, expected 100 to 600000", deviceGraceMs)
                    .asException();
        if (bufferBytes < 8 << 20)
            throw Fault.of(FaultCode.INVAL, "buffer.mib is too small, expected 8 or more")
                    .asException();
    }
}
