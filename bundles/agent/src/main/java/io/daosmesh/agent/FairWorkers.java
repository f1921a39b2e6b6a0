package io.daosmesh.agent;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A few threads that take the tasks of all users in turn, so that who has a thousand waiting delays another by one. Any thread:
 * one lock. Bounded by its callers: each connection has at most one task here.
 */
final class FairWorkers implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FairWorkers.class);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition isWork = lock.newCondition();
    private final Map<String, ArrayDeque<Runnable>> tasks = new HashMap<>();
    private final ArrayDeque<String> turns = new ArrayDeque<>();
    private final List<Thread> threads = new ArrayList<>();
    private boolean isClosed;

    FairWorkers(int threadCount) {
        for (int i = 0; i < threadCount; i++) {
            Thread thread = new Thread(this::work, "agent-worker-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    void run(String user, Runnable task) {
        lock.lock();
        try {
            if (isClosed) return;
            ArrayDeque<Runnable> own = tasks.get(user);
            if (own == null) {
                own = new ArrayDeque<>();
                tasks.put(user, own);
                turns.add(user);
            }
            own.add(task);
            isWork.signal();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        for (Runnable task = next(); task != null; task = next()) {
            try {
                task.run();
            } catch (RuntimeException e) {
                log.error("a request failed", e);
            }
        }
    }

    private @Nullable Runnable next() {
        lock.lock();
        try {
            while (turns.isEmpty() && !isClosed) isWork.awaitUninterruptibly();
            if (isClosed) return null;
            String user = turns.remove();
            ArrayDeque<Runnable> own = tasks.getOrDefault(user, new ArrayDeque<>());
            Runnable task = own.poll();
            if (own.isEmpty()) tasks.remove(user);
            else turns.add(user);
            return task;
        } finally {
            lock.unlock();
        }
    }

    /** Drops what waits. */
    @Override
    public void close() {
        lock.lock();
        try {
            isClosed = true;
            isWork.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
