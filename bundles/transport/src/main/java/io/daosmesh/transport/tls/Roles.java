package io.daosmesh.transport.tls;

import io.daosmesh.model.rpc.Role;
import java.security.cert.X509Certificate;
import java.util.Locale;
import java.util.Optional;
import javax.security.auth.x500.X500Principal;

/** The role that a certificate's common name gives, as in DAOS: server, admin, agent. Stateless. */
public final class Roles {
    private Roles() {}

    public static Optional<Role> of(X509Certificate certificate) {
        return named(commonName(certificate));
    }

    public static Optional<Role> named(String name) {
        for (Role role : Role.values()) {
            if (label(role).equals(name)) return Optional.of(role);
        }
        return Optional.empty();
    }

    public static String label(Role role) {
        return role.name().toLowerCase(Locale.ROOT);
    }

    /** Empty when there is none. */
    public static String commonName(X509Certificate certificate) {
        String name = certificate.getSubjectX500Principal().getName(X500Principal.RFC2253);
        for (String part : name.split("(?<!\\\\),")) {
            if (part.startsWith("CN=")) return part.substring(3);
        }
        return "";
    }
}
