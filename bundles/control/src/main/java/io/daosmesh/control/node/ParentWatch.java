package io.daosmesh.control.node;

import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends this process when the one that started it is gone (system property {@code mesh.parent.pid}): a killed test leaves no
 * nodes behind. Without the property it does nothing.
 */
@Component(
        immediate = true,
        service = {})
public final class ParentWatch {
    private static final Logger LOG = LoggerFactory.getLogger(ParentWatch.class);
    private static final int GONE = 3;

    private final Optional<Thread> watch;

    @Activate
    public ParentWatch() {
        watch = watch(System.getProperty("mesh.parent.pid", ""));
    }

    /** A thread and not {@code onExit().thenRun}: what hangs on that future cannot be taken off it again. */
    private static Optional<Thread> watch(String pid) {
        if (!pid.matches("[0-9]{1,10}")) return Optional.empty();
        Optional<ProcessHandle> parent = ProcessHandle.of(Long.parseLong(pid));
        if (parent.isEmpty()) Runtime.getRuntime().halt(GONE);
        LOG.info("this node ends with process {}", pid);
        return parent.map(p -> {
            Thread t = new Thread(() -> awaitEnd(p), "mesh-parent");
            t.setDaemon(true);
            t.start();
            return t;
        });
    }

    private static void awaitEnd(ProcessHandle parent) {
        try {
            parent.onExit().get();
            Runtime.getRuntime().halt(GONE);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            LOG.warn("cannot watch process {}: {}", parent.pid(), e.getMessage());
        }
    }

    @Deactivate
    void stop() {
        watch.ifPresent(Thread::interrupt);
    }
}
