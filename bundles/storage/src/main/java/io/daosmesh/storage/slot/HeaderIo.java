package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.storage.smd.DeviceHeader;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** Reads and writes a device's first block, waiting for it. Owner: the engine's owner loop. */
public final class HeaderIo {
    private static final long WAIT_S = 10;

    private HeaderIo() {}

    static DeviceHeader read(BlockDevice device) {
        return decode(device.info().address(), readBlock(device));
    }

    /** Empty for a device whose first block is zero. DF_INVAL when something else than a header is there. */
    public static Optional<DeviceHeader> find(BlockDevice device) {
        byte[] bytes = readBlock(device);
        if (Arrays.equals(bytes, new byte[DeviceHeader.BLOCK_BYTES])) return Optional.empty();
        return Optional.of(decode(device.info().address(), bytes));
    }

    private static byte[] readBlock(BlockDevice device) {
        ByteBuffer block = block();
        await(device.info().address(), done -> device.read(0, block.duplicate(), done));
        byte[] bytes = new byte[DeviceHeader.BLOCK_BYTES];
        block.get(bytes);
        return bytes;
    }

    private static DeviceHeader decode(String address, byte[] bytes) {
        try {
            return DeviceHeader.decode(address, bytes);
        } catch (BufferUnderflowException e) {
            throw Fault.of(FaultCode.DF_INVAL, "device header of %s is damaged", address)
                    .asException();
        }
    }

    public static void write(BlockDevice device, DeviceHeader header) {
        String address = device.info().address();
        ByteBuffer block = block().put(header.encode(address)).flip();
        await(address, done -> device.write(0, block.duplicate(), done));
        await(address, device::flush);
    }

    private static ByteBuffer block() {
        return ByteBuffer.allocateDirect(2 * DeviceHeader.BLOCK_BYTES)
                .alignedSlice(DeviceHeader.BLOCK_BYTES)
                .slice(0, DeviceHeader.BLOCK_BYTES);
    }

    private static void await(String address, Consumer<BlockDevice.Completion> request) {
        CountDownLatch answered = new CountDownLatch(1);
        AtomicReference<String> failure = new AtomicReference<>("no answer in " + WAIT_S + " s");
        request.accept((status, detail) -> {
            failure.set(status == DeviceStatus.OK ? "" : status + " " + detail);
            answered.countDown();
        });
        try {
            boolean isAnswered = answered.await(WAIT_S, TimeUnit.SECONDS);
            String why = String.valueOf(failure.get());
            if (!isAnswered || !why.isEmpty())
                throw Fault.of(FaultCode.NVME_IO, "device header of %s: %s", address, why)
                        .asException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "interrupted at the device header of %s", address)
                    .asException();
        }
    }
}
