package io.daosmesh.transport.certs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Pem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AuthorityTest {
    private static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";
    private static final String CLIENT_USE = "1.3.6.1.5.5.7.3.2";

    @TempDir
    Path dir;

    private final Instant now = Instant.now();
    private final Life year = Life.days(now, Life.DAYS);
    private Authority authority;

    @BeforeEach
    void make() {
        authority = Authority.make(dir.resolve("ca"), Life.days(now, Life.AUTHORITY_DAYS), false);
    }

    private CertificateMaker maker(String name) {
        return new CertificateMaker(dir.resolve(name), now);
    }

    private X509Certificate certificate(String name) {
        return Pem.certificates(dir.resolve(name)).get(0);
    }

    private static Fault faultOf(Runnable action) {
        return assertThrows(FaultException.class, action::run).fault();
    }

    @Test
    void shouldGiveEachRoleItsUseAlone() throws Exception {
        maker("n1").issue(authority, Role.SERVER, List.of("10.0.0.1", "node1"), false);
        maker("n1").issue(authority, Role.ADMIN, List.of(), false);
        maker("n1").issue(authority, Role.AGENT, List.of(), false);

        assertEquals(
                Set.of(SERVER_USE, CLIENT_USE),
                Set.copyOf(certificate("n1/server.crt").getExtendedKeyUsage()));
        assertEquals(List.of(CLIENT_USE), certificate("n1/admin.crt").getExtendedKeyUsage());
        assertEquals(List.of(CLIENT_USE), certificate("n1/agent.crt").getExtendedKeyUsage());
        assertEquals(
                Set.of("10.0.0.1", "node1"),
                PeerCertificate.of(certificate("n1/server.crt")).addresses());
        assertFalse(Files.exists(dir.resolve("n1/daosCA.key")));
        assertTrue(CertificateList.check(dir.resolve("n1"), Optional.empty(), now).stream()
                .allMatch(CertificateList.Line::isGood));
    }

    @Test
    void shouldLetNothingOutliveItsSigner() {
        Authority old = Authority.make(dir.resolve("old"), Life.days(now, 20), false);

        new CertificateMaker(dir.resolve("n"), now).issue(old, Role.AGENT, List.of(), false);

        assertEquals(old.certificate().getNotAfter(), certificate("n/agent.crt").getNotAfter());
        List<CertificateList.Line> lines = CertificateList.check(dir.resolve("n"), Optional.empty(), now);
        assertFalse(lines.get(0).isGood());
        assertTrue(lines.get(0).text().contains("own ends on"), lines.get(0).text());
    }

    @Test
    void shouldKeepAuthoritysKeyApart() {
        Fault f = faultOf(() -> maker("ca").issue(authority, Role.AGENT, List.of(), false));

        assertEquals(FaultCode.INVAL, f.code());
        assertFalse(Files.exists(dir.resolve("ca/agent.key")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "10.0.0.1:10001", "*.example.org", "-x", "a,b", "../x"})
    void shouldRefuseWhatIsNoAddress(String address) {
        Fault f = faultOf(() -> maker("n").issue(authority, Role.SERVER, List.of(address), false));

        assertEquals(FaultCode.INVAL, f.code());
        assertFalse(Files.exists(dir.resolve("n/server.crt")));
    }

    @Test
    void shouldRefuseServerWithoutAddressAndWithTooMany() {
        List<String> many =
                java.util.stream.IntStream.range(0, 65).mapToObj(i -> "h" + i).toList();

        assertEquals(
                FaultCode.INVAL,
                faultOf(() -> maker("n").issue(authority, Role.SERVER, List.of(), false))
                        .code());
        assertEquals(
                FaultCode.INVAL,
                faultOf(() -> maker("n").issue(authority, Role.SERVER, many, false))
                        .code());
        assertEquals(FaultCode.INVAL, faultOf(() -> Life.days(now, 0)).code());
    }

    @Test
    void shouldRenewForTheSameAddresses() {
        maker("n").issue(authority, Role.SERVER, List.of("10.0.0.1", "node1"), false);
        X509Certificate old = certificate("n/server.crt");

        List<Path> written = maker("n").renew(Authority.open(dir.resolve("ca")));

        X509Certificate now = certificate("n/server.crt");
        assertEquals(List.of(dir.resolve("n/server.crt"), dir.resolve("n/server.key")), written);
        assertNotEquals(old.getSerialNumber(), now.getSerialNumber());
        assertNotEquals(old.getPublicKey(), now.getPublicKey());
        assertEquals(
                PeerCertificate.of(old).addresses(), PeerCertificate.of(now).addresses());
        assertEquals(2, CertificateList.issued(authority, this.now).size());
    }

    @Test
    void shouldWantTheNewAuthorityTrustedBeforeItIssues() throws IOException {
        maker("n").issue(authority, Role.AGENT, List.of(), false);
        Authority next = Authority.make(dir.resolve("next"), year, false);

        Fault early = faultOf(() -> maker("n").renew(next));
        Files.write(
                dir.resolve("n/daosCA.crt"),
                Files.readAllBytes(dir.resolve("next/daosCA.crt")),
                StandardOpenOption.APPEND);
        maker("n").renew(next);

        assertTrue(early.text().contains("does not hold the certificate of this authority"), early.text());
        assertEquals(
                next.certificate().getSubjectX500Principal(),
                certificate("n/agent.crt").getIssuerX500Principal());
        assertTrue(CertificateList.check(dir.resolve("n"), Optional.empty(), now)
                .get(0)
                .isGood());
    }

    @Test
    void shouldAddToTheRevocationList() throws Exception {
        maker("a").issue(authority, Role.AGENT, List.of(), false);
        maker("b").issue(authority, Role.AGENT, List.of(), false);
        X509Certificate a = certificate("a/agent.crt");
        X509Certificate b = certificate("b/agent.crt");

        authority.revoke(List.of(a), now, year);
        Path crl = authority.revoke(List.of(authority.issued(PeerCertificate.text(b.getSerialNumber()))), now, year);

        assertEquals(
                Set.of(a.getSerialNumber(), b.getSerialNumber()),
                authority.revoked().keySet());
        Pem.revocationLists(crl).get(0).verify(authority.certificate().getPublicKey());
        CertificateList.Line line =
                CertificateList.check(dir.resolve("a"), Optional.of(crl), now).get(0);
        assertTrue(!line.isGood() && line.text().contains("is revoked"), line.text());
        assertEquals(
                2,
                CertificateList.issued(authority, now).stream()
                        .filter(l -> l.endsWith("REVOKED"))
                        .count());
    }

    @Test
    void shouldRevokeItsOwnAlone() {
        Authority other = Authority.make(dir.resolve("other"), year, false);
        new CertificateMaker(dir.resolve("n"), now).issue(other, Role.AGENT, List.of(), false);

        assertEquals(
                FaultCode.INVAL,
                faultOf(() -> authority.revoke(List.of(certificate("n/agent.crt")), now, year))
                        .code());
        assertEquals(FaultCode.NONEXIST, faultOf(() -> authority.issued("4711")).code());
        assertFalse(Files.exists(authority.revocationFile()));
    }

    @Test
    void shouldNotSignWithAKeyThatOthersCanRead() throws IOException {
        Files.setPosixFilePermissions(
                dir.resolve("ca/daosCA.key"), java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));

        Fault f = faultOf(() -> Authority.open(dir.resolve("ca")));

        assertTrue(f.text().contains("has insecure permissions 0644 (suggested: 0400)"), f.text());
    }

    @Test
    void shouldSeeWhatEndsSoon() {
        maker("n").issue(authority, Role.AGENT, List.of(), false);
        Instant later = now.plus(Duration.ofDays(340));

        assertTrue(CertificateList.check(dir.resolve("n"), Optional.empty(), now)
                .get(0)
                .isGood());
        assertFalse(CertificateList.check(dir.resolve("n"), Optional.empty(), later)
                .get(0)
                .isGood());
        assertFalse(CertificateList.check(dir.resolve("none"), Optional.empty(), now)
                .get(0)
                .isGood());
    }
}
