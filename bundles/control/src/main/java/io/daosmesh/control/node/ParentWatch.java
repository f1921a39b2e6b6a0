package io.daosmesh.control.node;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
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

    private final Optional<CompletableFuture<Void>> watch;

    @Activate
    public ParentWatch() {
        watch = watch(System.getProperty("mesh.parent.pid", ""));
    }

    private static Optional<CompletableFuture<Void>> watch(String pid) {
        if (!pid.matches("[0-9]{1,10}")) return Optional.empty();
        Optional<ProcessHandle> parent = ProcessHandle.of(Long.parseLong(pid));
        if (parent.isEmpty()) {
            Runtime.getRuntime().halt(GONE);
        }
        LOG.info("this node ends with process {}", pid);
        return parent.map(
                p -> p.onExit().thenAccept(gone -> Runtime.getRuntime().halt(GONE)));
    }

    @Deactivate
    void stop() {
        watch.ifPresent(w -> w.cancel(false));
    }
}
