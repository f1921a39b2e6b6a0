package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BlobCompletion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Writes held values to their devices in long ordered writes. Owner: one thread, which may block. */
public final class WriteBack {
    private static final int BUFFER_BYTES = 256 << 10;
    private static final int ALIGN_BYTES = 4096;
    /** Longer than any write of a device that works. */
    private static final long ANSWER_MAX_MS = 10_000;

    private ByteBuffer buffer = buffer();

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(BUFFER_BYTES + ALIGN_BYTES)
                .alignedSlice(ALIGN_BYTES)
                .slice(0, BUFFER_BYTES);
    }

    private static final long LOOK_MS = 50;

    /**
     * What a blob held at the call is on its device, durably, and held no more; else why not.
     *
     * @param isUrgent others want to be written back, who do not wait for a slow device
     */
    public @Nullable Fault write(DeviceBlob blob, BooleanSupplier isUrgent) {
        BooleanSupplier mayWait = () -> !blob.isSlow() || !isUrgent.getAsBoolean();
        HeldValues held = blob.held();
        List<HeldValues.Run> runs = new ArrayList<>();
        long from = 0;
        for (; ; ) {
            ByteBuffer into = buffer;
            HeldValues.Run run = held.gather(from, into);
            if (run == null) break;
            Fault fault = await(answer -> blob.writeBack(run, into, answer), mayWait);
            if (fault != null) return fault;
            runs.add(run);
            from = run.endBytes();
        }
        boolean isHeldUp = held.isHeldUp();
        // until then a device that is pulled out may lose it
        Fault fault = runs.isEmpty() ? null : await(blob::flushNow, mayWait);
        if (fault == null) runs.forEach(HeldValues.Run::remove);
        if (fault == null && isHeldUp)
            return Fault.of(FaultCode.BUSY, "earlier bytes of values are still on their way to the device");
        return fault;
    }

    private @Nullable Fault await(Consumer<BlobCompletion> request, BooleanSupplier mayWait) {
        CompletableFuture<Optional<Fault>> answer = new CompletableFuture<>();
        request.accept(fault -> answer.complete(Optional.ofNullable(fault)));
        try {
            for (long waitedMs = 0; !answer.isDone() && waitedMs < ANSWER_MAX_MS && mayWait.getAsBoolean(); ) {
                try {
                    answer.get(LOOK_MS, TimeUnit.MILLISECONDS);
                } catch (TimeoutException e) {
                    waitedMs += LOOK_MS;
                }
            }
            if (answer.isDone()) {
                Fault fault = answer.get().orElse(null);
                if (Blob.keepsBuffer(fault)) buffer = buffer();
                return fault;
            }
            // the device has it for good
            buffer = buffer();
            return Fault.of(FaultCode.TIMEDOUT, "a device does not answer");
        } catch (InterruptedException e) {
            buffer = buffer();
            Thread.currentThread().interrupt();
            return Fault.of(FaultCode.CANCELED, "interrupted while a device was written");
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }
}
