package io.daosmesh.transport.wire;

import io.daosmesh.model.rpc.RpcMessage;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One sending of a message: sees to it that {@code onSent} runs exactly once, either when netty drops the last reference
 * to the bulk bytes or, if they never got that far, at {@link #finish}. Any thread.
 */
public final class Outgoing {
    private static final int NEW = 0;
    private static final int HANDED_OVER = 1;
    private static final int FINISHED = 2;

    private final RpcMessage message;
    private final AtomicInteger state = new AtomicInteger(NEW);
    private volatile Runnable also = () -> {};

    public Outgoing(RpcMessage message) {
        this.message = message;
    }

    public RpcMessage message() {
        return message;
    }

    public int dataBytes() {
        return message.data().remaining();
    }

    /** Runs together with {@code onSent}; to be given before anything else happens. */
    public void also(Runnable onSent) {
        also = onSent;
    }

    private void sent() {
        message.onSent().run();
        also.run();
    }

    /** The bulk bytes, not copied; from here on the buffer's last release runs {@code onSent}. Once only. */
    public ByteBuf takeData() {
        if (!state.compareAndSet(NEW, HANDED_OVER)) throw new IllegalStateException("message was sent or given up");
        return new Watched(Unpooled.wrappedBuffer(message.data()), this::sent);
    }

    /** The sending is over; gives the buffer back if it was never handed over. May be called more than once. */
    public void finish() {
        if (state.compareAndSet(NEW, FINISHED)) sent();
    }

    /** A composite of one component: works for heap, direct and read-only buffers alike, and tells when it is freed. */
    private static final class Watched extends CompositeByteBuf {
        private final Runnable onFreed;

        Watched(ByteBuf data, Runnable onFreed) {
            super(ByteBufAllocator.DEFAULT, data.isDirect(), 1);
            this.onFreed = onFreed;
            addComponent(true, data);
        }

        @Override
        protected void deallocate() {
            super.deallocate();
            onFreed.run();
        }
    }
}
