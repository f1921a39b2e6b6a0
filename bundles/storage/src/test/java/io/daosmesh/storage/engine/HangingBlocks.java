package io.daosmesh.storage.engine;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.halt.ForwardingBlocks;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** A driver one of whose devices answers no write and no flush until it is let go. Any thread. */
final class HangingBlocks extends ForwardingBlocks {
    private final String address;
    private final List<Runnable> hanging = new ArrayList<>();
    private boolean isHanging;

    /** @param address end of the address of the device */
    HangingBlocks(BlockDriver real, String address) {
        super(real);
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
    protected BlockDevice instead(DeviceSpec spec, BlockDevice device) {
        return spec.address().endsWith(address) ? new Hanging(device) : device;
    }

    private final class Hanging extends Device {
        Hanging(BlockDevice real) {
            super(real);
        }

        @Override
        public void write(long offsetBytes, ByteBuffer src, Completion completion) {
            submit(() -> real.write(offsetBytes, src, completion));
        }

        @Override
        public void flush(Completion completion) {
            submit(() -> real.flush(completion));
        }
    }
}
