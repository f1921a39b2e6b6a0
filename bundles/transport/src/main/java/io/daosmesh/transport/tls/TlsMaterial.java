package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLException;

/**
 * Own certificate, key and authority, checked when loaded, so that a mistake is told by the side that made it.
 * Immutable. TLS 1.3 of the JDK.
 */
public final class TlsMaterial {
    private static final String RENEW = "renew it with daos-certs";

    private final TlsFiles files;
    private final Role role;
    private final List<X509Certificate> authority;
    private final Optional<Shown> shown;
    private final Revocations revocations;

    /** What this process shows of itself. */
    private record Shown(List<X509Certificate> chain, PrivateKey key) {
        X509Certificate certificate() {
            return chain.get(0);
        }
    }

    private TlsMaterial(
            TlsFiles files,
            Role role,
            List<X509Certificate> authority,
            Optional<Shown> shown,
            Revocations revocations) {
        this.files = files;
        this.role = role;
        this.authority = authority;
        this.shown = shown;
        this.revocations = revocations;
    }

    /** NO_CERT or BAD_CERT with the file's path and what is wrong with it. */
    public static TlsMaterial load(NodeConfig.Tls tls, Role role) {
        TlsMaterial material = read(tls, role);
        material.check();
        return material;
    }

    /** {@link #load} without {@link #check}. */
    public static TlsMaterial read(NodeConfig.Tls tls, Role role) {
        return parse(TlsFiles.read(tls, role), role);
    }

    static TlsMaterial parse(TlsFiles files, Role role) {
        Path ca = files.ca().path();
        List<X509Certificate> authority = Pem.certificates(ca, files.ca().bytes());
        Optional<Shown> shown = files.own().map(own -> shown(own, role));
        checkValid(shown.flatMap(s -> issuer(s.chain(), authority)).orElse(authority.get(0)), ca);
        Revocations revocations = files.revocations()
                .map(r -> Revocations.of(Pem.revocationLists(r.path(), r.bytes()), authority, r.path(), Instant.now()))
                .orElse(Revocations.NONE);
        return new TlsMaterial(files, role, authority, shown, revocations);
    }

    private static Shown shown(TlsFiles.Own own, Role role) {
        Path certificate = own.certificate().path();
        List<X509Certificate> chain =
                Pem.certificates(certificate, own.certificate().bytes());
        PrivateKey key = Pem.key(own.key().path(), own.key().bytes());
        checkValid(chain.get(0), certificate);
        checkRole(chain.get(0), certificate, role);
        return new Shown(chain, key);
    }

    /**
     * BAD_CERT when the authority has not signed the certificate or has revoked it, it is not for its use, or the key is
     * another's: without this check a handshake fails and says less. Computes for some milliseconds, in a new process for some
     * tens of them.
     */
    public void check() {
        if (shown.isEmpty()) return;
        TlsFiles.Own own = files.own().orElseThrow();
        checkSigned(
                shown.get().chain(),
                authority,
                own.certificate().path(),
                files.ca().path());
        checkKey(certificate(), key(), own.key().path(), own.certificate().path());
        checkUse(PeerTrust.CLIENT_USE, "a client");
        if (role == Role.SERVER) {
            checkUse(PeerTrust.SERVER_USE, "a server");
            if (own().addresses().isEmpty()) throw unfit("names no address of its server");
        }
        if (revocations.isRevoked(certificate())) throw unfit("is revoked");
    }

    /** BAD_CERT when our certificate is not for this host: no peer would take it. */
    public void checkAddress(String address) {
        if (own().refusal(address).isPresent()) throw unfit("is not for " + address + ", where others reach this node");
    }

    /** NO_CERT when this process has none. */
    public PeerCertificate own() {
        return PeerCertificate.of(certificate());
    }

    public Revocations revocations() {
        return revocations;
    }

    /** When what ends, as the metric's label says: own, ca (the one that signed it), crl. */
    public Map<String, Instant> ends() {
        Map<String, Instant> ends = new LinkedHashMap<>();
        shown.ifPresent(s -> ends.put("own", s.certificate().getNotAfter().toInstant()));
        X509Certificate ca = shown.flatMap(s -> issuer(s.chain(), authority)).orElse(authority.get(0));
        ends.put("ca", ca.getNotAfter().toInstant());
        revocations.expires().ifPresent(at -> ends.put("crl", at));
        return ends;
    }

    TlsFiles files() {
        return files;
    }

    /** NO_CERT when this process has none. */
    public PrivateKey key() {
        return required().key();
    }

    /** NO_CERT when this process has none. */
    public X509Certificate certificate() {
        return required().certificate();
    }

    /** A client without a certificate may shake hands: its credential decides whether it is let in. */
    public SslContext serverContext() {
        Shown own = required();
        return build(
                SslContextBuilder.forServer(new OwnKey(own.key(), own.chain())).clientAuth(ClientAuth.OPTIONAL));
    }

    /** Whose host it is, is compared after the handshake, where the refusal can be told in full. */
    public SslContext clientContext() {
        SslContextBuilder builder = SslContextBuilder.forClient().endpointIdentificationAlgorithm(null);
        shown.ifPresent(s -> builder.keyManager(new OwnKey(s.key(), s.chain())));
        return build(builder);
    }

    /** NO_PERM when a certificate that did not come by a handshake would not be taken in one. */
    public void checkTrusted(X509Certificate certificate) {
        try {
            new PeerTrust(authority, revocations).checkClientTrusted(new X509Certificate[] {certificate}, "UNKNOWN");
        } catch (CertificateException e) {
            throw Fault.of(
                            FaultCode.NO_PERM,
                            "the certificate of the agent is refused: %s",
                            String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    /** Owner: the event loop of the connection. */
    public boolean isRevoked(SslHandler tls) {
        return PeerCertificate.leaf(tls).filter(revocations::isRevoked).isPresent();
    }

    private Shown required() {
        return shown.orElseThrow(() ->
                Fault.of(FaultCode.NO_CERT, "this process has no certificate").asException());
    }

    private SslContext build(SslContextBuilder builder) {
        try {
            return builder.sslProvider(SslProvider.JDK)
                    .trustManager(new PeerTrust(authority, revocations))
                    .protocols("TLSv1.3")
                    .build();
        } catch (SSLException e) {
            throw Fault.of(FaultCode.BAD_CERT, "certificates cannot be used: %s", String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    private void checkUse(String use, String side) {
        try {
            if (PeerTrust.isFor(certificate(), use)) return;
        } catch (CertificateException e) {
            throw unfit("has a use that cannot be read");
        }
        throw unfit("is not for " + side + " of TLS");
    }

    private RuntimeException unfit(String why) {
        return Fault.of(
                        FaultCode.BAD_CERT,
                        "%s %s",
                        files.own().orElseThrow().certificate().path(),
                        why)
                .remedy(RENEW)
                .asException();
    }

    private static Optional<X509Certificate> issuer(List<X509Certificate> chain, List<X509Certificate> authority) {
        X509Certificate last = chain.get(chain.size() - 1);
        return authority.stream()
                .filter(ca -> ca.getSubjectX500Principal().equals(last.getIssuerX500Principal()))
                .findFirst();
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
