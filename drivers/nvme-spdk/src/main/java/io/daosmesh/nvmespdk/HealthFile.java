package io.daosmesh.nvmespdk;

import io.daosmesh.spi.BackingFileSystem;
import io.daosmesh.spi.DeviceHealth;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What an SSD keeps about itself, for a device that is a file: counters in a small file beside it. Counting: any thread;
 * load and save: the opener, then the device's own threads one at a time.
 *
 * <p>Layout, little endian: magic u64, version u32, CRC32C of the rest u32, then 10 x i64. A damaged file costs the
 * counters, never the data.
 */
final class HealthFile {
    private static final Logger log = LoggerFactory.getLogger(HealthFile.class);
    private static final long MAGIC = 0x31484c4144534f41L;
    private static final int VERSION = 1;
    private static final int HEADER_BYTES = 16;
    private static final int FIELD_COUNT = 10;
    /** NVMe base specification 5.14.1.2: data units are thousands of 512 bytes, rounded up. */
    private static final long DATA_UNIT_BYTES = 512_000;

    private final Path file;
    private final Path deviceFile;
    private final LongAdder bytesRead = new LongAdder();
    private final LongAdder bytesWritten = new LongAdder();
    private final LongAdder reads = new LongAdder();
    private final LongAdder writes = new LongAdder();
    private final AtomicLong busyNs = new AtomicLong();
    private final LongAdder mediaErrors = new LongAdder();
    private long powerCycles;
    private long unsafeShutdowns;
    private long powerOnSecondsBefore;
    private long sizeBytes;
    private boolean isOpen;
    private long openedAtNs = System.nanoTime();

    private HealthFile(Path file, Path deviceFile) {
        this.file = file;
        this.deviceFile = deviceFile;
    }

    static HealthFile of(Path deviceFile) {
        return new HealthFile(deviceFile.resolveSibling(deviceFile.getFileName() + ".health"), deviceFile);
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }

    synchronized void load() {
        try {
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            if (in.remaining() != HEADER_BYTES + FIELD_COUNT * 8
                    || in.getLong() != MAGIC
                    || in.getInt() != VERSION
                    || in.getInt() != checksum(in)) {
                log.warn("health counters of {} are damaged and start again from zero", deviceFile);
                return;
            }
            bytesRead.add(in.getLong());
            bytesWritten.add(in.getLong());
            reads.add(in.getLong());
            writes.add(in.getLong());
            busyNs.set(in.getLong());
            mediaErrors.add(in.getLong());
            powerCycles = in.getLong();
            unsafeShutdowns = in.getLong();
            powerOnSecondsBefore = in.getLong();
            long size = in.getLong();
            sizeBytes = Math.abs(size);
            // a negative size marks "open": whoever wrote it has not closed the device
            if (size < 0) unsafeShutdowns++;
        } catch (NoSuchFileException e) {
            // a new device
        } catch (IOException e) {
            log.warn("health counters of {} cannot be read: {}", deviceFile, e.getMessage());
        }
    }

    private static int checksum(ByteBuffer fields) {
        CRC32C crc = new CRC32C();
        crc.update(fields.duplicate());
        return (int) crc.getValue();
    }

    /** Size of the device when it was last open, 0 if never. */
    synchronized long sizeBytes() {
        return sizeBytes;
    }

    synchronized void onOpened(long deviceBytes) {
        sizeBytes = deviceBytes;
        powerCycles++;
        isOpen = true;
        openedAtNs = System.nanoTime();
        save();
    }

    synchronized void onClosed() {
        save();
        isOpen = false;
        powerOnSecondsBefore += secondsOpen();
        save();
    }

    void onRead(long bytes, long ns) {
        reads.increment();
        bytesRead.add(bytes);
        busyNs.addAndGet(ns);
    }

    void onWritten(long bytes, long ns) {
        writes.increment();
        bytesWritten.add(bytes);
        busyNs.addAndGet(ns);
    }

    void onMediaError() {
        mediaErrors.increment();
    }

    private long secondsOpen() {
        return (System.nanoTime() - openedAtNs) / 1_000_000_000L;
    }

    synchronized void save() {
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + FIELD_COUNT * 8).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(MAGIC).putInt(VERSION).putInt(0);
        out.putLong(bytesRead.sum()).putLong(bytesWritten.sum());
        out.putLong(reads.sum()).putLong(writes.sum());
        out.putLong(busyNs.get()).putLong(mediaErrors.sum());
        out.putLong(powerCycles).putLong(unsafeShutdowns);
        out.putLong(powerOnSecondsBefore).putLong(isOpen ? -sizeBytes : sizeBytes);
        out.putInt(12, checksum(out.duplicate().flip().position(HEADER_BYTES)));
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.write(next, out.array());
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            log.warn("health counters of {} cannot be written: {}", deviceFile, e.getMessage());
        }
    }

    /** The counters now. The spare of a sparse file is the room its file system has left for it. */
    synchronized DeviceHealth health() {
        int sparePercent = sparePercent();
        int thresholdPercent = 2;
        return new DeviceHealth(
                0,
                sparePercent,
                thresholdPercent,
                sparePercent < thresholdPercent ? 1 : 0,
                units(bytesRead.sum()),
                units(bytesWritten.sum()),
                reads.sum(),
                writes.sum(),
                busyNs.get() / 60_000_000_000L,
                powerCycles,
                (powerOnSecondsBefore + (isOpen ? secondsOpen() : 0)) / 3600,
                unsafeShutdowns,
                mediaErrors.sum(),
                mediaErrors.sum(),
                0,
                0);
    }

    private static long units(long bytes) {
        return (bytes + DATA_UNIT_BYTES - 1) / DATA_UNIT_BYTES;
    }

    private int sparePercent() {
        try {
            var store = BackingFileSystem.of(deviceFile);
            return (int) Math.min(100, store.usableBytes() * 100 / Math.max(1, sizeBytes));
        } catch (IOException e) {
            return 0;
        }
    }
}
