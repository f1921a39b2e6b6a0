package io.daosmesh.storage.slot;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A device as one driver has it open, with the number of requests under way on it. Any thread. */
public final class Lease {
    private static final long CLOSED = Long.MIN_VALUE;

    public final BlockDriver driver;
    public final BlockDevice device;
    private final DeviceSpec spec;
    /** The driver finds it among those that are there; some do not list what they serve. Owner loop. */
    private boolean isListed;

    private final AtomicLong state = new AtomicLong();
    private final CountDownLatch drained = new CountDownLatch(1);

    Lease(BlockDriver driver, BlockDevice device, DeviceSpec spec) {
        this.driver = driver;
        this.device = device;
        this.spec = spec;
        isThere();
    }

    /** False when the driver has found it before and does not any more. Owner loop. */
    boolean isThere() {
        boolean wasListed = isListed;
        isListed = !driver.scan(List.of(spec)).isEmpty();
        return isListed || !wasListed;
    }

    boolean tryAcquire() {
        for (; ; ) {
            long s = state.get();
            if ((s & CLOSED) != 0) return false;
            if (state.compareAndSet(s, s + 1)) return true;
        }
    }

    void release() {
        if (state.decrementAndGet() == CLOSED) drained.countDown();
    }

    /** No new request from here on. */
    void close() {
        if (state.updateAndGet(s -> s | CLOSED) == CLOSED) drained.countDown();
    }

    /** Waits for the last request, then closes the device; what is still under way then is answered GONE. */
    void finish(long deadlineNs) {
        try {
            drained.await(Math.max(0, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        device.close();
    }

    /** Others do not wait for a device that does not answer. */
    void finishAside(String address) {
        Thread thread = new Thread(() -> finish(System.nanoTime()), "storage-release-" + address);
        thread.setDaemon(true);
        thread.start();
    }
}
