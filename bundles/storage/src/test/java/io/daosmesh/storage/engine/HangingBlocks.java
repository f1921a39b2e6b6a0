package io.daosmesh.storage.engine;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.storage.halt.ForwardingBlocks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A driver one of whose devices answers nothing, or takes nothing, until it is let go or closed. Any thread. */
final class HangingBlocks extends ForwardingBlocks {
    private record Held(BlockDevice.Completion completion, Consumer<BlockDevice.Completion> request) {}

    private final String address;
    private final List<Held> hanging = new ArrayList<>();
    private boolean isHanging;
    private boolean hangsNext;
    private boolean isBusy;
    private int refusedCount;

    /** @param address end of the address of the device */
    HangingBlocks(BlockDriver real, String address) {
        super(real);
        this.address = address;
    }

    synchronized void hang() {
        isHanging = true;
    }

    /** The next request only: those behind it overtake it. */
    synchronized void hangNext() {
        hangsNext = true;
    }

    /** Its queue is full from now on. */
    synchronized void beBusy() {
        isBusy = true;
    }

    synchronized int refusedCount() {
        return refusedCount;
    }

    synchronized int hangingCount() {
        return hanging.size();
    }

    void letGo() {
        synchronized (this) {
            isHanging = false;
            isBusy = false;
        }
        takeAll().forEach(h -> h.request.accept(h.completion));
    }

    private synchronized List<Held> takeAll() {
        List<Held> all = List.copyOf(hanging);
        hanging.clear();
        return all;
    }

    private void submit(BlockDevice.Completion completion, Consumer<BlockDevice.Completion> request) {
        boolean isRefused;
        synchronized (this) {
            if (isHanging || hangsNext) {
                hangsNext = false;
                hanging.add(new Held(completion, request));
                return;
            }
            isRefused = isBusy;
            if (isRefused) refusedCount++;
        }
        if (isRefused) completion.done(DeviceStatus.BUSY, "full");
        else request.accept(completion);
    }

    @Override
    protected BlockDevice instead(DeviceSpec spec, BlockDevice device) {
        return spec.address().endsWith(address) ? new Hanging(device) : device;
    }

    private final class Hanging extends Device {
        Hanging(BlockDevice real) {
            super(real);
        }

        @Override
        public void read(long offsetBytes, ByteBuffer dst, Completion completion) {
            submit(completion, c -> real.read(offsetBytes, dst, c));
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src, Completion completion) {
            submit(completion, c -> real.write(offsetBytes, src, c));
        }

        @Override
        public void flush(Completion completion) {
            submit(completion, real::flush);
        }

        @Override
        public void close() {
            super.close();
            takeAll().forEach(h -> h.completion.done(DeviceStatus.GONE, "closed"));
        }
    }
}
