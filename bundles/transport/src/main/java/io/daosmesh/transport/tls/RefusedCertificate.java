package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;

/** Why a peer's certificate is not taken, for this side's report; TLS tells the peer a reason of its own. Immutable. */
public final class RefusedCertificate extends CertificateException {
    private static final long serialVersionUID = 1L;

    private final transient Fault fault;

    private RefusedCertificate(Fault fault, Throwable cause) {
        super(fault.text(), cause);
        this.fault = fault;
    }

    static RefusedCertificate revoked(X509Certificate c) {
        Fault fault = Fault.of(
                        FaultCode.BAD_CERT,
                        "the certificate %s of '%s' is revoked",
                        PeerCertificate.text(c.getSerialNumber()),
                        Roles.commonName(c))
                .remedy("give that side a new certificate with daos-certs");
        // the JDK looks at the cause to choose what it tells the peer
        return new RefusedCertificate(
                fault,
                new CertPathValidatorException(
                        fault.text(), null, null, -1, CertPathValidatorException.BasicReason.REVOKED));
    }

    static RefusedCertificate wrongUse(X509Certificate c, String use) {
        return new RefusedCertificate(
                Fault.of(FaultCode.BAD_CERT, "the certificate of '%s' is not for a %s", Roles.commonName(c), use)
                        .remedy("renew it with daos-certs"),
                new CertificateException(use));
    }

    static RefusedCertificate expiredAuthority(X509Certificate ca, CertificateException why) {
        return new RefusedCertificate(
                Fault.of(FaultCode.BAD_CERT, "the authority %s is not valid now", Roles.commonName(ca))
                        .remedy("make a new authority and new certificates with daos-certs"),
                why);
    }

    public Fault fault() {
        return fault;
    }
}
