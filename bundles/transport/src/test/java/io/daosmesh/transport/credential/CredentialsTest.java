package io.daosmesh.transport.credential;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.SignedCredentialMessage;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.tls.TlsMaterial;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whom a server believes to be whom. */
class CredentialsTest {
    private static final String SYSTEM = "daos_server";
    private static final long NOW_MS = Instant.now().toEpochMilli();
    private static final User ALICE = new User("alice@", "labs@", List.of("labs@", "17@"), "node7");

    @TempDir
    static Path dir;

    private static TlsMaterial server;

    @BeforeAll
    static void makeCertificates() {
        for (String authority : List.of("ours", "theirs"))
            new CertificateMaker(dir.resolve(authority), Instant.now()).generate(false);
        server = material("ours", Role.SERVER);
    }

    private static TlsMaterial material(String authority, Role role) {
        Path d = dir.resolve(authority);
        String name = role.name().toLowerCase(Locale.ROOT);
        return TlsMaterial.load(
                new NodeConfig.Tls(
                        false,
                        false,
                        Optional.of(d.resolve("daosCA.crt")),
                        Optional.of(d.resolve(name + ".crt")),
                        Optional.of(d.resolve(name + ".key"))),
                role);
    }

    private static byte[] sign(CredentialMessage c, TlsMaterial signer) {
        return Credentials.sign(c, signer.key(), signer.certificate());
    }

    private static CredentialMessage alice() {
        return Credentials.about(ALICE, SYSTEM, NOW_MS, Duration.ofHours(1));
    }

    private static User check(byte[] shown) {
        return Credentials.check(shown, SYSTEM, NOW_MS, server::checkTrusted);
    }

    private static FaultCode refusal(byte[] shown) {
        return assertThrows(FaultException.class, () -> check(shown)).code();
    }

    @Test
    void shouldKnowUserThatAgentOfThisSystemNames() {
        assertEquals(ALICE, check(sign(alice(), material("ours", Role.AGENT))));
    }

    @Test
    void shouldRefuseCredentialsThatNobodyEntitledHasSigned() throws Exception {
        SignedCredentialMessage good = SignedCredentialMessage.parseFrom(sign(alice(), material("ours", Role.AGENT)));
        CredentialMessage root = alice().toBuilder().setUser("root@").build();

        assertEquals(FaultCode.NO_PERM, refusal(sign(alice(), material("theirs", Role.AGENT))), "another authority");
        assertEquals(FaultCode.NO_PERM, refusal(sign(alice(), material("ours", Role.ADMIN))), "not an agent");
        assertEquals(FaultCode.NO_PERM, refusal(Credentials.unsigned(alice())), "unsigned");
        assertEquals(
                FaultCode.NO_PERM,
                refusal(good.toBuilder()
                        .setCredential(root.toByteString())
                        .build()
                        .toByteArray()),
                "another user");
        assertEquals(
                FaultCode.NO_PERM,
                refusal(good.toBuilder().clearSignature().build().toByteArray()),
                "no signature");
    }

    @Test
    void shouldRefuseCredentialsOutOfPlaceAndTime() {
        TlsMaterial agent = material("ours", Role.AGENT);
        long day = Duration.ofDays(1).toMillis();
        CredentialMessage.Builder c = alice().toBuilder();

        assertEquals(
                FaultCode.NO_PERM, refusal(sign(c.clone().setSystem("other").build(), agent)));
        assertEquals(
                FaultCode.NO_PERM,
                refusal(sign(c.clone().setExpiresMs(NOW_MS - 1).build(), agent)));
        assertEquals(
                FaultCode.NO_PERM,
                refusal(sign(c.clone().setExpiresMs(NOW_MS + 2 * day).build(), agent)));
        assertEquals(
                FaultCode.NO_PERM,
                refusal(sign(c.clone().setIssuedMs(NOW_MS + day / 2).build(), agent)));
        assertEquals(FaultCode.NO_PERM, refusal(sign(c.clone().setExpiresMs(-1).build(), agent)), "after 2262");
    }

    @Test
    void shouldRefuseNamesThatCannotBe() {
        TlsMaterial agent = material("ours", Role.AGENT);
        for (String name :
                List.of("", "@", "alice", "a b@", "a:b@", "a\n@", "\u001b[2J@", "é@", "a@b@", "x".repeat(300) + "@"))
            assertEquals(
                    FaultCode.INVAL,
                    refusal(sign(alice().toBuilder().setUser(name).build(), agent)),
                    name);
    }

    @Test
    void shouldRefuseEveryFlippedByteAndEveryCut() {
        byte[] good = sign(alice(), material("ours", Role.AGENT));
        for (int at = 0; at < good.length; at++) {
            byte[] bad = good.clone();
            bad[at] ^= 0x20;
            refusal(bad);
        }
        for (int length = 0; length < good.length; length += 7) refusal(java.util.Arrays.copyOf(good, length));
        refusal(new byte[Credentials.BYTES_MAX + 1]);
    }

    @Test
    void shouldNotMakeCredentialThatDoesNotFitIntoFirstFrame() {
        CredentialMessage large = alice().toBuilder()
                .setNonce(ByteString.copyFrom(new byte[3000]))
                .build();

        FaultException e = assertThrows(FaultException.class, () -> sign(large, material("ours", Role.AGENT)));

        assertEquals(FaultCode.OVERFLOW, e.code());
    }

    @Test
    void shouldNameUserOfThisProcess() {
        User me = LocalUser.get();

        assertEquals(System.getProperty("user.name") + "@", me.user());
        assertTrue(me.groups().contains(me.group()) || me.groups().isEmpty());
    }
}
