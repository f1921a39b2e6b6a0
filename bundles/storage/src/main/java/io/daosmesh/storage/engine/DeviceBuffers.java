package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.BufferPool;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What one device may have of the buffers of its engine: requests that wait for a slow one leave the rest to the others. Any
 * thread.
 */
final class DeviceBuffers implements BufferPool {
    private final BufferPool all;
    private final String device;
    private final long shareBytes;
    private final AtomicLong usedBytes = new AtomicLong();

    private DeviceBuffers(BufferPool all, String device, long shareBytes) {
        this.all = all;
        this.device = device;
        this.shareBytes = shareBytes;
    }

    /** Three quarters: of two devices each has more than half while the other one needs less. */
    static BufferPool of(BufferPool all, String device, int deviceCount) {
        return deviceCount < 2 ? all : new DeviceBuffers(all, device, all.totalBytes() / 4 * 3);
    }

    @Override
    public Buffer take(int lengthBytes) {
        Buffer buffer = all.take(lengthBytes);
        long bytes = buffer.bytes().capacity();
        if (usedBytes.addAndGet(bytes) <= shareBytes) return new Taken(buffer);
        usedBytes.addAndGet(-bytes);
        buffer.close();
        throw Fault.of(FaultCode.BUSY, "requests of device %s use %d bytes of I/O buffers", device, shareBytes)
                .asException();
    }

    @Override
    public long usedBytes() {
        return usedBytes.get();
    }

    @Override
    public long totalBytes() {
        return shareBytes;
    }

    private final class Taken implements Buffer {
        private final Buffer buffer;

        Taken(Buffer buffer) {
            this.buffer = buffer;
        }

        @Override
        public ByteBuffer bytes() {
            return buffer.bytes();
        }

        @Override
        public void close() {
            long bytes = bytes().capacity();
            buffer.close();
            usedBytes.addAndGet(-bytes);
        }

        @Override
        public void abandon() {
            long bytes = bytes().capacity();
            buffer.abandon();
            usedBytes.addAndGet(-bytes);
        }
    }
}
