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
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Own certificate, key and authority, checked when loaded, so that a mistake is told by the side that made it.
 * Immutable. TLS 1.3 of the JDK; the peer's host name is not compared (a certificate names a role, not a host, as in
 * DAOS); its authority and its role are.
 */
public final class TlsMaterial {
    private final NodeConfig.Tls files;
    private final List<X509Certificate> authority;
    private final Optional<Own> own;

    /** What this process shows of itself. */
    private record Own(List<X509Certificate> chain, PrivateKey key) {}

    private TlsMaterial(NodeConfig.Tls files, List<X509Certificate> authority, Optional<Own> own) {
        this.files = files;
        this.authority = authority;
        this.own = own;
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
        if (role == Role.AGENT && tls.certificate().isEmpty() && tls.key().isEmpty()) {
            List<X509Certificate> authority = Pem.certificates(ca);
            checkValid(authority.get(0), ca);
            return new TlsMaterial(tls, authority, Optional.empty());
        }
        Path certificate = Pem.required(tls.certificate(), "cert");
        Path keyFile = Pem.required(tls.key(), "key");
        List<X509Certificate> authority = Pem.certificates(ca);
        List<X509Certificate> chain = Pem.certificates(certificate);
        PrivateKey key = Pem.key(keyFile);
        checkValid(authority.get(0), ca);
        checkValid(chain.get(0), certificate);
        checkRole(chain.get(0), certificate, role);
        return new TlsMaterial(tls, authority, Optional.of(new Own(chain, key)));
    }

    /**
     * BAD_CERT when the authority has not signed the certificate or the key is another's: without this check a handshake fails
     * and says less. Computes for some milliseconds, in a new process for some tens of them.
     */
    public void check() {
        if (own.isEmpty()) return;
        Path certificate = Pem.required(files.certificate(), "cert");
        checkSigned(own.get().chain(), authority, certificate, Pem.required(files.ca(), "ca_cert"));
        checkKey(own.get().chain().get(0), own.get().key(), Pem.required(files.key(), "key"), certificate);
    }

    /** NO_CERT when this process has none. */
    public PrivateKey key() {
        return required().key();
    }

    /** NO_CERT when this process has none. */
    public X509Certificate certificate() {
        return required().chain().get(0);
    }

    /** A client without a certificate may shake hands: its credential decides whether it is let in. */
    public SslContext serverContext() {
        Own shown = required();
        return build(SslContextBuilder.forServer(new OwnKey(shown.key(), shown.chain()))
                .clientAuth(ClientAuth.OPTIONAL));
    }

    public SslContext clientContext() {
        SslContextBuilder builder = SslContextBuilder.forClient().endpointIdentificationAlgorithm(null);
        own.ifPresent(o -> builder.keyManager(new OwnKey(o.key(), o.chain())));
        return build(builder);
    }

    /** NO_PERM when a certificate that did not come by a handshake is not this authority's or is out of date. */
    public void checkTrusted(X509Certificate certificate) {
        for (X509Certificate ca : authority) {
            try {
                certificate.checkValidity();
                certificate.verify(ca.getPublicKey());
                return;
            } catch (GeneralSecurityException e) {
                continue; // not by this one
            }
        }
        throw Fault.of(
                        FaultCode.NO_PERM,
                        "a certificate shown is not signed by this system's authority, or has expired")
                .asException();
    }

    private Own required() {
        return own.orElseThrow(() ->
                Fault.of(FaultCode.NO_CERT, "this process has no certificate").asException());
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
