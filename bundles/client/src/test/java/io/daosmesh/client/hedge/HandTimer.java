package io.daosmesh.client.hedge;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;

/** Time that passes when a test says so. Owner: the test. */
final class HandTimer implements Scheduler {
    private record Task(long atNs, Runnable run) {}

    private final List<Task> tasks = new ArrayList<>();
    long nowNs = 1_000_000_000_000L;

    /** In steps as short as any pause of a timer. */
    void pass(long ms) {
        for (long i = 0; i < ms; i++) {
            nowNs += 1_000_000L;
            List<Task> due = tasks.stream().filter(t -> t.atNs <= nowNs).toList();
            tasks.removeAll(due);
            due.forEach(t -> t.run.run());
        }
    }

    int taskCount() {
        return tasks.size();
    }

    @Override
    public Disposable schedule(Runnable task) {
        return schedule(task, 0, TimeUnit.NANOSECONDS);
    }

    @Override
    public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
        tasks.add(new Task(nowNs + unit.toNanos(delay), task));
        return Disposables.single();
    }

    @Override
    public Worker createWorker() {
        throw new UnsupportedOperationException();
    }
}
