package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * Settings of the bundle. Immutable.
 *
 * @param deviceGraceMs how long I/O waits for a driver before its devices count as unplugged
 * @param answerMsMax how long a device may take to answer a request before it is faulty
 * @param bufferBytes aligned I/O buffers of one engine
 * @param heldBytes short values of one engine that are in its log and not yet on their devices
 * @param reserveBytes kept on an engine's SCM for when its file system is full; less on a small one
 * @param prezeroBytes front of each new blob on an emulated device that is filled at once, 0 = none
 */
public record StorageSettings(
        long deviceGraceMs, long answerMsMax, long bufferBytes, long heldBytes, long reserveBytes, long prezeroBytes) {
    public StorageSettings {
        if (deviceGraceMs < 100 || deviceGraceMs > 600_000)
            throw Fault.of(FaultCode.INVAL, "device.grace.ms is %d, expected 100 to 600000", deviceGraceMs)
                    .asException();
        if (answerMsMax < 100 || answerMsMax > 600_000)
            throw Fault.of(FaultCode.INVAL, "device.answer.max.ms is %d, expected 100 to 600000", answerMsMax)
                    .asException();
        if (prezeroBytes < 0 || prezeroBytes > 1L << 30)
            throw Fault.of(FaultCode.INVAL, "prezero.mib is out of range, expected 0 to 1024")
                    .asException();
        if (heldBytes < 1 << 20 || heldBytes > 256L << 20)
            throw Fault.of(FaultCode.INVAL, "held.mib is out of range, expected 1 to 256")
                    .asException();
        if (reserveBytes < 1 << 20 || reserveBytes > 4L << 30)
            throw Fault.of(FaultCode.INVAL, "reserve.mib is out of range, expected 1 to 4096")
                    .asException();
        if (bufferBytes < 8 << 20)
            throw Fault.of(FaultCode.INVAL, "buffer.mib is too small, expected 8 or more")
                    .asException();
    }
}
