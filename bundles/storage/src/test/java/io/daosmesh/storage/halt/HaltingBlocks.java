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

/**
 * Stages {@code write} and {@code flush} of long values, {@code back} and {@code back-flush} of values that leave the log:
 * these come from threads of the storage.
 */
public record HaltingBlocks(BlockDriver real, Halter halter) implements BlockDriver {
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
        return opened.isOk() ? DeviceResult.ok(new Device(opened.get(), halter)) : opened;
    }

    private record Device(BlockDevice real, Halter halter) implements BlockDevice {
        private static boolean isWritingBack() {
            return Thread.currentThread().getName().startsWith("storage-");
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
        public void write(long offsetBytes, ByteBuffer src, Completion completion) {
            if (!halter.isHere(isWritingBack() ? "back" : "write")) {
                real.write(offsetBytes, src, completion);
                return;
            }
            if (halter.when() == Halter.When.BEFORE) Halter.halt();
            int blocks = src.remaining() / blockBytes();
            int written = halter.when() == Halter.When.HALF ? blocks / 2 : blocks;
            ByteBuffer part = src.duplicate().limit(src.position() + written * blockBytes());
            if (written == 0) Halter.halt();
            real.write(offsetBytes, part, (status, detail) -> Halter.halt());
        }

        @Override
        public void flush(Completion completion) {
            if (!halter.isHere(isWritingBack() ? "back-flush" : "flush")) {
                real.flush(completion);
                return;
            }
            if (halter.when() == Halter.When.BEFORE) Halter.halt();
            real.flush((status, detail) -> Halter.halt());
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
