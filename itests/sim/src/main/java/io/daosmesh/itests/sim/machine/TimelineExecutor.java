package io.daosmesh.itests.sim.machine;

import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/** Runs what a shipped class gives to its owner loop, in virtual time and as long as its process lives. Owner: the timeline. */
final class TimelineExecutor extends AbstractExecutorService implements ScheduledExecutorService {
    private final Timeline time;
    private final BooleanSupplier isAlive;

    TimelineExecutor(Timeline time, BooleanSupplier isAlive) {
        this.time = time;
        this.isAlive = isAlive;
    }

    @Override
    public void execute(Runnable command) {
        time.after(0, () -> {
            if (isAlive.getAsBoolean()) command.run();
        });
    }

    /** Nobody looks at what it answers. */
    @Override
    public @Nullable ScheduledFuture<?> schedule(Runnable command, long in, TimeUnit unit) {
        time.after(unit.toNanos(in), () -> {
            if (isAlive.getAsBoolean()) command.run();
        });
        return null;
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long in, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long first, long next, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long first, long next, TimeUnit unit) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void shutdown() {
        // ends with its process
    }

    @Override
    public List<Runnable> shutdownNow() {
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return false;
    }

    @Override
    public boolean isTerminated() {
        return false;
    }

    @Override
    public boolean awaitTermination(long most, TimeUnit unit) {
        return true;
    }
}
