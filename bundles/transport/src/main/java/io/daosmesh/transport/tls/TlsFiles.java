package io.daosmesh.transport.tls;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** What lay in all files of one transport at one moment, so that what was compared is what is used. Immutable. */
record TlsFiles(One ca, Optional<Own> own, Optional<One> revocations) {
    /** Absent for a client of an agent, which has its credential instead. */
    record Own(One certificate, One key) {}

    record One(Path path, byte[] bytes) {
        boolean isSame(One other) {
            return path.equals(other.path) && Arrays.equals(bytes, other.bytes);
        }
    }

    /** NO_CERT for what is not there, BAD_CERT for what others may read or change. */
    static TlsFiles read(NodeConfig.Tls tls, Role role) {
        One ca = certificate(Pem.required(tls.ca(), "ca_cert"), "certificate");
        boolean isNobody =
                role == Role.AGENT && tls.certificate().isEmpty() && tls.key().isEmpty();
        Optional<Own> own = isNobody ? Optional.empty() : Optional.of(own(tls, role));
        return new TlsFiles(ca, own, tls.crl().map(crl -> certificate(crl, "revocation list")));
    }

    private static Own own(NodeConfig.Tls tls, Role role) {
        One certificate = certificate(Pem.required(tls.certificate(), "cert"), "certificate");
        Path keyFile = Pem.required(tls.key(), "key");
        One key = new One(keyFile, Pem.read(keyFile, "key"));
        FileAccess.requireKey(keyFile, role);
        return new Own(certificate, key);
    }

    private static One certificate(Path file, String what) {
        One one = new One(file, Pem.read(file, what));
        FileAccess.requireCertificate(file);
        return one;
    }

    boolean isSame(TlsFiles other) {
        return parts().size() == other.parts().size()
                && IntStream.range(0, parts().size())
                        .allMatch(i -> parts().get(i).isSame(other.parts().get(i)));
    }

    private List<One> parts() {
        List<One> all = new ArrayList<>(List.of(ca));
        own.ifPresent(o -> all.addAll(List.of(o.certificate(), o.key())));
        revocations.ifPresent(all::add);
        return all;
    }
}
