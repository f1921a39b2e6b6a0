package io.daosmesh.storage.halt;

import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.DeviceSpec;
import java.nio.ByteBuffer;

/**
 * Stages {@code write} and {@code flush} of long values, {@code back} and {@code back-flush} of values that leave the log:
 * these come from threads of the storage.
 */
public final class HaltingBlocks extends ForwardingBlocks {
    private final Halter halter;

    public HaltingBlocks(BlockDriver real, Halter halter) {
        super(real);
        this.halter = halter;
    }

    @Override
    protected BlockDevice instead(DeviceSpec spec, BlockDevice device) {
        return new Halting(device, halter);
    }

    private static final class Halting extends Device {
        private final Halter halter;

        Halting(BlockDevice real, Halter halter) {
            super(real);
            this.halter = halter;
        }

        private static boolean isWritingBack() {
            return Thread.currentThread().getName().startsWith("storage-");
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
    }
}
