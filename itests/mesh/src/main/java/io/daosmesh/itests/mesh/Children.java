package io.daosmesh.itests.mesh;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The programs that this process starts. When it is to end they end, and only the thread that ends it starts more. Any thread. */
public final class Children {
    private static final Duration END_MAX = Duration.ofSeconds(10);
    private static final ReentrantLock STARTING = new ReentrantLock();
    private static @Nullable Thread last;

    private Children() {}

    /** Waits for the end of this process when that has begun. */
    public static Process start(ProcessBuilder program) throws IOException {
        STARTING.lock();
        try {
            if (last == null || last == Thread.currentThread()) return program.start();
        } finally {
            STARTING.unlock();
        }
        while (true) LockSupport.park();
    }

    /** Kills all that run, with what they have started. */
    public static void end() {
        STARTING.lock();
        try {
            last = Thread.currentThread();
        } finally {
            STARTING.unlock();
        }
        List<ProcessHandle> running = ProcessHandle.current().descendants().toList();
        running.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle p : running) {
            try {
                p.onExit().get(END_MAX.toMillis(), TimeUnit.MILLISECONDS);
            } catch (Exception e) {
                System.err.println("process " + p.pid() + " does not end: " + e);
            }
        }
    }
}
