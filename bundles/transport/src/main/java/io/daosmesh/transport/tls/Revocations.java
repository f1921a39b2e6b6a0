package io.daosmesh.transport.tls;

import java.math.BigInteger;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.security.auth.x500.X500Principal;

/**
 * Serial numbers that an authority has taken back, by authority. Immutable; any thread. A list that ends while it is in use
 * stays in use: what it names is still revoked.
 */
public final class Revocations {
    static final Revocations NONE = new Revocations(Map.of(), Optional.empty());

    private final Map<X500Principal, Set<BigInteger>> serials;
    private final Optional<Instant> expires;

    private Revocations(Map<X500Principal, Set<BigInteger>> serials, Optional<Instant> expires) {
        this.serials = serials;
        this.expires = expires;
    }

    /** BAD_CERT when a list is not of one of these authorities, or does not hold now. */
    static Revocations of(List<X509CRL> lists, List<X509Certificate> authority, Path file, Instant now) {
        Map<X500Principal, Set<BigInteger>> serials = new HashMap<>();
        Optional<Instant> expires = Optional.empty();
        for (X509CRL list : lists) {
            if (authority.stream().noneMatch(ca -> isSigned(list, ca))) {
                throw Pem.bad(file, "is not signed by the authority in ca_cert");
            }
            if (list.hasUnsupportedCriticalExtension()) throw Pem.bad(file, "limits itself in a way not known here");
            Instant begin = list.getThisUpdate().toInstant();
            if (now.isBefore(begin)) throw Pem.bad(file, "is not valid before " + begin);
            Optional<Instant> end = Optional.ofNullable(list.getNextUpdate()).map(Date::toInstant);
            if (end.filter(now::isAfter).isPresent()) throw Pem.bad(file, "expired on " + end.get());
            if (end.isPresent() && (expires.isEmpty() || end.get().isBefore(expires.get()))) expires = end;
            Set<BigInteger> of = serials.computeIfAbsent(list.getIssuerX500Principal(), i -> new HashSet<>());
            Set<? extends X509CRLEntry> entries = list.getRevokedCertificates();
            if (entries != null) entries.forEach(e -> of.add(e.getSerialNumber()));
        }
        return new Revocations(serials, expires);
    }

    private static boolean isSigned(X509CRL list, X509Certificate ca) {
        if (!list.getIssuerX500Principal().equals(ca.getSubjectX500Principal())) return false;
        try {
            list.verify(ca.getPublicKey());
            return true;
        } catch (GeneralSecurityException e) {
            return false;
        }
    }

    public boolean isRevoked(X509Certificate c) {
        return serials.getOrDefault(c.getIssuerX500Principal(), Set.of()).contains(c.getSerialNumber());
    }

    /** True when this names one that the other does not. */
    boolean hasMoreThan(Revocations other) {
        for (Map.Entry<X500Principal, Set<BigInteger>> e : serials.entrySet()) {
            if (!other.serials.getOrDefault(e.getKey(), Set.of()).containsAll(e.getValue())) return true;
        }
        return false;
    }

    /** When the first of the lists should be followed by a new one. */
    Optional<Instant> expires() {
        return expires;
    }
}
