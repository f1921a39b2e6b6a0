package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Makes an authority and the certificates of server, admin and agent, as DAOS's {@code gen_certificates.sh} does: the
 * common name is the role. EC P-256, three years. One thread.
 */
public final class CertificateMaker {
    public static final List<String> ROLES = List.of("server", "admin", "agent");

    private static final int YEARS = 3;

    private final Path dir;
    private final Instant from;
    private final Instant until;
    private final SecureRandom random = new SecureRandom();

    private record Made(X509Certificate certificate, KeyPair keys) {}

    public CertificateMaker(Path dir, Instant now) {
        // an hour early, so that a node whose clock is a little behind accepts them
        this(dir, now.minus(1, ChronoUnit.HOURS), now.plus(YEARS * 365L, ChronoUnit.DAYS));
    }

    /** For tests: certificates of any life. */
    public CertificateMaker(Path dir, Instant from, Instant until) {
        this.dir = dir;
        this.from = from;
        this.until = until;
    }

    /** Writes all files and returns their paths. EXIST when one is there and {@code force} is not given. */
    public List<Path> generate(boolean force) {
        List<String> names = new ArrayList<>(List.of("daosCA"));
        names.addAll(ROLES);
        if (!force) names.forEach(this::refuseExisting);
        List<Path> written = new ArrayList<>();
        try {
            Files.createDirectories(dir);
            Made authority = authority();
            written.addAll(write("daosCA", authority));
            for (String role : ROLES) written.addAll(write(role, signed(role, authority)));
        } catch (IOException e) {
            throw Fault.of(
                            FaultCode.BADPATH,
                            "certificates cannot be written to %s: %s",
                            dir,
                            String.valueOf(e.getMessage()))
                    .asException();
        } catch (GeneralSecurityException | OperatorCreationException e) {
            throw new IllegalStateException("certificates cannot be made", e);
        }
        return written;
    }

    private void refuseExisting(String name) {
        for (String end : List.of(".crt", ".key")) {
            if (Files.exists(dir.resolve(name + end))) {
                throw Fault.of(FaultCode.EXIST, "%s is there already", dir.resolve(name + end))
                        .remedy("choose another folder, or replace all certificates with --force")
                        .asException();
            }
        }
    }

    private Made authority() throws GeneralSecurityException, OperatorCreationException, IOException {
        KeyPair keys = keys();
        X500Name name = new X500Name("O=Daos Mesh,CN=Daos Mesh CA " + Long.toHexString(random.nextLong()));
        JcaX509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(
                name, serial(), Date.from(from), Date.from(until), name, keys.getPublic());
        b.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
        b.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        return finish(b, keys, keys);
    }

    private Made signed(String role, Made authority)
            throws GeneralSecurityException, OperatorCreationException, IOException {
        KeyPair keys = keys();
        JcaX509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(
                authority.certificate(),
                serial(),
                Date.from(from),
                Date.from(until),
                new javax.security.auth.x500.X500Principal("O=Daos Mesh,CN=" + role),
                keys.getPublic());
        b.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
        b.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
        b.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {
            KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth
        }));
        b.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(new GeneralName[] {
            new GeneralName(GeneralName.dNSName, "localhost"), new GeneralName(GeneralName.iPAddress, "127.0.0.1")
        }));
        return finish(b, keys, authority.keys());
    }

    private static Made finish(JcaX509v3CertificateBuilder b, KeyPair keys, KeyPair signer)
            throws GeneralSecurityException, OperatorCreationException {
        X509Certificate certificate = new JcaX509CertificateConverter()
                .getCertificate(b.build(new JcaContentSignerBuilder("SHA256withECDSA").build(signer.getPrivate())));
        return new Made(certificate, keys);
    }

    private KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator g = KeyPairGenerator.getInstance("EC");
        g.initialize(new ECGenParameterSpec("secp256r1"), random);
        return g.generateKeyPair();
    }

    private BigInteger serial() {
        return new BigInteger(120, random);
    }

    private List<Path> write(String name, Made made) throws IOException, GeneralSecurityException {
        Path certificate = dir.resolve(name + ".crt");
        Path key = dir.resolve(name + ".key");
        Files.deleteIfExists(key);
        Files.createFile(key, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(key, pem("PRIVATE KEY", made.keys().getPrivate().getEncoded()));
        Files.writeString(certificate, pem("CERTIFICATE", made.certificate().getEncoded()));
        return List.of(certificate, key);
    }

    private static String pem(String kind, byte[] der) {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n";
    }
}
