package io.daosmesh.telemetry.web;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys of the metrics page, read with the JDK alone. Stateless. */
final class Pem {
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
    private static final int FILE_BYTES_MAX = 1 << 20;
    /** The group may read a key, as with DAOS's admin.key: Prometheus's packages give their files to a group. */
    private static final Set<PosixFilePermission> KEY_MODES =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE, PosixFilePermission.GROUP_READ);

    private Pem() {}

    /** NO_CERT when absent or unreadable, BAD_CERT when it holds no certificate. */
    static List<X509Certificate> certificates(Path file) {
        try {
            List<X509Certificate> found = new ArrayList<>();
            CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(read(file)))
                    .forEach(c -> found.add((X509Certificate) c));
            if (!found.isEmpty()) return found;
        } catch (GeneralSecurityException e) {
            throw bad(file, "holds no certificate: " + e.getMessage());
        }
        throw bad(file, "holds no certificate");
    }

    /** PKCS#8, not encrypted. NO_CERT when absent, BAD_CERT when open to others or without such a key. */
    static PrivateKey key(Path file) {
        checkMode(file);
        Matcher m = KEY.matcher(new String(read(file), StandardCharsets.US_ASCII));
        if (!m.find()) {
            throw Fault.of(FaultCode.BAD_CERT, "%s holds no unencrypted PKCS#8 private key", file)
                    .remedy("convert the key: openssl pkcs8 -topk8 -nocrypt")
                    .asException();
        }
        byte[] der;
        try {
            der = Base64.getMimeDecoder().decode(m.group(1));
        } catch (IllegalArgumentException e) {
            throw bad(file, "is damaged");
        }
        for (String algorithm : List.of("EC", "RSA", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
            } catch (GeneralSecurityException e) {
                continue; // a key of another kind
            }
        }
        throw bad(file, "holds a key of an unknown kind");
    }

    private static void checkMode(Path file) {
        Set<PosixFilePermission> mode;
        try {
            mode = Files.getPosixFilePermissions(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        if (KEY_MODES.containsAll(mode)) return;
        throw Fault.of(FaultCode.BAD_CERT, "%s has insecure permissions (suggested: 0400)", file)
                .remedy("chmod 0400 " + file + " (0440 for a group)")
                .asException();
    }

    private static byte[] read(Path file) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) throw bad(file, "is longer than 1 MiB");
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    private static RuntimeException unreadable(Path file, IOException e) {
        return Fault.of(
                        FaultCode.NO_CERT,
                        "%s cannot be read (%s)",
                        file,
                        e.getClass().getSimpleName())
                .remedy("check path and permissions")
                .asException();
    }

    static RuntimeException bad(Path file, String what) {
        return Fault.of(FaultCode.BAD_CERT, "%s %s", file, what)
                .remedy("correct the file")
                .asException();
    }
}
