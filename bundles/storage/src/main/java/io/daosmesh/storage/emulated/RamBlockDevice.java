package io.daosmesh.storage.emulated;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceStatus;
import java.nio.ByteBuffer;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/** A memory device with the manners of a real one: own thread, bounded queue, same refusals. Any thread. */
public final class RamBlockDevice implements BlockDevice {
    static final int BLOCK_BYTES = 4096;
    private static final int QUEUE_DEPTH = 256;

    /** Outlive a close. */
    static final class Counters {
        final AtomicLong reads = new AtomicLong();
        final AtomicLong writes = new AtomicLong();
        final AtomicLong bytesRead = new AtomicLong();
        final AtomicLong bytesWritten = new AtomicLong();
        final AtomicLong opens = new AtomicLong();
    }

    private final RamBlockDriver.Medium medium;
    private final Consumer<RamBlockDevice> onClosed;
    private final ThreadPoolExecutor thread;
    private final AtomicBoolean isClosing = new AtomicBoolean();

    RamBlockDevice(RamBlockDriver.Medium medium, Consumer<RamBlockDevice> onClosed) {
        this.medium = medium;
        this.onClosed = onClosed;
        medium.counters.opens.incrementAndGet();
        thread = new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUE_DEPTH), task -> {
            Thread t = new Thread(task, "ram-" + medium.info.address());
            t.setDaemon(true);
            return t;
        });
    }

    RamBlockDriver.Medium medium() {
        return medium;
    }

    @Override
    public DeviceInfo info() {
        return medium.info;
    }

    @Override
    public long sizeBytes() {
        return medium.info.sizeBytes();
    }

    @Override
    public int blockBytes() {
        return BLOCK_BYTES;
    }

    @Override
    public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
        boolean isGood = isInside(offsetBytes, dst.remaining()) && isAligned(dst) && !dst.isReadOnly();
        submit(isGood, completion, () -> {
            medium.counters.reads.incrementAndGet();
            medium.counters.bytesRead.addAndGet(dst.remaining());
            for (long block = offsetBytes / BLOCK_BYTES; dst.hasRemaining(); block++)
                dst.put(medium.blocks.getOrDefault(block, new byte[BLOCK_BYTES]));
        });
    }

    @Override
    public void write(long offsetBytes, ByteBuffer src, Completion completion) {
        boolean isGood = isInside(offsetBytes, src.remaining()) && isAligned(src);
        submit(isGood, completion, () -> {
            medium.counters.writes.incrementAndGet();
            medium.counters.bytesWritten.addAndGet(src.remaining());
            for (long block = offsetBytes / BLOCK_BYTES; src.hasRemaining(); block++) {
                byte[] bytes = new byte[BLOCK_BYTES];
                src.get(bytes);
                medium.blocks.put(block, bytes);
            }
        });
    }

    @Override
    public void flush(Completion completion) {
        submit(true, completion, () -> {});
    }

    @Override
    public void unmap(long offsetBytes, long lengthBytes, Completion completion) {
        submit(isInside(offsetBytes, lengthBytes), completion, () -> {
            long first = offsetBytes / BLOCK_BYTES;
            for (long b = first; b < first + lengthBytes / BLOCK_BYTES; b++) medium.blocks.remove(b);
        });
    }

    private boolean isInside(long offsetBytes, long lengthBytes) {
        return offsetBytes >= 0
                && lengthBytes > 0
                && offsetBytes % BLOCK_BYTES == 0
                && lengthBytes % BLOCK_BYTES == 0
                && offsetBytes <= sizeBytes() - lengthBytes;
    }

    private static boolean isAligned(ByteBuffer buffer) {
        return buffer.isDirect() && buffer.alignmentOffset(buffer.position(), BLOCK_BYTES) == 0;
    }

    private void submit(boolean isGood, Completion completion, Runnable work) {
        if (isClosing.get()) completion.done(DeviceStatus.GONE, medium.info.address() + " is closed");
        else if (!isGood) completion.done(DeviceStatus.INVALID, "offset, length or buffer break the geometry");
        else {
            try {
                thread.execute(() -> {
                    work.run();
                    completion.done(DeviceStatus.OK, "");
                });
            } catch (RejectedExecutionException e) {
                boolean isGone = thread.isShutdown();
                completion.done(isGone ? DeviceStatus.GONE : DeviceStatus.BUSY, medium.info.address() + ": queue");
            }
        }
    }

    @Override
    public DeviceHealth health() {
        Counters c = medium.counters;
        long unit = 512_000;
        return new DeviceHealth(
                0,
                100,
                0,
                0,
                (c.bytesRead.get() + unit - 1) / unit,
                (c.bytesWritten.get() + unit - 1) / unit,
                c.reads.get(),
                c.writes.get(),
                0,
                c.opens.get(),
                0,
                0,
                0,
                0,
                0,
                0);
    }

    /** Memory answers at once: everything queued is done, nothing has to be given up. */
    @Override
    public void close() {
        if (!isClosing.compareAndSet(false, true)) return;
        thread.shutdown();
        try {
            thread.awaitTermination(3, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        onClosed.accept(this);
    }
}
