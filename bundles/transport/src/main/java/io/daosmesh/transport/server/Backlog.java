package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers of one connection that its peer has not taken yet. Owner: the connection's event loop; what is owed and freed from any
 * thread. While there are too many nothing more is read from the peer; one that takes nothing for a while is cut off.
 */
final class Backlog extends ChannelDuplexHandler {
    /** More than the largest answer. */
    static final long OWED_MAX = 16 << 20;

    static final long STUCK_MS = 20_000;

    private final Consumer<Fault> cutOff;
    /** Bulk bytes, exact: a buffer tells when it is freed. */
    private final AtomicLong owedData = new AtomicLong();
    /** The rest, at least: an answer that is dropped on its way is forgotten with the next ones. */
    private final AtomicLong owedHeaders = new AtomicLong();

    private final AtomicLong taken = new AtomicLong();
    private volatile boolean isPaused;
    private volatile @Nullable ChannelHandlerContext context;
    private boolean isReadWanted;

    /** @param cutOff ends the connection */
    Backlog(Consumer<Fault> cutOff) {
        this.cutOff = cutOff;
    }

    /** An answer with so many bytes of headers is on its way. */
    void oweHeader(int bytes) {
        owedHeaders.addAndGet(bytes);
        checkFull();
    }

    /** So many bulk bytes are; {@link #freed} takes them back. */
    void oweData(int bytes) {
        owedData.addAndGet(bytes);
        checkFull();
    }

    void freed(int dataBytes) {
        owedData.addAndGet(-dataBytes);
        taken.addAndGet(dataBytes);
        checkEmpty();
    }

    long owed() {
        return owedData.get() + owedHeaders.get();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void read(ChannelHandlerContext ctx) {
        if (isPaused) isReadWanted = true;
        else ctx.read();
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
        int bytes = msg instanceof ByteBuf b ? b.readableBytes() : 0;
        ctx.write(msg, promise);
        taken.addAndGet(bytes);
        owedHeaders.updateAndGet(o -> Math.max(0, o - bytes));
        checkEmpty();
    }

    private void checkFull() {
        ChannelHandlerContext ctx = context;
        if (ctx != null && !isPaused && owed() > OWED_MAX) ctx.executor().execute(() -> pause(ctx));
    }

    private void checkEmpty() {
        ChannelHandlerContext ctx = context;
        if (ctx != null && isPaused && owed() <= OWED_MAX / 2) ctx.executor().execute(() -> goOn(ctx));
    }

    private void pause(ChannelHandlerContext ctx) {
        if (isPaused || owed() <= OWED_MAX) return;
        isPaused = true;
        watch(ctx, taken.get());
        checkEmpty();
    }

    private void goOn(ChannelHandlerContext ctx) {
        if (!isPaused || owed() > OWED_MAX / 2) return;
        isPaused = false;
        if (isReadWanted) {
            isReadWanted = false;
            ctx.read();
        }
    }

    private void watch(ChannelHandlerContext ctx, long takenBefore) {
        Runnable look = () -> {
            if (!isPaused || !ctx.channel().isActive()) return;
            if (taken.get() > takenBefore) watch(ctx, taken.get());
            else cutOff.accept(Fault.of(FaultCode.BUSY, "%d bytes of answers are not taken", owed()));
        };
        ctx.executor().schedule(look, STUCK_MS, TimeUnit.MILLISECONDS);
    }
}
