package io.daosmesh.transport.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.TlsMaterial;
import java.time.Instant;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Tells the operator what happens to this node's certificates. Any thread. What happens before somebody listens for events is
 * kept, the newest few.
 */
final class CertificateEvents implements LiveTls.Watcher {
    static final int KEPT_MAX = 16;

    private final Queue<Event> kept = new ArrayBlockingQueue<>(KEPT_MAX);
    private final AtomicReference<@Nullable Ras> ras = new AtomicReference<>();

    private record Event(RasId id, Severity severity, String message) {
        void raise(Ras to) {
            to.raise(id, severity, message, Map.of());
        }
    }

    void bind(Ras found) {
        ras.set(found);
        raiseKept(found);
    }

    void unbind(Ras gone) {
        ras.compareAndSet(gone, null);
    }

    private void raise(RasId id, Severity severity, String message) {
        Event event = new Event(id, severity, message);
        while (!kept.offer(event)) kept.poll();
        Ras to = ras.get();
        if (to != null) raiseKept(to);
    }

    private void raiseKept(Ras to) {
        for (Event e = kept.poll(); e != null; e = kept.poll()) e.raise(to);
    }

    @Override
    public void onReplaced(TlsMaterial now) {
        raise(
                RasId.CERTIFICATE_CHANGED,
                Severity.NOTICE,
                "new certificates in use: serial "
                        + PeerCertificate.text(now.own().serial()) + ", ends on "
                        + now.own().notAfter());
    }

    @Override
    public void onRefused(Fault why) {
        raise(
                RasId.CERTIFICATE_REFUSED,
                Severity.ERROR,
                "new certificates are refused, the old stay in use: " + why.text());
    }

    @Override
    public void onExpiring(String which, Instant at) {
        String what = switch (which) {
            case "ca" -> "the certificate of the authority ends on ";
            case "crl" -> "the revocation list ends on ";
            default -> "the certificate of this node ends on ";
        };
        boolean isOver = !Instant.now().isBefore(at);
        raise(RasId.CERTIFICATE_EXPIRES, isOver ? Severity.ERROR : Severity.WARNING, what + at);
    }
}
