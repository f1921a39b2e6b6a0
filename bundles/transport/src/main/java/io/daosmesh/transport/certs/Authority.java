package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.tls.FileAccess;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.tls.Roles;
import io.netty.util.NetUtil;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLNumber;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.jcajce.JcaX509CRLConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * Who signs the certificates of a system: its folder holds {@code daosCA.crt}, {@code daosCA.key}, a copy of each certificate
 * it has issued and its revocation list. EC P-256. One thread.
 */
public final class Authority {
    public static final String NAME = "daosCA";
    static final String ISSUED = "issued";
    private static final int ADDRESSES_MAX = 64;
    private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})");
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path dir;
    private final X509Certificate certificate;
    private final PrivateKey key;

    /** Fresh from the press; nothing is written yet. */
    public record Signed(X509Certificate certificate, PrivateKey key) {}

    private Authority(Path dir, X509Certificate certificate, PrivateKey key) {
        this.dir = dir;
        this.certificate = certificate;
        this.key = key;
    }

    /** A new one, written to its folder. EXIST when there is one and {@code force} is not given. */
    public static Authority make(Path dir, Life life, boolean force) {
        for (String end : List.of(".crt", ".key")) {
            if (!force) refuseExisting(dir.resolve(NAME + end));
        }
        return crypto(() -> {
            KeyPair keys = keys();
            X500Name name = new X500Name("O=Daos Mesh,CN=Daos Mesh CA " + Long.toHexString(RANDOM.nextLong()));
            JcaX509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(
                    name, serial(), Date.from(life.from()), Date.from(life.until()), name, keys.getPublic());
            b.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
            b.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
            X509Certificate made = new JcaX509CertificateConverter().getCertificate(b.build(signer(keys.getPrivate())));
            PemFiles.folder(dir, "rwx------");
            PemFiles.key(dir.resolve(NAME + ".key"), keys.getPrivate().getEncoded());
            PemFiles.certificate(dir.resolve(NAME + ".crt"), made.getEncoded());
            return new Authority(dir, made, keys.getPrivate());
        });
    }

    /** NO_CERT or BAD_CERT when its files are not there, not its own, or open to others. */
    public static Authority open(Path dir) {
        Path keyFile = dir.resolve(NAME + ".key");
        X509Certificate certificate =
                Pem.certificates(dir.resolve(NAME + ".crt")).get(0);
        PrivateKey key = Pem.key(keyFile);
        FileAccess.requireKey(keyFile, Role.SERVER);
        return new Authority(dir, certificate, key);
    }

    static void refuseExisting(Path file) {
        if (!Files.exists(file)) return;
        throw Fault.of(FaultCode.EXIST, "%s is there already", file)
                .remedy("choose another folder, or replace what is there with --force")
                .asException();
    }

    public X509Certificate certificate() {
        return certificate;
    }

    Path dir() {
        return dir;
    }

    /**
     * A new key and a certificate for it; a copy of the certificate stays here.
     *
     * @param addresses names and IP addresses of a server, which needs one; INVAL for what is none
     */
    public Signed issue(Role role, Collection<String> addresses, Life wanted) {
        GeneralName[] names = addresses.stream().map(Authority::name).toArray(GeneralName[]::new);
        if (names.length > ADDRESSES_MAX || (role == Role.SERVER && names.length == 0)) {
            throw Fault.of(FaultCode.INVAL, "a server's certificate wants 1 to %d addresses", ADDRESSES_MAX)
                    .remedy("name with --address how other hosts reach the server")
                    .asException();
        }
        Life life = wanted.within(certificate);
        return crypto(() -> {
            KeyPair keys = keys();
            JcaX509v3CertificateBuilder b = new JcaX509v3CertificateBuilder(
                    certificate,
                    serial(),
                    Date.from(life.from()),
                    Date.from(life.until()),
                    new X500Principal("O=Daos Mesh,CN=" + Roles.label(role)),
                    keys.getPublic());
            b.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
            b.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
            b.addExtension(Extension.extendedKeyUsage, true, new ExtendedKeyUsage(uses(role)));
            if (names.length > 0) b.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
            X509Certificate made = new JcaX509CertificateConverter().getCertificate(b.build(signer(key)));
            PemFiles.folder(dir.resolve(ISSUED), "rwx------");
            PemFiles.certificate(issued(made.getSerialNumber()), made.getEncoded());
            return new Signed(made, keys.getPrivate());
        });
    }

    /** Servers call each other; the others never serve. */
    private static KeyPurposeId[] uses(Role role) {
        return role == Role.SERVER
                ? new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}
                : new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth};
    }

    private static GeneralName name(String address) {
        if (NetUtil.isValidIpV4Address(address) || NetUtil.isValidIpV6Address(address)) {
            return new GeneralName(GeneralName.iPAddress, address);
        }
        if (HOST_NAME.matcher(address).matches()) return new GeneralName(GeneralName.dNSName, address);
        throw Fault.of(FaultCode.INVAL, "'%s' is neither a host name nor an IP address", address)
                .remedy("give --address HOST[,HOST] without ports")
                .asException();
    }

    Path issued(BigInteger serial) {
        return dir.resolve(ISSUED).resolve(PeerCertificate.text(serial) + ".crt");
    }

    public Path revocationFile() {
        return dir.resolve(NAME + ".crl");
    }

    /** Serial numbers on the list, with the time of their revocation. */
    public Map<BigInteger, Date> revoked() {
        Map<BigInteger, Date> revoked = new TreeMap<>();
        if (!Files.exists(revocationFile())) return revoked;
        Set<? extends X509CRLEntry> entries = last().getRevokedCertificates();
        if (entries != null) entries.forEach(e -> revoked.put(e.getSerialNumber(), e.getRevocationDate()));
        return revoked;
    }

    /** Its last list; BAD_CERT when somebody else has signed it. */
    private X509CRL last() {
        X509CRL list = Pem.revocationLists(revocationFile()).get(0);
        try {
            list.verify(certificate.getPublicKey());
            return list;
        } catch (GeneralSecurityException e) {
            throw Fault.of(FaultCode.BAD_CERT, "%s is not signed by this authority", revocationFile())
                    .remedy("put the authority's own list there, or remove the file and revoke again")
                    .asException();
        }
    }

    /** Writes the list anew with these added. INVAL for a certificate of another authority. */
    public Path revoke(List<X509Certificate> added, Instant now, Life wanted) {
        Map<BigInteger, Date> revoked = revoked();
        for (X509Certificate c : added) {
            requireOwn(c);
            revoked.putIfAbsent(c.getSerialNumber(), Date.from(now));
        }
        Life life = wanted.within(certificate);
        return crypto(() -> {
            JcaX509v2CRLBuilder b = new JcaX509v2CRLBuilder(certificate, Date.from(life.from()));
            b.setNextUpdate(Date.from(life.until()));
            revoked.forEach((serial, at) -> b.addCRLEntry(serial, at, CRLReason.unspecified));
            b.addExtension(Extension.cRLNumber, false, new CRLNumber(nextNumber()));
            X509CRL list = new JcaX509CRLConverter().getCRL(b.build(signer(key)));
            PemFiles.revocationList(revocationFile(), list.getEncoded());
            return revocationFile();
        });
    }

    private BigInteger nextNumber() {
        if (!Files.exists(revocationFile())) return BigInteger.ONE;
        byte[] wrapped = last().getExtensionValue(Extension.cRLNumber.getId());
        if (wrapped == null) return BigInteger.ONE;
        byte[] number = ASN1OctetString.getInstance(wrapped).getOctets();
        return ASN1Integer.getInstance(number).getValue().add(BigInteger.ONE);
    }

    private void requireOwn(X509Certificate c) {
        try {
            c.verify(certificate.getPublicKey());
        } catch (GeneralSecurityException e) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "the certificate %s is of another authority",
                            PeerCertificate.text(c.getSerialNumber()))
                    .remedy("name the folder of its authority with --ca-dir")
                    .asException();
        }
    }

    /** Of all certificates issued here, in the order of their end. */
    public List<X509Certificate> issued() {
        List<X509Certificate> all = new ArrayList<>();
        Path folder = dir.resolve(ISSUED);
        if (!Files.isDirectory(folder)) return all;
        try (var files = Files.newDirectoryStream(folder, "*.crt")) {
            for (Path f : files) all.add(Pem.certificates(f).get(0));
        } catch (java.io.IOException e) {
            throw Fault.of(FaultCode.BADPATH, "%s cannot be read: %s", folder, String.valueOf(e.getMessage()))
                    .asException();
        }
        all.sort((a, b) -> a.getNotAfter().compareTo(b.getNotAfter()));
        return all;
    }

    /** @param serial as printed; NONEXIST when this authority has issued none such */
    public X509Certificate issued(String serial) {
        return issued().stream()
                .filter(c -> PeerCertificate.text(c.getSerialNumber()).equalsIgnoreCase(serial))
                .findFirst()
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "this authority has issued no certificate %s", serial)
                        .remedy("see daos-certs list, or name the certificate's file")
                        .asException());
    }

    private static KeyPair keys() throws GeneralSecurityException {
        KeyPairGenerator g = KeyPairGenerator.getInstance("EC");
        g.initialize(new ECGenParameterSpec("secp256r1"), RANDOM);
        return g.generateKeyPair();
    }

    private static BigInteger serial() {
        return new BigInteger(120, RANDOM);
    }

    private static ContentSigner signer(PrivateKey with) throws OperatorCreationException {
        return new JcaContentSignerBuilder("SHA256withECDSA").build(with);
    }

    private interface Work<T> {
        T run() throws GeneralSecurityException, OperatorCreationException, CertIOException;
    }

    private static <T> T crypto(Work<T> work) {
        try {
            return work.run();
        } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
            throw new IllegalStateException("certificates cannot be made", e);
        }
    }
}
