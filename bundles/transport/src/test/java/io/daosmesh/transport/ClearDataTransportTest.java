package io.daosmesh.transport;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.CertificateMaker;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;

/** The contract with control over TLS and data in the clear. */
@Tag("slow")
class ClearDataTransportTest extends TransportContract {
    @TempDir
    static Path certificates;

    @BeforeAll
    static void makeCertificates() {
        new CertificateMaker(certificates, Instant.now()).generate(false);
    }

    @Override
    NodeConfig.Tls tls(Role role) {
        return TlsTransportTest.files(certificates, role, true);
    }
}
