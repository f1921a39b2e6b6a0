package io.daosmesh.storage.halt;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.DeviceSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;

/** A driver that is another one in all but what its devices do in their own way. Threads as the other driver. */
public abstract class ForwardingBlocks implements BlockDriver {
    private final BlockDriver real;

    protected ForwardingBlocks(BlockDriver real) {
        this.real = real;
    }

    /** What is used in place of a device of the other driver. */
    protected abstract BlockDevice instead(DeviceSpec spec, BlockDevice device);

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
        return opened.isOk() ? DeviceResult.ok(instead(spec, opened.get())) : opened;
    }

    /** A device that is another one but for what a subclass does. */
    protected abstract static class Device implements BlockDevice {
        protected final BlockDevice real;

        protected Device(BlockDevice real) {
            this.real = real;
        }

        @Override
        public DeviceInfo info() {
            return real.info();
        }

        @Override
        public long sizeBytes() {
            return real.sizeBytes();
        }

        @Override
        public int blockBytes() {
            return real.blockBytes();
        }

        @Override
        public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
            real.read(offsetBytes, dst, completion);
        }

        @Override
        public void unmap(long offsetBytes, long lengthBytes, Completion completion) {
            real.unmap(offsetBytes, lengthBytes, completion);
        }

        @Override
        public DeviceHealth health() {
            return real.health();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}
