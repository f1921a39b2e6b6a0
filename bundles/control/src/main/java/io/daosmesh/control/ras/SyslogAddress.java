package io.daosmesh.control.ras;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Where syslog lines go: {@code udp://}, {@code tcp://} or {@code tls://} HOST:PORT; without a scheme UDP. Immutable. */
public record SyslogAddress(String scheme, String host, int port) {
    private static final Pattern FORM =
            Pattern.compile("(?:(udp|tcp|tls)://)?(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9._-]+)(?::(\\d{1,5}))?");
    private static final int USUAL = 514;
    private static final int USUAL_TLS = 6514;

    /** Empty when the text is none. */
    public static Optional<SyslogAddress> parse(String text) {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) return Optional.empty();
        String scheme = m.group(1) == null ? "udp" : m.group(1);
        int usual = scheme.equals("tls") ? USUAL_TLS : USUAL;
        int port = m.group(3) == null ? usual : Integer.parseInt(m.group(3));
        if (port < 1 || port > 65535) return Optional.empty();
        return Optional.of(new SyslogAddress(scheme, m.group(2), port));
    }

    /** @param ca authorities that a daemon's certificate may come from; empty = those of the JDK */
    Syslog open(Optional<Path> ca) throws IOException {
        return switch (scheme) {
            case "tcp" -> new SyslogStream(host, port, null);
            case "tls" -> new SyslogStream(host, port, context(ca));
            default -> new SyslogUdp(host, port);
        };
    }

    private static SSLContext context(Optional<Path> ca) throws IOException {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(ca.isPresent() ? store(ca.get()) : (KeyStore) null);
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new IOException("no TLS with " + ca.map(Path::toString).orElse("the JDK's authorities"), e);
        }
    }

    private static KeyStore store(Path ca) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        int number = 0;
        try (InputStream in = new BufferedInputStream(Files.newInputStream(ca))) {
            for (Certificate c : CertificateFactory.getInstance("X.509").generateCertificates(in))
                store.setCertificateEntry("ca" + number++, c);
        }
        return store;
    }

    /** {@code udp://host:514}. */
    public String text() {
        return scheme + "://" + host + ":" + port;
    }
}
