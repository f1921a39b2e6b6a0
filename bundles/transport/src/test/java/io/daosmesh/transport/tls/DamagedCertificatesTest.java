package io.daosmesh.transport.tls;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fuzz.Fuzz;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.SignedCredentialMessage;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.credential.Credentials;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Certificates, keys, revocation lists and credentials that are damaged, in their text and under it. */
@Tag("fuzz")
class DamagedCertificatesTest {
    private static final Path NAME = Path.of("file.pem");
    private static final String SYSTEM = "daos_server";

    @TempDir
    static Path dir;

    private static TlsMaterial agent;
    private static TlsMaterial server;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(dir, Instant.now()).generate(false);
        agent = TlsMaterial.load(files("agent"), Role.AGENT);
        server = TlsMaterial.load(files("server"), Role.SERVER);
    }

    private static NodeConfig.Tls files(String name) {
        return new NodeConfig.Tls(
                false,
                false,
                Optional.of(dir.resolve("daosCA.crt")),
                Optional.of(dir.resolve(name + ".crt")),
                Optional.of(dir.resolve(name + ".key")));
    }

    private static byte[] file(String name) throws Exception {
        return Files.readAllBytes(dir.resolve(name));
    }

    /** What is between the first begin and end. */
    private static byte[] der(byte[] pem) {
        String text = new String(pem, StandardCharsets.US_ASCII);
        String inside =
                text.replaceFirst("(?s)^.*?-----BEGIN [A-Z0-9 ]+-----", "").replaceFirst("(?s)-----END.*$", "");
        return Base64.getMimeDecoder().decode(inside);
    }

    private static byte[] pem(String kind, byte[] der) {
        return ("-----BEGIN " + kind + "-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END " + kind
                        + "-----\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Text, and the structure that it encodes. */
    private static void damage(String what, String kind, byte[] good, Fuzz.Reader reader) throws Exception {
        Fuzz.of(what)
                .good(good)
                .words("-----BEGIN " + kind + "-----\n", "-----END " + kind + "-----\n", "=", "\n")
                .run(reader);
        Fuzz.of(what + " under its text").good(der(good)).run(der -> reader.read(pem(kind, der)));
    }

    @Test
    void shouldRefuseDamagedCertificate() throws Exception {
        damage("certificate", "CERTIFICATE", file("agent.crt"), in -> {
            for (var c : Pem.certificates(NAME, in)) {
                server.checkTrusted(c);
                PeerCertificate.of(c);
            }
        });
    }

    @Test
    void shouldRefuseDamagedOwnCertificateAndAuthority() throws Exception {
        TlsFiles good = TlsFiles.read(files("server"), Role.SERVER);
        TlsFiles.Own own = good.own().orElseThrow();
        damage("own certificate", "CERTIFICATE", file("server.crt"), in -> {
            TlsFiles.Own other = new TlsFiles.Own(new TlsFiles.One(NAME, in), own.key());
            TlsMaterial.parse(new TlsFiles(good.ca(), Optional.of(other), Optional.empty()), Role.SERVER)
                    .check();
        });
        damage(
                "authority",
                "CERTIFICATE",
                file("daosCA.crt"),
                in -> TlsMaterial.parse(
                                new TlsFiles(new TlsFiles.One(NAME, in), good.own(), Optional.empty()), Role.SERVER)
                        .check());
    }

    @Test
    void shouldRefuseDamagedKey() throws Exception {
        TlsFiles good = TlsFiles.read(files("server"), Role.SERVER);
        TlsFiles.Own own = good.own().orElseThrow();
        damage("key", "PRIVATE KEY", file("server.key"), in -> {
            TlsFiles.Own other = new TlsFiles.Own(own.certificate(), new TlsFiles.One(NAME, in));
            TlsMaterial.parse(new TlsFiles(good.ca(), Optional.of(other), Optional.empty()), Role.SERVER)
                    .check();
        });
    }

    @Test
    void shouldRefuseDamagedRevocationList() throws Exception {
        Authority authority = Authority.make(dir.resolve("authority"), Life.days(Instant.now(), 365), false);
        TlsMaterial one = TlsMaterial.load(files("agent"), Role.AGENT);
        Path list = authority.revoke(List.of(), Instant.now(), Life.days(Instant.now(), 30));
        List<X509Certificate> ours = List.of(authority.certificate());
        damage(
                "revocation list",
                "X509 CRL",
                Files.readAllBytes(list),
                in -> Revocations.of(
                                Pem.revocationLists(NAME, in),
                                ours,
                                NAME,
                                Instant.now().plusSeconds(1))
                        .isRevoked(one.certificate()));
    }

    private static byte[] credential() {
        User user = new User("alice@", "labs@", List.of("labs@", "17@"), "node7");
        CredentialMessage about = Credentials.about(user, SYSTEM, Instant.now().toEpochMilli(), Duration.ofHours(1));
        return Credentials.sign(about, agent.key(), agent.certificate());
    }

    /** By a real agent, whatever it says. */
    private static byte[] signed(byte[] credential) throws Exception {
        Signature s =
                Signature.getInstance(agent.key().getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
        s.initSign(agent.key());
        s.update(credential);
        return SignedCredentialMessage.newBuilder()
                .setCredential(ByteString.copyFrom(credential))
                .setSignature(ByteString.copyFrom(s.sign()))
                .setCertificate(ByteString.copyFrom(agent.certificate().getEncoded()))
                .build()
                .toByteArray();
    }

    @Test
    void shouldRefuseDamagedCredential() throws Exception {
        long nowMs = Instant.now().toEpochMilli();
        Fuzz.of("credential").good(credential()).run(in -> Credentials.check(in, SYSTEM, nowMs, server::checkTrusted));
        SignedCredentialMessage signed = SignedCredentialMessage.parseFrom(credential());
        Fuzz.of("what a credential says")
                .good(signed.getCredential().toByteArray())
                .run(in -> Credentials.check(signed(in), SYSTEM, nowMs, server::checkTrusted));
    }
}
