package io.daosmesh.transport.certs;

import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.tls.Roles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** One line a certificate: file, name, who signed it, how long it is valid. Stateless. */
public final class CertificateList {
    private CertificateList() {}

    public static List<String> describe(Path dir, Instant now) {
        List<String> names = new ArrayList<>(List.of("daosCA"));
        names.addAll(CertificateMaker.ROLES);
        List<String> lines = new ArrayList<>();
        for (String name : names) {
            Path file = dir.resolve(name + ".crt");
            boolean hasKey = Files.exists(dir.resolve(name + ".key"));
            X509Certificate c = Pem.certificates(file).get(0);
            Instant end = c.getNotAfter().toInstant();
            long days = Duration.between(now, end).toDays();
            lines.add(String.format(
                    "%-10s CN=%-28s %s %s%s",
                    name,
                    Roles.commonName(c),
                    end.isBefore(now) ? "EXPIRED on" : "valid until",
                    end,
                    (end.isBefore(now) ? "" : " (" + days + " days)") + (hasKey ? "" : ", no key here")));
        }
        return lines;
    }
}
