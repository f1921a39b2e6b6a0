package io.daosmesh.telemetry.http;

import java.io.IOException;
import java.net.Socket;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * What is asked of a TLS connection. Immutable; the parameters are not changed by anyone.
 *
 * @param allowedNames one of these must be among the alternative names of the client's certificate; empty = any
 */
public record TlsTerms(SSLContext context, SSLParameters parameters, Set<String> allowedNames) {
    public TlsTerms {
        allowedNames = Set.copyOf(allowedNames);
    }

    /** Over an accepted socket, handshake done. */
    SSLSocket over(Socket socket) throws IOException {
        SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(socket, null, true);
        tls.setUseClientMode(false);
        tls.setSSLParameters(parameters);
        tls.startHandshake();
        if (!allowedNames.isEmpty())
            checkName((X509Certificate) tls.getSession().getPeerCertificates()[0]);
        return tls;
    }

    private void checkName(X509Certificate certificate) throws SSLException {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            boolean isKnown = names != null && names.stream().anyMatch(n -> allowedNames.contains(n.get(1)));
            if (!isKnown) throw new SSLException("the client's certificate has none of the allowed names");
        } catch (CertificateParsingException e) {
            throw new SSLException("the client's certificate cannot be read", e);
        }
    }
}
