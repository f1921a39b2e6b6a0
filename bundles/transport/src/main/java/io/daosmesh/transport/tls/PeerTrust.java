package io.daosmesh.transport.tls;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Whose certificates are taken: the JDK's rules for our authorities alone, and what it leaves out: the life of the authority
 * itself, a stated use, our revocation list. Immutable; any thread.
 */
final class PeerTrust extends X509ExtendedTrustManager {
    static final String SERVER_USE = "1.3.6.1.5.5.7.3.1";
    static final String CLIENT_USE = "1.3.6.1.5.5.7.3.2";

    private final X509ExtendedTrustManager rules;
    private final List<X509Certificate> authority;
    private final Revocations revocations;

    PeerTrust(List<X509Certificate> authority, Revocations revocations) {
        this.authority = authority;
        this.revocations = revocations;
        this.rules = rules(authority);
    }

    /** Without a key store, which a tool's start would have to pay for. */
    private static X509ExtendedTrustManager rules(List<X509Certificate> authority) {
        try {
            Set<TrustAnchor> anchors = new HashSet<>();
            for (X509Certificate ca : authority) anchors.add(new TrustAnchor(ca, null));
            PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, null);
            // our own look-up instead: the JDK's would refuse everybody once the list is a day late
            parameters.setRevocationEnabled(false);
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(new CertPathTrustManagerParameters(parameters));
            for (TrustManager m : factory.getTrustManagers()) {
                if (m instanceof X509ExtendedTrustManager x) return x;
            }
        } catch (GeneralSecurityException e) {
            throw Fault.of(FaultCode.BAD_CERT, "the authority cannot be used: %s", String.valueOf(e.getMessage()))
                    .asException();
        }
        throw new IllegalStateException("the JDK has no PKIX trust manager");
    }

    private void check(X509Certificate[] chain, String use, String side) throws CertificateException {
        X509Certificate last = chain[chain.length - 1];
        for (X509Certificate ca : authority) {
            if (!ca.getSubjectX500Principal().equals(last.getIssuerX500Principal())) continue;
            try {
                ca.checkValidity();
            } catch (CertificateException e) {
                throw RefusedCertificate.expiredAuthority(ca, e);
            }
        }
        for (X509Certificate c : chain) {
            if (revocations.isRevoked(c)) throw RefusedCertificate.revoked(c);
        }
        if (!isFor(chain[0], use)) throw RefusedCertificate.wrongUse(chain[0], side);
    }

    /** A certificate that names no use is for none. */
    static boolean isFor(X509Certificate c, String use) throws CertificateException {
        List<String> uses = c.getExtendedKeyUsage();
        return uses != null && uses.contains(use);
    }

    private void checkServer(X509Certificate[] chain) throws CertificateException {
        check(chain, SERVER_USE, "server of TLS");
    }

    private void checkClient(X509Certificate[] chain) throws CertificateException {
        check(chain, CLIENT_USE, "client of TLS");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        rules.checkClientTrusted(chain, authType, engine);
        checkClient(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        rules.checkServerTrusted(chain, authType, engine);
        checkServer(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        rules.checkClientTrusted(chain, authType, socket);
        checkClient(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        rules.checkServerTrusted(chain, authType, socket);
        checkServer(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        rules.checkClientTrusted(chain, authType);
        checkClient(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        rules.checkServerTrusted(chain, authType);
        checkServer(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return rules.getAcceptedIssuers();
    }
}
