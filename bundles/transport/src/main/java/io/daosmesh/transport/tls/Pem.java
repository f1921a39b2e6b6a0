package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads PEM files with the JDK alone, so that a tool starts fast. Stateless. */
public final class Pem {
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END PRIVATE KEY-----");
    private static final int FILE_BYTES_MAX = 1 << 20;

    private Pem() {}

    /** NO_CERT when absent or unreadable, BAD_CERT when it holds no certificate. */
    public static List<X509Certificate> certificates(Path file) {
        return certificates(file, read(file, "certificate"));
    }

    static List<X509Certificate> certificates(Path file, byte[] bytes) {
        try {
            List<X509Certificate> found = new ArrayList<>();
            for (Certificate c :
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(bytes))) {
                found.add((X509Certificate) c);
            }
            if (!found.isEmpty()) return found;
        } catch (GeneralSecurityException e) {
            throw bad(file, "is damaged: " + e.getMessage());
        }
        throw bad(file, "holds no certificate");
    }

    /** PKCS#8, not encrypted. NO_CERT when absent or unreadable, BAD_CERT when it holds no such key. */
    public static PrivateKey key(Path file) {
        return key(file, read(file, "key"));
    }

    static PrivateKey key(Path file, byte[] bytes) {
        Matcher m = KEY.matcher(new String(bytes, StandardCharsets.US_ASCII));
        if (!m.find()) throw bad(file, "holds no unencrypted PKCS#8 private key");
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

    /** Revocation lists. NO_CERT when absent or unreadable, BAD_CERT when it holds none. */
    public static List<X509CRL> revocationLists(Path file) {
        return revocationLists(file, read(file, "revocation list"));
    }

    static List<X509CRL> revocationLists(Path file, byte[] bytes) {
        try {
            List<X509CRL> found = new ArrayList<>();
            for (CRL list : CertificateFactory.getInstance("X.509").generateCRLs(new ByteArrayInputStream(bytes))) {
                found.add((X509CRL) list);
            }
            if (!found.isEmpty()) return found;
        } catch (GeneralSecurityException e) {
            throw bad(file, "is damaged: " + e.getMessage());
        }
        throw bad(file, "holds no revocation list");
    }

    static RuntimeException bad(Path file, String what) {
        return Fault.of(FaultCode.BAD_CERT, "%s %s", file, what).asException();
    }

    static Path required(Optional<Path> file, String key) {
        return file.orElseThrow(() -> Fault.of(FaultCode.NO_CERT, "transport_config has no %s", key)
                .remedy("name the file in transport_config, or set allow_insecure: true")
                .asException());
    }

    static byte[] read(Path file, String what) {
        try {
            if (Files.size(file) > FILE_BYTES_MAX) throw bad(file, "is too large for a " + what);
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw noCert("%s file %s does not exist", what, file);
        } catch (AccessDeniedException e) {
            throw noCert("%s file %s may not be read", what, file);
        } catch (IOException e) {
            throw noCert("%s file %s cannot be read: %s", what, file, String.valueOf(e.getMessage()));
        }
    }

    private static RuntimeException noCert(String format, Object... args) {
        return Fault.of(FaultCode.NO_CERT, format, args)
                .remedy("check transport_config, or make certificates with daos-certs")
                .asException();
    }
}
