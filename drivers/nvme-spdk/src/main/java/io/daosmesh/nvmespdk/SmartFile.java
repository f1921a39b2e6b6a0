package io.daosmesh.nvmespdk;

import io.daosmesh.spi.DeviceHealth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Wear and heat of an emulated device, as the file beside it says: {@code wear PERCENT} and {@code heat KELVIN}, a line each, so
 * that the warnings of a device can be tried on nodes that run. Look: the driver's thread; health: any thread.
 */
final class SmartFile {
    private static final Logger log = LoggerFactory.getLogger(SmartFile.class);
    /** Of the rated writes, NVMe base specification 5.14.1.2: may pass 100, and ends at 255. */
    static final int WEAR_MAX = 255;

    static final int KELVIN_MIN = 200;
    static final int KELVIN_MAX = 500;
    /** 70 and 80 degrees Celsius, where the SSDs that are sold warn and throttle. */
    static final int WARNING_KELVIN = 343;

    static final int CRITICAL_KELVIN = 353;
    private static final int TEXT_BYTES_MAX = 100;
    private static final int SPARE = 1;
    private static final int TEMPERATURE = 2;
    private static final int RELIABILITY = 4;

    /** -1 and 0: nothing is said. */
    private record Told(int wearPercent, int kelvin) {
        static final Told NOTHING = new Told(-1, 0);
    }

    private final Path file;
    private volatile Told now = Told.NOTHING;
    private volatile long warmNs;
    private volatile long hotNs;
    private String refused = "";
    /** Of the last look; 0 before the first. */
    private long lookedNs;

    SmartFile(Path deviceFile) {
        file = deviceFile.resolveSibling(deviceFile.getFileName() + ".smart");
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }

    /** One caller at a time. What the file says holds from now on; one that makes no sense says nothing. */
    void look(long nowNs) {
        Told before = now;
        long passedNs = lookedNs == 0 ? 0 : nowNs - lookedNs;
        lookedNs = nowNs;
        if (before.kelvin >= WARNING_KELVIN) warmNs += passedNs;
        if (before.kelvin >= CRITICAL_KELVIN) hotNs += passedNs;
        now = read();
    }

    private Told read() {
        if (!Files.exists(file)) return Told.NOTHING;
        String text = "";
        try {
            if (Files.size(file) <= TEXT_BYTES_MAX) text = Files.readString(file);
            return parse(text);
        } catch (IOException | IllegalArgumentException e) {
            if (!text.equals(refused)) log.warn("{}: {}", file, e.getMessage());
            refused = text;
            return Told.NOTHING;
        }
    }

    private static Told parse(String text) {
        int wear = Told.NOTHING.wearPercent;
        int kelvin = Told.NOTHING.kelvin;
        for (String line : text.strip().split("\n")) {
            String[] words = line.strip().split(" ");
            int value = words.length == 2 && words[1].matches("[0-9]{1,3}") ? Integer.parseInt(words[1]) : -1;
            if (words[0].equals("wear") && value >= 0 && value <= WEAR_MAX) wear = value;
            else if (words[0].equals("heat") && value >= KELVIN_MIN && value <= KELVIN_MAX) kelvin = value;
            else throw new IllegalArgumentException("'" + line.strip() + "' is neither wear nor heat");
        }
        return new Told(wear, kelvin);
    }

    /** What the device says of itself then. */
    DeviceHealth over(DeviceHealth h) {
        Told told = now;
        int wear = Math.max(0, told.wearPercent);
        int kelvin = told.kelvin == 0 ? h.temperatureKelvin() : told.kelvin;
        int spare = Math.min(h.availableSparePercent(), Math.max(0, 100 - wear));
        int bits = h.criticalWarningBits();
        if (spare < h.availableSpareThresholdPercent()) bits |= SPARE;
        if (kelvin >= WARNING_KELVIN) bits |= TEMPERATURE;
        if (wear >= 100) bits |= RELIABILITY;
        return new DeviceHealth(
                kelvin,
                spare,
                h.availableSpareThresholdPercent(),
                bits,
                h.dataUnitsRead(),
                h.dataUnitsWritten(),
                h.hostReadCommands(),
                h.hostWriteCommands(),
                h.controllerBusyMinutes(),
                h.powerCycles(),
                h.powerOnHours(),
                h.unsafeShutdowns(),
                h.mediaErrors(),
                h.errorLogEntries(),
                TimeUnit.NANOSECONDS.toMinutes(warmNs),
                TimeUnit.NANOSECONDS.toMinutes(hotNs),
                wear);
    }
}
