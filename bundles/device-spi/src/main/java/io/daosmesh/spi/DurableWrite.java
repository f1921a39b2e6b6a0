package io.daosmesh.spi;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** {@link BlockDevice#writeDurably} for drivers without one of their own: all writes side by side, then a flush. Any thread. */
final class DurableWrite {
    private record Outcome(DeviceStatus status, String detail) {}

    private DurableWrite() {}

    static void start(BlockDevice device, List<BlockDevice.Write> writes, BlockDevice.Completion completion) {
        AtomicInteger left = new AtomicInteger(writes.size());
        AtomicReference<@Nullable Outcome> failed = new AtomicReference<>();
        for (BlockDevice.Write write : writes) {
            device.write(write.offsetBytes(), write.src(), (status, detail) -> {
                if (status != DeviceStatus.OK) failed.compareAndSet(null, new Outcome(status, detail));
                if (left.decrementAndGet() > 0) return;
                Outcome first = failed.get();
                if (first == null) device.flush(completion);
                else completion.done(first.status, first.detail);
            });
        }
    }
}
