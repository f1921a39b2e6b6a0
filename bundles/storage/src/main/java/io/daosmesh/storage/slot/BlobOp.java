package io.daosmesh.storage.slot;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.spi.BlockDevice;
import io.daosmesh.storage.BlobCompletion;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** One request to a device, until it has been answered. Owner: whoever holds it; hand-over through queues. */
public final class BlobOp {
    public enum Kind {
        READ,
        WRITE,
        FLUSH,
        UNMAP
    }

    private static final ByteBuffer NONE = ByteBuffer.allocate(0);
    private static final Range NOWHERE = new Range(0, 0);

    private record Range(long offsetBytes, long lengthBytes) {}

    final Kind kind;
    /** Who asks; of a flush or unmap nobody wants to know. */
    final int target;

    final long lengthBytes;
    final long startNs = System.nanoTime();
    private final long offsetBytes;
    private final ByteBuffer buffer;
    private final BlobCompletion completion;
    private boolean mayWait = true;
    /** When the device was given it last, see {@link Unanswered}. */
    long issuedNs;
    /** Among those that the device was given at the same time. */
    long issuedOrder;
    /** How often a device has answered GONE. */
    int goneCount;

    private BlobOp(Kind kind, int target, Range range, ByteBuffer buffer, BlobCompletion completion) {
        this.kind = kind;
        this.target = target;
        this.offsetBytes = range.offsetBytes;
        this.lengthBytes = range.lengthBytes;
        this.buffer = buffer;
        this.completion = completion;
    }

    static BlobOp transfer(Kind kind, int target, long offsetBytes, ByteBuffer buffer, BlobCompletion completion) {
        return new BlobOp(kind, target, new Range(offsetBytes, buffer.remaining()), buffer, completion);
    }

    static BlobOp flush(BlobCompletion completion) {
        return new BlobOp(Kind.FLUSH, -1, NOWHERE, NONE, completion);
    }

    static BlobOp unmap(long offsetBytes, long lengthBytes, BlobCompletion completion) {
        return new BlobOp(Kind.UNMAP, -1, new Range(offsetBytes, lengthBytes), NONE, completion);
    }

    /** A copy of the buffer's marks goes to the device: the request can be done again from the start. */
    void issue(BlockDevice device, BlockDevice.Completion answer) {
        switch (kind) {
            case READ -> device.read(offsetBytes, buffer.duplicate(), answer);
            case WRITE -> device.write(offsetBytes, buffer.duplicate(), answer);
            case FLUSH -> device.flush(answer);
            case UNMAP -> device.unmap(offsetBytes, lengthBytes, answer);
        }
    }

    /** Neither waits for a driver nor is done once more: whoever asks has other work, and asks again. */
    BlobOp atOnce() {
        mayWait = false;
        return this;
    }

    boolean mayWait() {
        return mayWait;
    }

    void finish(@Nullable Fault fault) {
        completion.done(fault);
    }

    @Override
    public String toString() {
        return kind + " " + offsetBytes + "+" + lengthBytes;
    }
}
