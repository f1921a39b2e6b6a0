package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.tls.Roles;
import io.daosmesh.transport.tls.TlsMaterial;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** One line a certificate: file, name, how long it is valid, what is wrong with it. Stateless. */
public final class CertificateList {
    private static final Duration AHEAD = Duration.ofDays(30);

    private CertificateList() {}

    /** @param isGood false when something has to be done */
    public record Line(String text, boolean isGood) {}

    /** Of those that are in a folder, the authority among them. NO_CERT without its certificate. */
    public static List<String> describe(Path dir, Instant now) {
        List<String> lines = new ArrayList<>();
        for (String name : names(dir)) {
            boolean hasKey = Files.exists(dir.resolve(name + ".key"));
            X509Certificate c = Pem.certificates(dir.resolve(name + ".crt")).get(0);
            lines.add(String.format(
                    Locale.ROOT,
                    "%-10s CN=%-28s %s%s%s",
                    name,
                    Roles.commonName(c),
                    life(c, now),
                    addresses(c),
                    hasKey ? "" : ", no key here"));
        }
        return lines;
    }

    private static List<String> names(Path dir) {
        List<String> names = new ArrayList<>(List.of(Authority.NAME));
        for (String role : CertificateMaker.ROLES) {
            if (Files.exists(dir.resolve(role + ".crt"))) names.add(role);
        }
        return names;
    }

    /** Those that an authority has issued. */
    public static List<String> issued(Authority authority, Instant now) {
        Set<BigInteger> revoked = authority.revoked().keySet();
        List<String> lines = new ArrayList<>();
        for (X509Certificate c : authority.issued()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%-30s %-6s %s%s%s",
                    PeerCertificate.text(c.getSerialNumber()),
                    Roles.commonName(c),
                    life(c, now),
                    addresses(c),
                    revoked.contains(c.getSerialNumber()) ? ", REVOKED" : ""));
        }
        return lines;
    }

    /** Looks at each role's files in a folder as a node or a tool would, and 30 days ahead. */
    public static List<Line> check(Path dir, Optional<Path> crl, Instant now) {
        List<Line> lines = new ArrayList<>();
        for (Role role : Role.values()) {
            String name = Roles.label(role);
            if (!Files.exists(dir.resolve(name + ".crt"))) continue;
            lines.add(check(dir, name, role, crl, now));
        }
        if (lines.isEmpty()) lines.add(new Line("no certificate of a server, admin or agent in " + dir, false));
        return lines;
    }

    private static Line check(Path dir, String name, Role role, Optional<Path> crl, Instant now) {
        NodeConfig.Tls files = new NodeConfig.Tls(
                false,
                false,
                Optional.of(dir.resolve(Authority.NAME + ".crt")),
                Optional.of(dir.resolve(name + ".crt")),
                Optional.of(dir.resolve(name + ".key")),
                crl);
        try {
            TlsMaterial material = TlsMaterial.load(files, role);
            List<String> soon = new ArrayList<>();
            material.ends().forEach((which, at) -> {
                if (!now.isBefore(at.minus(AHEAD))) soon.add(which + " ends on " + at);
            });
            return new Line(name + ": " + (soon.isEmpty() ? "OK" : String.join(", ", soon)), soon.isEmpty());
        } catch (FaultException e) {
            return new Line(name + ": " + e.fault().text() + "; " + e.fault().remedy(), false);
        }
    }

    private static String life(X509Certificate c, Instant now) {
        Instant end = c.getNotAfter().toInstant();
        long days = Duration.between(now, end).toDays();
        return end.isBefore(now) ? "EXPIRED on " + end : "valid until " + end + " (" + days + " days)";
    }

    private static String addresses(X509Certificate c) {
        Set<String> all = new TreeSet<>(PeerCertificate.of(c).addresses());
        return all.isEmpty() ? "" : " for " + String.join(",", all);
    }
}
