package io.daosmesh.telemetry;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** Makes certificates for a test as files and as contexts of clients. Owner: the test. */
public final class Authority {
    private final KeyPair keys = pair();
    private final X509Certificate certificate;
    private int serial = 1;

    public Authority() throws Exception {
        certificate = sign(keys, "CN=authority", new GeneralNames(new GeneralName[0]), true);
    }

    private static KeyPair pair() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        return generator.generateKeyPair();
    }

    private X509Certificate sign(KeyPair of, String name, GeneralNames names, boolean isAuthority) throws Exception {
        Instant now = Instant.now();
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
                new X500Name("CN=authority"),
                BigInteger.valueOf(serial++),
                Date.from(now.minus(Duration.ofHours(1))),
                Date.from(now.plus(Duration.ofHours(1))),
                new X500Name(name),
                of.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(isAuthority));
        if (names.getNames().length > 0) builder.addExtension(Extension.subjectAlternativeName, false, names);
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate())));
    }

    /** {@code ca.crt}. */
    public Path writeCa(Path folder) throws Exception {
        return write(folder.resolve("ca.crt"), "CERTIFICATE", certificate.getEncoded());
    }

    /** {@code server.crt} and {@code server.key} of 127.0.0.1. */
    public X509Certificate writeServer(Path folder) throws Exception {
        KeyPair own = pair();
        X509Certificate made =
                sign(own, "CN=node", new GeneralNames(new GeneralName(GeneralName.iPAddress, "127.0.0.1")), false);
        write(folder.resolve("server.crt"), "CERTIFICATE", made.getEncoded());
        write(folder.resolve("server.key"), "PRIVATE KEY", own.getPrivate().getEncoded());
        return made;
    }

    private static Path write(Path file, String kind, byte[] der) throws IOException {
        String text = "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + kind + "-----\n";
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    /** Trusts this authority, shows nothing. */
    public SSLContext client() throws Exception {
        return client((KeyManagerFactory) null);
    }

    /** Shows a certificate with this DNS name. */
    public SSLContext client(String dnsName) throws Exception {
        KeyPair own = pair();
        X509Certificate made =
                sign(own, "CN=client", new GeneralNames(new GeneralName(GeneralName.dNSName, dnsName)), false);
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        store.setKeyEntry("own", own.getPrivate(), new char[0], new Certificate[] {made});
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(store, new char[0]);
        return client(factory);
    }

    private SSLContext client(KeyManagerFactory own) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("ca", certificate);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own == null ? null : own.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
