package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** From when to when a certificate or a revocation list holds. Immutable. */
public record Life(Instant from, Instant until) {
    public static final int AUTHORITY_DAYS = 3 * 365;
    public static final int DAYS = 365;
    private static final int DAYS_MAX = 100 * 365;

    /** INVAL for a number of days that makes no sense. */
    public static Life days(Instant now, int days) {
        if (days < 1 || days > DAYS_MAX) {
            throw Fault.of(FaultCode.INVAL, "%d is no number of days for a certificate", days)
                    .remedy("give 1 to " + DAYS_MAX)
                    .asException();
        }
        // an hour early, so that a node whose clock is a little behind accepts it
        return new Life(now.minus(1, ChronoUnit.HOURS), now.plus(Duration.ofDays(days)));
    }

    /** Nothing outlives its signer. */
    Life within(X509Certificate signer) {
        Instant begin = signer.getNotBefore().toInstant();
        Instant end = signer.getNotAfter().toInstant();
        return new Life(from.isBefore(begin) ? begin : from, until.isAfter(end) ? end : until);
    }
}
