package io.daosmesh.engine.turn;

import io.daosmesh.engine.turn.StagedOp.Way;
import io.daosmesh.storage.kv.KvBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Group commit: all operations staged while one commit is under way share the next one, which is one flush of the device
 * (if it was written) and one synced index batch. At most one commit is under way, one turn collects. Where a device is slow
 * long values go with the batch, as short ones do. Owner: target loop.
 */
public final class TurnPipeline {
    /** Makes a batch durable off the loop. */
    public interface TurnIo {
        /**
         * @param isDurable false: the batch need not be synced
         * @param done on any thread; after a fault the batch is not written
         */
        void commit(KvBatch batch, boolean isDurable, Done done);
    }

    /** Puts work on the loop from any thread; never refuses. */
    @FunctionalInterface
    public interface Loop {
        void execute(Runnable work);
    }

    /** Of the index: far below what the log of an engine takes at once. An operation that has more is a turn of its own. */
    static final long BATCH_BYTES_MAX = 2L << 20;

    /**
     * A device that has not answered for so long is slow. A write, its flush and the commits of a leader and of a member are
     * waited for one after the other, and together they shall be no longer than a second.
     */
    static final long LATE_NS = TimeUnit.MILLISECONDS.toNanos(250);

    private final TurnIo io;
    private final Loop loop;
    private Consumer<KvBatch> watcher = batch -> {};
    private List<StagedOp> collecting = new ArrayList<>();
    /** Null while no commit is under way. */
    private @Nullable Turn open;

    private long turnCount;
    /** Of long values that are on their way into the log. */
    private long lateBytes;

    public TurnPipeline(TurnIo io, Loop loop) {
        this.io = io;
        this.loop = loop;
    }

    /** Told of each operation's changes when they are staged, and again when they have been made. */
    public void watch(Consumer<KvBatch> next) {
        watcher = next;
    }

    public long turnCount() {
        return turnCount;
    }

    public boolean isIdle() {
        return open == null && collecting.isEmpty();
    }

    /** Long device writes start at once; {@code done} runs on the loop when all is durable, or has failed. */
    public void stage(StagedOp op, Done done) {
        op.done = done;
        watcher.accept(op.batch);
        Way way = op.arm();
        collecting.add(op);
        if (way == Way.DEVICE) op.issue();
    }

    /** The loop has nothing more to do right now: what was collected may be committed. */
    public void onDrained() {
        // a turn without changes ends at once, and what it let go on may have staged more
        while (open == null && !collecting.isEmpty()) startTurn();
    }

    private void startTurn() {
        Turn turn = new Turn(takeTurn(), io, this::onCommitted);
        open = turn;
        turnCount++;
        turn.close();
    }

    private List<StagedOp> takeTurn() {
        int count = 0;
        long bytes = 0;
        for (StagedOp op : collecting) {
            bytes += op.batch.byteCount();
            if (count > 0 && bytes > BATCH_BYTES_MAX) break;
            count++;
        }
        List<StagedOp> ops = new ArrayList<>(collecting.subList(0, count));
        collecting = new ArrayList<>(collecting.subList(count, collecting.size()));
        return ops;
    }

    /** Now and then: long values whose device is late go into the log, as far as there is room for them. */
    public void onLook(long nowNs) {
        Turn turn = open;
        if (turn != null) {
            turn.ops.forEach(op -> look(op, nowNs));
            lateBytes += turn.look(nowNs, lateBytes);
        }
        collecting.forEach(op -> look(op, nowNs));
    }

    private void look(StagedOp op, long nowNs) {
        Way way = op.way();
        if (way != Way.DEVICE && way != Way.WAITING) return;
        if (op.waitsSinceNs == 0) op.waitsSinceNs = nowNs;
        boolean isLate = nowNs - op.waitsSinceNs >= LATE_NS;
        if (isLate && op.mayGoLate(lateBytes)) {
            if (!op.goLate(way)) return;
            lateBytes += op.lateBytes;
            op.arrive();
        } else if (way == Way.WAITING && (isLate || !op.isSlow())) {
            op.waitsSinceNs = nowNs;
            op.issue();
        }
    }

    /** Any thread. The buffers are the storage's and go back at once: the loop may have ended meanwhile. */
    private void onCommitted(Turn turn, boolean isOnLoop) {
        turn.ops.forEach(StagedOp::discard);
        if (isOnLoop) end(turn);
        else loop.execute(() -> end(turn));
    }

    /** The loop ends: what is not under way never will be. Its buffers go back, nobody is told. */
    public void abandon() {
        collecting.forEach(StagedOp::discard);
        collecting.clear();
    }

    private void end(Turn turn) {
        open = null;
        RuntimeException broken = null;
        for (StagedOp op : turn.ops) {
            lateBytes -= op.lateBytes;
            watcher.accept(op.batch);
            try {
                op.done.done(op.outcome());
            } catch (RuntimeException e) {
                // the others of the turn still have to hear of it
                if (broken == null) broken = e;
                else broken.addSuppressed(e);
            }
        }
        if (broken != null) throw broken;
    }
}
