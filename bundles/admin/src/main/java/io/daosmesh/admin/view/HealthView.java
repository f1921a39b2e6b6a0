package io.daosmesh.admin.view;

import io.daosmesh.model.wire.DeviceHealthMessage;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A device's health in words. Source: the administration guide's storage query output. */
final class HealthView {
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSxxx", Locale.ROOT);
    /** The raw value is in 1024ths of a percent. */
    private static final int WEAR_RAW = 1024;

    private static final double ZERO_CELSIUS = 273.15;
    /** Bits of the critical warning byte, NVMe base specification 5.14.1.2, in the order DAOS prints them. */
    private static final List<Map.Entry<String, Integer>> WARNINGS = List.of(
            Map.entry("Temperature", 2),
            Map.entry("Available Spare", 1),
            Map.entry("Device Reliability", 4),
            Map.entry("Read Only", 8),
            Map.entry("Volatile Memory Backup", 16));

    private HealthView() {}

    static String text(DeviceHealthMessage h) {
        if (h.equals(DeviceHealthMessage.getDefaultInstance())) return "Health Stats Unavailable\n";
        StringBuilder out = new StringBuilder("Health Stats:\n");
        boolean timed = h.getTimestampMs() > 0;
        if (timed)
            line(
                    out,
                    "Timestamp",
                    STAMP.format(Instant.ofEpochMilli(h.getTimestampMs()).atOffset(ZoneOffset.UTC)));
        line(out, "Temperature", temperature(h.getTemperatureKelvin()));
        if (h.getTempWarnMinutes() > 0)
            line(out, "Temperature Warning Duration", Words.duration(h.getTempWarnMinutes() * 60));
        if (h.getTempCritMinutes() > 0)
            line(out, "Temperature Critical Duration", Words.duration(h.getTempCritMinutes() * 60));
        line(out, "Controller Busy Time", Words.duration(h.getControllerBusyMinutes() * 60));
        line(out, "Power Cycles", h.getPowerCycles());
        line(out, "Power On Duration", Words.duration(h.getPowerOnHours() * 3600));
        line(out, "Unsafe Shutdowns", h.getUnsafeShutdowns());
        line(out, "Media Errors", h.getMediaErrors());
        if (timed) {
            line(out, "Read Errors", h.getReadErrors());
            line(out, "Write Errors", h.getWriteErrors());
            line(out, "Unmap Errors", h.getUnmapErrors());
            line(out, "Checksum Errors", h.getChecksumErrors());
        }
        line(out, "Error Log Entries", h.getErrorLogEntries());
        out.append("Critical Warnings:\n");
        for (Map.Entry<String, Integer> w : WARNINGS) {
            boolean warned = (h.getCriticalWarningBits() & w.getValue()) != 0;
            out.append("  ").append(w.getKey()).append(warned ? ": WARNING\n" : ": OK\n");
        }
        if (h.getPercentageUsed() > 0) {
            out.append("Vendor SMART Attributes:\n");
            line(out, "Timed Workload, Media Wear", WEAR_RAW * h.getPercentageUsed());
        }
        return out.toString();
    }

    /** None is 0 on the wire, and in JSON as in DAOS; nothing is that cold. */
    private static String temperature(int kelvin) {
        return kelvin == 0 ? "N/A" : kelvin + "K(" + (long) (kelvin - ZERO_CELSIUS) + "C)";
    }

    static Map<String, ?> json(DeviceHealthMessage h) {
        return Json.object(
                "timestamp",
                        h.getTimestampMs() == 0
                                ? ""
                                : Words.time(
                                        Instant.ofEpochMilli(h.getTimestampMs()).atOffset(ZoneOffset.UTC)),
                "temperature_kelvin", h.getTemperatureKelvin(),
                "critical_warning_bits", h.getCriticalWarningBits(),
                "controller_busy_minutes", h.getControllerBusyMinutes(),
                "power_cycles", h.getPowerCycles(),
                "power_on_hours", h.getPowerOnHours(),
                "unsafe_shutdowns", h.getUnsafeShutdowns(),
                "media_errors", h.getMediaErrors(),
                "read_errors", h.getReadErrors(),
                "write_errors", h.getWriteErrors(),
                "unmap_errors", h.getUnmapErrors(),
                "checksum_errors", h.getChecksumErrors(),
                "error_log_entries", h.getErrorLogEntries(),
                "data_units_read", h.getDataUnitsRead(),
                "data_units_written", h.getDataUnitsWritten(),
                "host_reads", h.getHostReads(),
                "host_writes", h.getHostWrites(),
                "spare_percent", h.getSparePercent(),
                "spare_threshold_percent", h.getSpareThresholdPercent(),
                "percentage_used", h.getPercentageUsed(),
                "temp_warn_minutes", h.getTempWarnMinutes(),
                "temp_crit_minutes", h.getTempCritMinutes());
    }

    private static void line(StringBuilder out, String name, Object value) {
        out.append("  ").append(name).append(':').append(value).append('\n');
    }
}
