package io.daosmesh.transport.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.Life;
import java.math.BigInteger;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PeerTrustTest {
    private static final String TLS13 = "UNKNOWN";

    @TempDir
    Path dir;

    private final Instant now = Instant.now();
    private final Life life = Life.days(now, 10);
    private Authority authority;
    private PeerTrust trust;

    @BeforeEach
    void make() {
        authority = Authority.make(dir.resolve("ca"), life, false);
        trust = new PeerTrust(List.of(authority.certificate()), Revocations.NONE);
    }

    private X509Certificate issue(Role role) {
        return authority.issue(role, List.of("127.0.0.1"), life).certificate();
    }

    private static X509Certificate[] chain(X509Certificate c) {
        return new X509Certificate[] {c};
    }

    private void asClient(X509Certificate c) throws CertificateException {
        trust.checkClientTrusted(chain(c), TLS13);
    }

    private void asServer(X509Certificate c) throws CertificateException {
        trust.checkServerTrusted(chain(c), TLS13);
    }

    @Test
    void shouldLetServersAloneServe() throws CertificateException {
        asServer(issue(Role.SERVER));
        for (Role role : Role.values()) asClient(issue(role));

        assertThrows(CertificateException.class, () -> asServer(issue(Role.ADMIN)));
        assertThrows(CertificateException.class, () -> asServer(issue(Role.AGENT)));
    }

    @Test
    void shouldRefuseCertificateThatNamesNoUse() throws Exception {
        KeyPair keys = KeyPairGenerator.getInstance("EC").generateKeyPair();
        X509Certificate bare = new JcaX509CertificateConverter()
                .getCertificate(new JcaX509v3CertificateBuilder(
                                authority.certificate(),
                                BigInteger.TEN,
                                Date.from(life.from()),
                                Date.from(life.until()),
                                new javax.security.auth.x500.X500Principal("CN=agent"),
                                keys.getPublic())
                        .build(new JcaContentSignerBuilder("SHA256withECDSA")
                                .build(Pem.key(dir.resolve("ca/daosCA.key")))));

        RefusedCertificate e = assertThrows(RefusedCertificate.class, () -> asClient(bare));

        assertTrue(
                e.fault().text().contains("is not for a client of TLS"),
                e.fault().text());
    }

    @Test
    void shouldRefuseOtherAuthorities() {
        Authority other = Authority.make(dir.resolve("other"), life, false);
        X509Certificate foreign = other.issue(Role.AGENT, List.of(), life).certificate();

        assertThrows(CertificateException.class, () -> asClient(foreign));
        assertThrows(CertificateException.class, () -> asClient(other.certificate()));
    }

    @Test
    void shouldRefuseWhatAnEndedAuthorityHasSigned() {
        Instant end = now.minus(Duration.ofDays(1));
        Authority ended = Authority.make(dir.resolve("ended"), new Life(end.minus(Duration.ofDays(9)), end), false);
        X509Certificate old = ended.issue(Role.AGENT, List.of(), life).certificate();
        trust = new PeerTrust(List.of(authority.certificate(), ended.certificate()), Revocations.NONE);

        assertThrows(CertificateException.class, () -> asClient(old));
    }

    @Test
    void shouldRefuseTheRevokedOfOneAuthorityAlone() throws CertificateException {
        X509Certificate bad = issue(Role.AGENT);
        Path crl = authority.revoke(List.of(bad), now, life);
        Revocations list =
                Revocations.of(Pem.revocationLists(crl), List.of(authority.certificate()), crl, Instant.now());
        trust = new PeerTrust(List.of(authority.certificate()), list);
        asClient(issue(Role.AGENT));

        RefusedCertificate e = assertThrows(RefusedCertificate.class, () -> asClient(bad));

        assertTrue(e.fault().text().contains("is revoked"), e.fault().text());
        assertEquals(
                CertPathValidatorException.BasicReason.REVOKED,
                ((CertPathValidatorException) e.getCause()).getReason());
        assertTrue(list.hasMoreThan(Revocations.NONE) && !Revocations.NONE.hasMoreThan(list));
    }
}
