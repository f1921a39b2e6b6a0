package io.daosmesh.cli.metrics;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.transport.tls.Pem;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Set;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

/** Reads the metrics page of a host with what the JDK has. Stateless. */
public final class MetricsPage {
    private static final int WAIT_MAX_MS = 5_000;
    /** A scrape of a busy node is some hundred KiB. */
    private static final int BYTES_MAX = 16 << 20;

    private static final int PASSWORD_BYTES_MAX = 1024;
    private static final int TOO_MANY_REQUESTS = 429;

    private MetricsPage() {}

    /** NO_PERM for who may not, BAD_CERT for certificates that do not fit, UNREACH when nobody answers. @param at host:port */
    public static String read(String at, MetricsAccess access) {
        String url = (access.isTls() ? "https://" : "http://") + at + "/metrics";
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) URI.create(url).toURL().openConnection(java.net.Proxy.NO_PROXY);
            connection.setConnectTimeout(WAIT_MAX_MS);
            connection.setReadTimeout(WAIT_MAX_MS);
            // a password goes nowhere else
            connection.setInstanceFollowRedirects(false);
            connection.setRequestProperty("Accept", "text/plain");
            if (access.user().isPresent()) connection.setRequestProperty("Authorization", basic(access));
            if (connection instanceof HttpsURLConnection tls) {
                tls.setSSLSocketFactory(context(access).getSocketFactory());
            }
            int status = connection.getResponseCode();
            if (status != HttpURLConnection.HTTP_OK) throw refused(at, status, access);
            try (InputStream in = connection.getInputStream()) {
                return new String(in.readNBytes(BYTES_MAX), StandardCharsets.UTF_8);
            }
        } catch (SSLException e) {
            throw Fault.of(FaultCode.BAD_CERT, "no metrics from %s: %s", url, String.valueOf(e.getMessage()))
                    .remedy(
                            "check tls_config in telemetry_config of daos_control.yml, and that this page is served with TLS")
                    .asException();
        } catch (IOException e) {
            throw Fault.of(FaultCode.UNREACH, "no metrics from %s: %s", url, String.valueOf(e.getMessage()))
                    .remedy("check that telemetry_port of that server is the port given with -p, and"
                            + " telemetry_config.scheme of daos_control.yml")
                    .asException();
        }
    }

    private static RuntimeException refused(String at, int status, MetricsAccess access) {
        if (status == HttpURLConnection.HTTP_UNAUTHORIZED) {
            String who =
                    access.user().map(u -> "user " + u + " or the password").orElse("requests without a user");
            return Fault.of(FaultCode.NO_PERM, "the metrics page of %s refuses %s", at, who)
                    .remedy("set basic_auth in telemetry_config of daos_control.yml")
                    .asException();
        }
        FaultCode code = status == TOO_MANY_REQUESTS || status == HttpURLConnection.HTTP_UNAVAILABLE
                ? FaultCode.BUSY
                : FaultCode.MISC;
        return Fault.of(code, "%s answered with HTTP status %d", at, status).asException();
    }

    private static String basic(MetricsAccess access) throws IOException {
        Path file = access.passwordFile().orElseThrow();
        String password;
        try {
            Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
            if (mode.contains(PosixFilePermission.OTHERS_READ) || mode.contains(PosixFilePermission.OTHERS_WRITE)) {
                throw Fault.of(FaultCode.NO_PERM, "%s is open to everyone", file)
                        .remedy("chmod 0400 " + file)
                        .asException();
            }
            try (InputStream in = Files.newInputStream(file)) {
                // as Prometheus does, without the end of the line
                password = new String(in.readNBytes(PASSWORD_BYTES_MAX), StandardCharsets.UTF_8).strip();
            }
        } catch (IOException e) {
            throw Fault.of(FaultCode.INVAL, "%s cannot be read", file)
                    .remedy("check telemetry_config.basic_auth.password_file of daos_control.yml")
                    .asException();
        }
        String text = access.user().orElseThrow() + ":" + password;
        return "Basic " + Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static SSLContext context(MetricsAccess access) throws IOException {
        try {
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(access.ca().isPresent() ? store(access.ca().get()) : null);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys(access), trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw Fault.of(
                            FaultCode.BAD_CERT,
                            "the certificates of telemetry_config do not serve: %s",
                            String.valueOf(e.getMessage()))
                    .asException();
        }
    }

    private static KeyStore store(Path ca) throws GeneralSecurityException, IOException {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        int number = 0;
        for (X509Certificate c : Pem.certificates(ca)) trusted.setCertificateEntry("ca" + number++, c);
        return trusted;
    }

    private static javax.net.ssl.KeyManager[] keys(MetricsAccess access) throws GeneralSecurityException, IOException {
        if (access.key().isEmpty()) return new javax.net.ssl.KeyManager[0];
        Certificate[] chain =
                Pem.certificates(access.certificate().orElseThrow()).toArray(Certificate[]::new);
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry("own", Pem.key(access.key().get()), new char[0], chain);
        KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        factory.init(own, new char[0]);
        return factory.getKeyManagers();
    }
}
