package io.daosmesh.model.port;

import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Hands events to the RAS service while there is one, and keeps the first {@value #KEPT_MAX} until there is: what happens at the
 * start of a node is told, too. Any thread; one short lock, and the service is called outside of it.
 */
public final class KeptRas implements Ras {
    public static final int KEPT_MAX = 64;

    private record Kept(RasId id, Severity severity, String message, Map<String, String> fields) {}

    private final Queue<Kept> kept = new ArrayDeque<>();
    /** Null while control is away. */
    private @Nullable Ras service;

    public void bind(Ras found) {
        synchronized (this) {
            service = found;
        }
        for (Kept k = next(); k != null; k = next()) found.raise(k.id, k.severity, k.message, k.fields);
    }

    public synchronized void unbind(Ras gone) {
        if (service == gone) service = null;
    }

    private synchronized @Nullable Kept next() {
        return kept.poll();
    }

    @Override
    public void raise(RasId id, Severity severity, String message, Map<String, String> fields) {
        Ras to;
        synchronized (this) {
            to = service;
            if (to == null && kept.size() < KEPT_MAX) kept.add(new Kept(id, severity, message, Map.copyOf(fields)));
        }
        if (to != null) to.raise(id, severity, message, fields);
    }
}
