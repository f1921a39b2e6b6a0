package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import io.daosmesh.transport.certs.CertificateMaker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** dmg connects without checking its own certificates first; when that fails it must still say what is wrong with them. */
@Timeout(60)
class DmgCertificatesTest {
    @TempDir
    Path dir;

    private Path ours;
    private Path others;
    private ServerTransport server;

    @BeforeEach
    void serve() {
        ours = certificates("ours");
        others = certificates("others");
        NodeConfig.Tls tls = new NodeConfig.Tls(
                false, false, file(ours, "daosCA.crt"), file(ours, "server.crt"), file(ours, "server.key"));
        server = ServerTransport.open(new ServerSettings("daos_server", "", "127.0.0.1", 0, tls, 1));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Path certificates(String name) {
        Path made = dir.resolve(name);
        new CertificateMaker(made, Instant.now()).generate(false);
        return made;
    }

    private static Optional<Path> file(Path in, String name) {
        return Optional.of(in.resolve(name));
    }

    @Test
    void shouldNameTheKeyThatIsNotTheCertificates() throws IOException {
        Files.copy(others.resolve("admin.key"), ours.resolve("admin.key"), StandardCopyOption.REPLACE_EXISTING);

        String said = query();

        assertTrue(said.contains(ours.resolve("admin.key") + " is not the key of " + ours.resolve("admin.crt")), said);
    }

    @Test
    void shouldNameTheCertificateThatTheAuthorityHasNotSigned() throws IOException {
        for (String name : new String[] {"admin.key", "admin.crt"})
            Files.copy(others.resolve(name), ours.resolve(name), StandardCopyOption.REPLACE_EXISTING);

        String said = query();

        assertTrue(said.contains(ours.resolve("admin.crt") + " is not signed by " + ours.resolve("daosCA.crt")), said);
    }

    private String query() throws IOException {
        Path config = dir.resolve("daos_control.yml");
        Files.writeString(
                config,
                String.format(
                        "hostlist: ['%s']%ntransport_config: {ca_cert: '%s', cert: '%s', key: '%s'}%n",
                        server.address(),
                        ours.resolve("daosCA.crt"),
                        ours.resolve("admin.crt"),
                        ours.resolve("admin.key")));
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream to = new PrintStream(err, true, StandardCharsets.UTF_8);
        String[] args = {"-o", config.toString(), "system", "query"};

        int status = Dmg.run(new DmgRoot(to, to), args);

        assertEquals(1, status);
        return err.toString(StandardCharsets.UTF_8);
    }
}
