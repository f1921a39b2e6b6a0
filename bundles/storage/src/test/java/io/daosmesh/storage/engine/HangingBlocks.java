package io.daosmesh.storage.engine;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** A driver one of whose devices answers no write and no flush until it is let go. Any thread. */
final class HangingBlocks implements BlockDriver {
    private final BlockDriver real;
    private final String address;
    private final List<Runnable> hanging = new ArrayList<>();
    private boolean isHanging;

    /** @param address end of the address of the device */
    HangingBlocks(BlockDriver real, String address) {
        this.real = real;
        this.address = address;
    }

    synchronized void hang() {
        isHanging = true;
    }

    void letGo() {
        List<Runnable> all;
        synchronized (this) {
            isHanging = false;
            all = List.copyOf(hanging);
            hanging.clear();
        }
        all.forEach(Runnable::run);
    }

    private void submit(Runnable request) {
        synchronized (this) {
            if (isHanging) {
                hanging.add(request);
                return;
            }
        }
        request.run();
    }

    @Override
    public String name() {
        return real.name();
    }

    @Override
    public String version() {
        return real.version();
    }

    @Override
    public Set<String> deviceClasses() {
        return real.deviceClasses();
    }

    @Override
    public List<DeviceInfo> scan(List<DeviceSpec> specs) {
        return real.scan(specs);
    }

    @Override
    public DeviceResult<BlockDevice> open(DeviceSpec spec, boolean create) {
        DeviceResult<BlockDevice> opened = real.open(spec, create);
        return opened.isOk() && spec.address().endsWith(address) ? DeviceResult.ok(new Device(opened.get())) : opened;
    }

    private final class Device implements BlockDevice {
        private final BlockDevice device;

        Device(BlockDevice device) {
            this.device = device;
        }

        @Override
        public DeviceInfo info() {
            return device.info();
        }

        @Override
        public long sizeBytes() {
            return device.sizeBytes();
        }

        @Override
        public int blockBytes() {
            return device.blockBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
            device.read(offsetBytes, dst, completion);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src, Completion completion) {
            submit(() -> device.write(offsetBytes, src, completion));
        }

        @Override
        public void flush(Completion completion) {
            submit(() -> device.flush(completion));
        }

        @Override
        public void unmap(long offsetBytes, long lengthBytes, Completion completion) {
            device.unmap(offsetBytes, lengthBytes, completion);
        }

        @Override
        public DeviceHealth health() {
            return device.health();
        }

        @Override
        public void close() {
            device.close();
        }
    }
}
