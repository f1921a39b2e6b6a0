package io.daosmesh.telemetry.web;

import io.daosmesh.telemetry.http.TlsTerms;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * {@code tls_server_config} of a web configuration file. Immutable.
 *
 * @param files certificates and key
 */
record TlsSection(TlsTerms terms, List<Path> files) {
    private static final Set<String> KEYS = Set.of(
            "cert_file",
            "key_file",
            "client_ca_file",
            "client_auth_type",
            "client_allowed_sans",
            "min_version",
            "max_version",
            "cipher_suites",
            "prefer_server_cipher_suites");
    private static final Set<String> NOT_BUILT = Set.of("cert", "key", "client_ca", "curve_preferences");
    private static final List<String> VERSIONS = List.of("TLS12", "TLS13");
    private static final List<String> PROTOCOLS = List.of("TLSv1.2", "TLSv1.3");

    TlsSection {
        files = List.copyOf(files);
    }

    /** Who shows a certificate. */
    private enum ClientAuth {
        NoClientCert,
        VerifyClientCertIfGiven,
        RequireAndVerifyClientCert
    }

    static TlsSection read(Section section) {
        section.refuseUnknown(KEYS, NOT_BUILT);
        List<Path> files = new ArrayList<>();
        Path certificate = file(section, "cert_file", files);
        Path key = file(section, "key_file", files);
        ClientAuth auth = clientAuth(section);
        Path ca = auth == ClientAuth.NoClientCert ? null : file(section, "client_ca_file", files);
        if (ca == null && section.has("client_ca_file")) {
            throw section.bad("client_ca_file", "wants client_auth_type RequireAndVerifyClientCert beside it");
        }
        Set<String> names = Set.copyOf(section.texts("client_allowed_sans"));
        if (!names.isEmpty() && auth != ClientAuth.RequireAndVerifyClientCert) {
            throw section.bad("client_allowed_sans", "wants client_auth_type RequireAndVerifyClientCert beside it");
        }
        SSLContext context = context(certificate, key, ca);
        return new TlsSection(new TlsTerms(context, parameters(section, context, auth), names), files);
    }

    private static Path file(Section section, String key, List<Path> files) {
        Path file = section.path(key).orElseThrow(() -> section.bad(key, "is missing"));
        files.add(file);
        return file;
    }

    private static ClientAuth clientAuth(Section section) {
        String given = section.text("client_auth_type").orElse("NoClientCert");
        return Stream.of(ClientAuth.values())
                .filter(a -> a.name().equals(given))
                .findFirst()
                .orElseThrow(() -> section.bad(
                        "client_auth_type",
                        "is one of NoClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert here"));
    }

    private static SSLParameters parameters(Section section, SSLContext context, ClientAuth auth) {
        int from = version(section, "min_version", "TLS12");
        int to = version(section, "max_version", "TLS13");
        if (from > to) throw section.bad("min_version", "is above max_version");
        SSLParameters parameters = context.getDefaultSSLParameters();
        parameters.setProtocols(PROTOCOLS.subList(from, to + 1).toArray(String[]::new));
        parameters.setUseCipherSuitesOrder(section.flag("prefer_server_cipher_suites", true));
        if (section.has("cipher_suites")) {
            // as in Go, the list is for TLS 1.2; those of 1.3 are not chosen
            List<String> suites = new ArrayList<>(section.texts("cipher_suites"));
            Set<String> offered = Set.of(parameters.getCipherSuites());
            for (String suite : suites) {
                if (!offered.contains(suite)) throw section.bad("cipher_suites", suite + " is not offered");
            }
            Stream.of(parameters.getCipherSuites())
                    .filter(s -> !s.contains("_WITH_"))
                    .forEach(suites::add);
            parameters.setCipherSuites(suites.toArray(String[]::new));
        }
        switch (auth) {
            case VerifyClientCertIfGiven -> parameters.setWantClientAuth(true);
            case RequireAndVerifyClientCert -> parameters.setNeedClientAuth(true);
            case NoClientCert -> parameters.setNeedClientAuth(false);
        }
        return parameters;
    }

    private static int version(Section section, String key, String otherwise) {
        int version = VERSIONS.indexOf(section.text(key).orElse(otherwise));
        if (version < 0) throw section.bad(key, "is TLS12 or TLS13: older ones are not offered");
        return version;
    }

    private static SSLContext context(Path certificate, Path key, @Nullable Path ca) {
        List<X509Certificate> chain = Pem.certificates(certificate);
        PrivateKey secret = Pem.key(key);
        try {
            KeyStore own = KeyStore.getInstance("PKCS12");
            own.load(null, null);
            own.setKeyEntry("own", secret, new char[0], chain.toArray(Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(own, new char[0]);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), ca == null ? new TrustManager[0] : trust(ca), null);
            return context;
        } catch (GeneralSecurityException | IOException e) {
            throw Pem.bad(certificate, "and " + key + " do not serve: " + e.getMessage());
        }
    }

    private static TrustManager[] trust(Path ca) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        int number = 0;
        for (X509Certificate c : Pem.certificates(ca)) trusted.setCertificateEntry("ca" + number++, c);
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(trusted);
        return factory.getTrustManagers();
    }
}
