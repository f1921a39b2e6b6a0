package io.daosmesh.transport.tls;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Role;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

/** What lay in all files of one transport at one moment, so that what was compared is what is used. Immutable. */
record TlsFiles(One ca, One certificate, One key, Optional<One> revocations) {
    record One(Path path, byte[] bytes) {
        boolean isSame(One other) {
            return path.equals(other.path) && Arrays.equals(bytes, other.bytes);
        }
    }

    /** NO_CERT for what is not there, BAD_CERT for what others may read or change. */
    static TlsFiles read(NodeConfig.Tls tls, Role role) {
        One ca = certificate(Pem.required(tls.ca(), "ca_cert"), "certificate");
        One certificate = certificate(Pem.required(tls.certificate(), "cert"), "certificate");
        Path keyFile = Pem.required(tls.key(), "key");
        One key = new One(keyFile, Pem.read(keyFile, "key"));
        FileAccess.requireKey(keyFile, role);
        return new TlsFiles(ca, certificate, key, tls.crl().map(crl -> certificate(crl, "revocation list")));
    }

    private static One certificate(Path file, String what) {
        One one = new One(file, Pem.read(file, what));
        FileAccess.requireCertificate(file);
        return one;
    }

    boolean isSame(TlsFiles other) {
        return ca.isSame(other.ca)
                && certificate.isSame(other.certificate)
                && key.isSame(other.key)
                && revocations.isPresent() == other.revocations.isPresent()
                && revocations
                        .map(r -> r.isSame(other.revocations.orElseThrow()))
                        .orElse(true);
    }
}
