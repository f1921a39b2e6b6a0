package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Role;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLException;

/**
 * Own certificate, key and authority, checked when loaded, so that a mistake is told by the side that made it.
 * Immutable. TLS 1.3 of the JDK; the peer's host name is not compared (a certificate names a role, not a host, as in
 * DAOS); its authority and its role are.
 */
public final class TlsMaterial {
    private final NodeConfig.Tls files;
    private final List<X509Certificate> authority;
    private final List<X509Certificate> chain;
    private final PrivateKey key;

    private TlsMaterial(
            NodeConfig.Tls files, List<X509Certificate> authority, List<X509Certificate> chain, PrivateKey key) {
        this.files = files;
        this.authority = authority;
        this.chain = chain;
        this.key = key;
    }

    /** NO_CERT or BAD_CERT with the file's path and what is wrong with it. */
    public static TlsMaterial load(NodeConfig.Tls tls, Role role) {
        TlsMaterial material = read(tls, role);
        material.check();
        return material;
    }

    /** {@link #load} without {@link #check}. */
    public static TlsMaterial read(NodeConfig.Tls tls, Role role) {
        Path ca = Pem.required(tls.ca(), "ca_cert");
        Path certificate = Pem.required(tls.certificate(), "cert");
        Path keyFile = Pem.required(tls.key(), "key");
        List<X509Certificate> authority = Pem.certificates(ca);
        List<X509Certificate> chain = Pem.certificates(certificate);
        PrivateKey key = Pem.key(keyFile);
        checkValid(authority.get(0), ca);
        checkValid(chain.get(0), certificate);
        checkRole(chain.get(0), certificate, role);
        return new TlsMaterial(tls, authority, chain, key);
    }

    /**
     * BAD_CERT when the authority has not signed the certificate or the key is another's: without this check a handshake fails
     * and says less. Computes for some milliseconds, in a new process for some tens of them.
     */
    public void check() {
        Path certificate = Pem.required(files.certificate(), "cert");
        checkSigned(chain, authority, certificate, Pem.required(files.ca(), "ca_cert"));
        checkKey(chain.get(0), key, Pem.required(files.key(), "key"), certificate);
    }

    public SslContext serverContext() {
        return build(SslContextBuilder.forServer(new OwnKey(key, chain)).clientAuth(ClientAuth.REQUIRE));
    }

    public SslContext clientContext() {
        return build(
                SslContextBuilder.forClient().keyManager(new OwnKey(key, chain)).endpointIdentificationAlgorithm(null));
    }

    private SslContext build(SslContextBuilder builder) {
        try {
            return builder.sslProvider(SslProvider.JDK)
                    .trustManager(authority)
                    .protocols("TLSv1.3")
                    .build();
        } catch (SSLException e) {
            throw Fault.of(FaultCode.BAD_CERT, "certificates cannot be used: %s", String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    private static void checkValid(X509Certificate certificate, Path file) {
        try {
            certificate.checkValidity();
        } catch (CertificateExpiredException e) {
            throw Pem.bad(file, "expired on " + iso(certificate.getNotAfter().toInstant()));
        } catch (CertificateNotYetValidException e) {
            throw Pem.bad(
                    file,
                    "is not valid before " + iso(certificate.getNotBefore().toInstant()));
        }
    }

    private static void checkRole(X509Certificate certificate, Path file, Role role) {
        String name = Roles.commonName(certificate);
        if (!name.equals(Roles.label(role))) {
            throw Fault.of(FaultCode.BAD_CERT, "%s is a certificate for '%s'", file, name)
                    .remedy("name the certificate for '" + Roles.label(role) + "' in transport_config")
                    .asException();
        }
    }

    private static void checkSigned(
            List<X509Certificate> chain, List<X509Certificate> authority, Path file, Path caFile) {
        X509Certificate last = chain.get(chain.size() - 1);
        for (X509Certificate ca : authority) {
            try {
                last.verify(ca.getPublicKey());
                return;
            } catch (GeneralSecurityException e) {
                continue; // not by this one
            }
        }
        throw Pem.bad(file, "is not signed by " + caFile);
    }

    private static void checkKey(X509Certificate certificate, PrivateKey key, Path keyFile, Path file) {
        String algorithm = switch (key.getAlgorithm()) {
            case "EC" -> "SHA256withECDSA";
            case "RSA" -> "SHA256withRSA";
            default -> "EdDSA";
        };
        try {
            byte[] probe = {1, 2, 3, 4};
            Signature s = Signature.getInstance(algorithm);
            s.initSign(key);
            s.update(probe);
            byte[] signed = s.sign();
            s.initVerify(certificate.getPublicKey());
            s.update(probe);
            if (s.verify(signed)) return;
        } catch (GeneralSecurityException e) {
            throw Pem.bad(keyFile, "is not the key of " + file);
        }
        throw Pem.bad(keyFile, "is not the key of " + file);
    }

    private static String iso(Instant at) {
        return at.toString();
    }
}
