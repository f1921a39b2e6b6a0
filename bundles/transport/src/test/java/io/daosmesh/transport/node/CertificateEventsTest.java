package io.daosmesh.transport.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Ras;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CertificateEventsTest {
    private final List<String> raised = new ArrayList<>();
    private final Ras ras = (id, severity, message, fields) -> raised.add(id.label() + " " + severity + " " + message);
    private final CertificateEvents events = new CertificateEvents();

    @Test
    void shouldTellLaterWhatHappenedBeforeSomebodyListened() {
        events.onExpiring("own", Instant.parse("2999-01-01T00:00:00Z"));
        events.onExpiring("ca", Instant.parse("1999-01-01T00:00:00Z"));
        events.bind(ras);
        events.onRefused(Fault.of(FaultCode.BAD_CERT, "server.crt is damaged"));
        events.unbind(ras);
        events.onExpiring("crl", Instant.parse("2999-01-01T00:00:00Z"));

        assertEquals(
                List.of(
                        "certificate_expires WARNING the certificate of this node ends on 2999-01-01T00:00:00Z",
                        "certificate_expires ERROR the certificate of the authority ends on 1999-01-01T00:00:00Z",
                        "certificate_refused ERROR new certificates are refused, the old stay in use: server.crt is damaged"),
                raised);
    }

    @Test
    void shouldKeepTheNewestFew() {
        for (int i = 0; i < 3 * CertificateEvents.KEPT_MAX; i++) {
            events.onRefused(Fault.of(FaultCode.BAD_CERT, "number " + i));
        }

        events.bind(ras);

        assertEquals(CertificateEvents.KEPT_MAX, raised.size());
        assertTrue(raised.get(raised.size() - 1).endsWith("number 47"), raised.toString());
    }
}
