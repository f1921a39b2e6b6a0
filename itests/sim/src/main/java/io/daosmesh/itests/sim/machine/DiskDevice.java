package io.daosmesh.itests.sim.machine;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.storage.smd.DeviceHeader;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/**
 * The device of a disk as one process has it open: a request is done after a while, or not before the device stops hanging.
 * Owner: the timeline.
 */
final class DiskDevice implements BlockDevice {
    static final String CLASS = "sim";
    static final UUID ID = new UUID(7, 7);
    /** The header is in front of what the disk keeps. */
    static final int FRONT_BYTES = DeviceHeader.BLOCK_BYTES;

    private final Disk disk;
    private final Disk.Life life;
    private final DeviceSpec spec;

    private DiskDevice(Disk disk, Disk.Life life, DeviceSpec spec) {
        this.disk = disk;
        this.life = life;
        this.spec = spec;
    }

    /** Opens it for one process. */
    record Driver(Disk disk, Disk.Life life) implements BlockDriver {
        @Override
        public String name() {
            return CLASS;
        }

        @Override
        public String version() {
            return "1";
        }

        @Override
        public Set<String> deviceClasses() {
            return Set.of(CLASS);
        }

        @Override
        public List<DeviceInfo> scan(List<DeviceSpec> specs) {
            return List.of();
        }

        @Override
        public DeviceResult<BlockDevice> open(DeviceSpec spec, boolean create) {
            return DeviceResult.ok(new DiskDevice(disk, life, spec));
        }
    }

    @Override
    public DeviceInfo info() {
        return new DeviceInfo(CLASS, spec.address(), CLASS, "1", "1", sizeBytes(), blockBytes(), -1);
    }

    @Override
    public long sizeBytes() {
        return FRONT_BYTES + Disk.BLOB_BYTES;
    }

    @Override
    public int blockBytes() {
        return Disk.BLOCK;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
        if (offsetBytes < FRONT_BYTES) {
            dst.put(new DeviceHeader(ID, ID, CLASS, sizeBytes()).encode(spec.address()));
            completion.done(DeviceStatus.OK, "");
            return;
        }
        done(() -> disk.read((int) offsetBytes - FRONT_BYTES, dst), completion);
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, Completion completion) {
        Disk.Writing w = disk.begin((int) offsetBytes - FRONT_BYTES, src);
        done(() -> disk.end(w), completion);
    }

    @Override
    public void flush(Completion completion) {
        // what completed until now, not what completes meanwhile
        List<Integer> blocks = disk.unflushed();
        done(() -> disk.flushed(blocks), completion);
    }

    @Override
    public void unmap(long offsetBytes, long lengthBytes, Completion completion) {
        done(() -> {}, completion);
    }

    private void done(Runnable action, Completion completion) {
        disk.later(life, () -> {
            action.run();
            completion.done(DeviceStatus.OK, "");
        });
    }

    @Override
    public DeviceHealth health() {
        return new DeviceHealth(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Override
    public void close() {
        // with its process
    }
}
