package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.tls.Roles;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The contract with mutual TLS. */
class TlsTransportTest extends TransportContract {
    @TempDir
    static Path certificates;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return files(certificates, role, false);
    }

    static NodeConfig.Tls files(Path dir, Role role, boolean clearData) {
        String name = Roles.label(role);
        return new NodeConfig.Tls(
                false,
                clearData,
                Optional.of(dir.resolve("daosCA.crt")),
                Optional.of(dir.resolve(name + ".crt")),
                Optional.of(dir.resolve(name + ".key")));
    }
}
