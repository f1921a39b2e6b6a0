package io.daosmesh.transport.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.Life;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerCertificateTest {
    @TempDir
    Path dir;

    private X509Certificate certificate;
    private PeerCertificate peer;
    private PeerCertificate agent;

    @BeforeEach
    void issue() {
        Life life = Life.days(Instant.now(), 10);
        Authority authority = Authority.make(dir.resolve("ca"), life, false);
        certificate = authority
                .issue(Role.SERVER, List.of("Node3.example.org", "10.0.0.3", "fd00::3"), life)
                .certificate();
        peer = PeerCertificate.of(certificate);
        agent = PeerCertificate.of(authority.issue(Role.AGENT, List.of(), life).certificate());
    }

    @Test
    void shouldSayWhoItIs() {
        assertEquals(Optional.of(Role.SERVER), peer.role());
        assertEquals(Set.of("node3.example.org", "10.0.0.3", "fd00::3"), peer.addresses());
        assertEquals(certificate.getSerialNumber(), peer.serial());
        assertEquals(certificate.getNotAfter().toInstant(), peer.notAfter());
        assertEquals(Optional.of(Role.AGENT), agent.role());
        assertEquals(Set.of(), agent.addresses());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "node3.example.org:10001",
                "NODE3.Example.org:10001",
                "node3.example.org.",
                "10.0.0.3:1",
                "10.0.0.3",
                "[fd00:0:0::0:3]:10001",
                "fd00::3"
            })
    void shouldTakeItsAddressesInAnySpelling(String address) {
        assertEquals(Optional.empty(), peer.refusal(address));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":10001",
                "node4.example.org:10001",
                "example.org:10001",
                "x.node3.example.org:10001",
                "10.0.0.30:10001",
                "10.0.0.3.:1",
                "0.0.0.0:10001",
                "fd00::4",
                "*:10001"
            })
    void shouldRefuseAnyOtherAddress(String address) {
        Fault f = peer.refusal(address).orElseThrow();

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("10.0.0.3, fd00::3, node3.example.org"), f.text());
        assertTrue(f.remedy().contains("daos-certs"), f.remedy());
    }

    @Test
    void shouldRefuseEveryAddressWithoutAny() {
        Fault f = agent.refusal("10.0.0.3:10001").orElseThrow();

        assertTrue(f.text().contains("is for no address, not for '10.0.0.3'"), f.text());
        assertFalse(agent.covers(""));
    }
}
