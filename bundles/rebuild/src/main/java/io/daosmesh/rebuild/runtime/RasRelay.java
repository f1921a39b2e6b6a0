package io.daosmesh.rebuild.runtime;

import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hands events to the RAS service while there is one; without it they stay in the log. Any thread. */
final class RasRelay implements Ras {
    private static final Logger LOG = LoggerFactory.getLogger(RasRelay.class);

    private final AtomicReference<@Nullable Ras> target = new AtomicReference<>();

    void bind(Ras ras) {
        target.set(ras);
    }

    void unbind(Ras ras) {
        target.compareAndSet(ras, null);
    }

    @Override
    public void raise(RasId id, Severity severity, String message, Map<String, String> fields) {
        Ras ras = target.get();
        if (ras != null) ras.raise(id, severity, message, fields);
        else LOG.info("{} {} {} {}", id.label(), severity, message, fields);
    }
}
