package io.daosmesh.spi;

/**
 * Health of one device: NVMe log page 0x02 where there is one, else what the driver itself counts. Immutable.
 * Units: kelvin, minutes, hours, percent, 1000 x 512 bytes for data units, as in the NVMe base specification 5.14.1.2.
 *
 * @param percentageUsed wear: of the writes that the device is rated for; may pass 100
 */
public record DeviceHealth(
        int temperatureKelvin,
        int availableSparePercent,
        int availableSpareThresholdPercent,
        int criticalWarningBits,
        long dataUnitsRead,
        long dataUnitsWritten,
        long hostReadCommands,
        long hostWriteCommands,
        long controllerBusyMinutes,
        long powerCycles,
        long powerOnHours,
        long unsafeShutdowns,
        long mediaErrors,
        long errorLogEntries,
        long warningTemperatureMinutes,
        long criticalTemperatureMinutes,
        int percentageUsed) {
    /** Of a device that does not wear. */
    public DeviceHealth(
            int temperatureKelvin,
            int availableSparePercent,
            int availableSpareThresholdPercent,
            int criticalWarningBits,
            long dataUnitsRead,
            long dataUnitsWritten,
            long hostReadCommands,
            long hostWriteCommands,
            long controllerBusyMinutes,
            long powerCycles,
            long powerOnHours,
            long unsafeShutdowns,
            long mediaErrors,
            long errorLogEntries,
            long warningTemperatureMinutes,
            long criticalTemperatureMinutes) {
        this(
                temperatureKelvin,
                availableSparePercent,
                availableSpareThresholdPercent,
                criticalWarningBits,
                dataUnitsRead,
                dataUnitsWritten,
                hostReadCommands,
                hostWriteCommands,
                controllerBusyMinutes,
                powerCycles,
                powerOnHours,
                unsafeShutdowns,
                mediaErrors,
                errorLogEntries,
                warningTemperatureMinutes,
                criticalTemperatureMinutes,
                0);
    }
}
