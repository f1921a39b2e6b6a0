package io.daosmesh.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.transport.ClientTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HeadStartTest {
    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void writeConfiguration() throws IOException {
        file = folder.resolve("daos_control.yml");
        // nobody listens there: a head start that finds no server is none
        Files.writeString(file, "hostlist: ['127.0.0.1:1']\ntransport_config: {allow_insecure: true}\n");
    }

    @Test
    void shouldHandOverConfigurationAndTransportOnce() {
        try (HeadStart start = HeadStart.of("-o", file.toString(), "system", "query")) {
            DmgConfig config = start.config(Optional.of(file)).orElseThrow();

            Optional<ClientTransport> taken = start.take(config);

            assertEquals(DmgConfig.read(file), config);
            assertTrue(taken.isPresent());
            assertFalse(start.take(config).isPresent());
            taken.get().close();
        }
    }

    @Test
    void shouldNotHandOverWhatTheCallDoesNotWant() {
        try (HeadStart start = HeadStart.of("--config-path=" + file, "system", "query")) {
            assertFalse(start.take(DmgConfig.read(file)).isPresent());
            assertFalse(start.config(Optional.empty()).isPresent());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"version", "--help", "-l", "--host-list=a", "-i", "-d", "--log-file=x", "-jd", "-lhost"})
    void shouldBeginNothingForCallsThatConnectElsewhereOrNowhere(String word) {
        try (HeadStart start = HeadStart.of("-o", file.toString(), word, "system", "query")) {
            assertFalse(start.config(Optional.of(file)).isPresent());
        }
    }

    @Test
    void shouldLeaveABadConfigurationToTheCall() throws IOException {
        Files.writeString(file, "hostlist: []\n");

        try (HeadStart start = HeadStart.of("-o", file.toString(), "system", "query")) {
            assertFalse(start.config(Optional.of(file)).isPresent());
        }
    }
}
