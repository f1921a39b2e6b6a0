package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.tls.PeerCertificate;
import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.tls.Roles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Fills a folder with what a node or a tool needs: the authority's certificate, and key and certificate of a role, whose
 * common name is the role as in DAOS. One thread.
 */
public final class CertificateMaker {
    public static final List<String> ROLES = List.of("server", "admin", "agent");
    private static final List<String> LOOPBACK = List.of("localhost", "127.0.0.1", "::1");

    private final Path dir;
    private final Life authorityLife;
    private final Life life;

    public CertificateMaker(Path dir, Instant now) {
        this(dir, Life.days(now, Life.AUTHORITY_DAYS), Life.days(now, Life.DAYS));
    }

    /** For tests: certificates of any life. */
    public CertificateMaker(Path dir, Instant from, Instant until) {
        this(dir, new Life(from, until), new Life(from, until));
    }

    public CertificateMaker(Path dir, Life authorityLife, Life life) {
        this.dir = dir;
        this.authorityLife = authorityLife;
        this.life = life;
    }

    /** All that a mesh on one machine needs, its authority's key among them. */
    public List<Path> generate(boolean force) {
        return generate(force, List.of());
    }

    /**
     * Writes all files and returns their paths. EXIST when one is there and {@code force} is not given.
     *
     * @param addresses of the server besides those of the loopback interface
     */
    public List<Path> generate(boolean force, Collection<String> addresses) {
        for (String role : ROLES) {
            if (!force) refuseExisting(role);
        }
        PemFiles.folder(dir, "rwxr-x---");
        Authority authority = Authority.make(dir, authorityLife, force);
        List<Path> written = new ArrayList<>(List.of(file(Authority.NAME, ".crt"), file(Authority.NAME, ".key")));
        Set<String> all = new TreeSet<>(LOOPBACK);
        all.addAll(addresses);
        for (Role role : Role.values()) {
            written.addAll(write(role, authority.issue(role, role == Role.SERVER ? all : Set.of(), life)));
        }
        return written;
    }

    /** Key and certificate of one role. EXIST as above; INVAL when the authority's key would lie beside a role's. */
    public List<Path> issue(Authority authority, Role role, Collection<String> addresses, boolean force) {
        if (dir.toAbsolutePath()
                .normalize()
                .equals(authority.dir().toAbsolutePath().normalize())) {
            throw Fault.of(FaultCode.INVAL, "%s is the authority's own folder", dir)
                    .remedy("keep the authority's key away from nodes: give another --dir")
                    .asException();
        }
        if (!force) refuseExisting(Roles.label(role));
        PemFiles.folder(dir, "rwxr-x---");
        trust(authority);
        return write(role, authority.issue(role, addresses, life));
    }

    /** New keys and certificates in place of all that are there, for the same roles and addresses. */
    public List<Path> renew(Authority authority) {
        List<Path> written = new ArrayList<>();
        for (Role role : Role.values()) {
            Path old = file(Roles.label(role), ".crt");
            if (!Files.exists(old)) continue;
            PeerCertificate was = PeerCertificate.of(Pem.certificates(old).get(0));
            trust(authority);
            written.addAll(write(role, authority.issue(role, was.addresses(), life)));
        }
        if (written.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "%s holds no certificate of a server, admin or agent", dir)
                    .remedy("make the first one with daos-certs issue")
                    .asException();
        }
        return written;
    }

    /** A node that does not trust its own authority yet would refuse what is issued now, and so would its peers. */
    private void trust(Authority authority) {
        Path file = file(Authority.NAME, ".crt");
        if (!Files.exists(file)) {
            PemFiles.certificate(file, encoded(authority.certificate()));
        } else if (!Pem.certificates(file).contains(authority.certificate())) {
            throw Fault.of(FaultCode.BAD_CERT, "%s does not hold the certificate of this authority", file)
                    .remedy("first append it there and on all other hosts")
                    .asException();
        }
    }

    private void refuseExisting(String name) {
        Authority.refuseExisting(file(name, ".crt"));
        Authority.refuseExisting(file(name, ".key"));
    }

    /** The key first: a node that looks in between sees that they do not belong together and looks again. */
    private List<Path> write(Role role, Authority.Signed signed) {
        Path certificate = file(Roles.label(role), ".crt");
        Path key = file(Roles.label(role), ".key");
        PemFiles.key(key, signed.key().getEncoded());
        PemFiles.certificate(certificate, encoded(signed.certificate()));
        return List.of(certificate, key);
    }

    private Path file(String name, String end) {
        return dir.resolve(name + end);
    }

    private static byte[] encoded(X509Certificate c) {
        try {
            return c.getEncoded();
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException(e);
        }
    }
}
