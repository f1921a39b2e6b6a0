package io.daosmesh.control.ras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Debian's rsyslog, on loopback with a configuration of its own, and what it has written of events. */
@Timeout(300)
@Tag("slow")
class RsyslogTest {
    private static final Path RSYSLOG = Path.of("/usr/sbin/rsyslogd");
    private static final Duration WRITTEN_MAX = Duration.ofSeconds(30);

    @TempDir
    Path dir;

    private Optional<Process> daemon = Optional.empty();

    @AfterEach
    void stop() throws Exception {
        if (daemon.isEmpty()) return;
        daemon.get().destroy();
        assertTrue(daemon.get().waitFor(20, TimeUnit.SECONDS), "rsyslogd ends");
    }

    @ParameterizedTest
    @ValueSource(strings = {"udp", "tcp"})
    void shouldWriteEventsWithTheirSeverity(String scheme) throws Exception {
        Assumptions.assumeTrue(
                isThere(RSYSLOG, "rsyslog"), "rsyslog is missing and could not be installed with apt-get");
        int port = freePort();
        start(scheme, port, "");

        assertWritten(scheme, raise(scheme + "://127.0.0.1:" + port, Optional.empty()));
    }

    @Test
    void shouldWriteEventsThatCameOverTls() throws Exception {
        Assumptions.assumeTrue(
                isThere(RSYSLOG, "rsyslog"), "rsyslog is missing and could not be installed with apt-get");
        Path driver = Path.of("/usr/lib/" + System.getProperty("os.arch").replace("amd64", "x86_64")
                + "-linux-gnu/rsyslog/lmnsd_gtls.so");
        Assumptions.assumeTrue(
                isThere(driver, "rsyslog-gnutls"), "rsyslog-gnutls is missing and could not be installed with apt-get");
        Assumptions.assumeTrue(Files.isExecutable(Path.of("/usr/bin/openssl")), "openssl is missing");
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                dir.resolve("key.pem").toString(),
                "-out",
                dir.resolve("cert.pem").toString());
        int port = freePort();
        start("tcp", port, " streamDriver.name=\"gtls\" streamDriver.mode=\"1\" streamDriver.authMode=\"anon\"");

        assertWritten("tls", raise("tls://127.0.0.1:" + port, Optional.of(dir.resolve("cert.pem"))));
    }

    /** Raised until they are there: UDP tells nobody that the daemon does not listen yet. */
    private String raise(String syslog, Optional<Path> ca) throws IOException {
        NodeConfig config = new NodeConfig(
                "daos_server",
                "127.0.0.1:10001",
                "127.0.0.1",
                10001,
                List.of("127.0.0.1:10001"),
                "/node1",
                0,
                dir,
                new NodeConfig.Tls(true, false, ca, Optional.empty(), Optional.empty()),
                List.of());
        RasJournal journal = new RasJournal(config, Map.of("syslog", syslog));
        Path out = dir.resolve("out.log");
        long endNs = System.nanoTime() + WRITTEN_MAX.toNanos();
        String text = "";
        while (!text.contains("device_plugged") && System.nanoTime() < endNs) {
            journal.raise(RasId.SWIM_RANK_DEAD, Severity.NOTICE, "SWIM marked rank as dead.", Map.of("rank", "6"));
            journal.raise(RasId.DEVICE_MEDIA_ERROR, Severity.ERROR, "Device: x read error", Map.of("data", "x"));
            journal.raise(RasId.DEVICE_PLUGGED, Severity.WARNING, "Detected hot plugged device: y", Map.of());
            LockSupport.parkNanos(200_000_000);
            text = Files.exists(out) ? Files.readString(out) : "";
        }
        journal.stop();
        return text;
    }

    private static void assertWritten(String scheme, String text) {
        String id = scheme.equals("udp") ? "-" : "swim_rank_dead";
        String head = "daemon|notice|daos_server|" + ProcessHandle.current().pid() + "|" + id + "|";
        Optional<String> line = text.lines().filter(l -> l.startsWith(head)).findFirst();
        assertTrue(line.isPresent(), head + " is not in " + text);
        assertTrue(line.get().contains("&&& RAS EVENT id: [swim_rank_dead] ts: ["), line.get());
        assertTrue(line.get().endsWith("rank: [6]"), line.get());
        assertTrue(text.contains("daemon|err|daos_server|"), text);
        assertTrue(text.contains("daemon|warning|daos_server|"), text);
    }

    private void start(String input, int port, String more) throws IOException {
        Path config = dir.resolve("rsyslog.conf");
        String tls = more.isEmpty()
                ? ""
                : "global(defaultNetstreamDriverCAFile=\"" + dir + "/cert.pem\" defaultNetstreamDriverCertFile=\"" + dir
                        + "/cert.pem\" defaultNetstreamDriverKeyFile=\"" + dir + "/key.pem\")\n";
        Files.writeString(
                config,
                tls + "global(workDirectory=\"" + dir + "\" maxMessageSize=\"8k\")\n"
                        + "module(load=\"im" + input + "\"" + more + ")\n"
                        + "template(name=\"parts\" type=\"string\""
                        + " string=\"%syslogfacility-text%|%syslogseverity-text%|%app-name%|%procid%|%msgid%|%msg%\\n"
                        + "\")\n"
                        + "ruleset(name=\"mesh\") { action(type=\"omfile\""
                        + " file=\"" + dir
                        + "/out.log\" template=\"parts\" flushOnTXEnd=\"on\") }\n"
                        + "input(type=\"im" + input + "\" address=\"127.0.0.1\" port=\"" + port
                        + "\" ruleset=\"mesh\")\n");
        daemon = Optional.of(new ProcessBuilder(
                        RSYSLOG.toString(),
                        "-n",
                        "-f",
                        config.toString(),
                        "-i",
                        dir.resolve("pid").toString())
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve("rsyslogd.txt").toFile())
                .start());
    }

    private static boolean isThere(Path file, String debianPackage) throws IOException, InterruptedException {
        if (Files.exists(file)) return true;
        if (!Files.isExecutable(Path.of("/usr/bin/apt-get")) || !"root".equals(System.getProperty("user.name")))
            return false;
        Process install = new ProcessBuilder(
                        "apt-get",
                        "install",
                        "-y",
                        "--no-install-recommends",
                        "-o",
                        "DPkg::Lock::Timeout=60",
                        debianPackage)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        boolean ended = install.waitFor(120, TimeUnit.SECONDS);
        if (!ended) install.destroy();
        return ended && Files.exists(file);
    }

    private static void run(String... words) throws IOException, InterruptedException {
        Process p = new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertTrue(p.waitFor(30, TimeUnit.SECONDS), words[0] + " ends");
        assertEquals(0, p.exitValue(), words[0]);
    }

    private static int freePort() throws IOException {
        try (ServerSocket s = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return s.getLocalPort();
        }
    }
}
