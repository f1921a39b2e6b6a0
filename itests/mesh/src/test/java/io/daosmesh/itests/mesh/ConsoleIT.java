package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.apache.sshd.client.channel.ChannelDirectTcpip;
import org.apache.sshd.client.channel.ChannelSubsystem;
import org.apache.sshd.client.channel.ClientChannelEvent;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.util.net.SshdSocketAddress;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What each role can do at the console of a running node, tried with a plain ssh client; and what is written down of it. */
class ConsoleIT {
    private static final Duration IDLE_SAMPLE = Duration.ofSeconds(3);
    /** A second. */
    private static final int IDLE_SWITCHES_MAX = 80;

    /** With every command of interest the least role that may use it; those above may as well. */
    private enum Role {
        VIEWER,
        MANAGER,
        MESH, // the administrator
        HOST // none but the owner of the node's files makes one
    }

    @TempDir
    private static Path dir;

    private static LocalMesh mesh;
    private static NodeConsole console;
    private static Path node;

    @BeforeAll
    static void startNode() throws Exception {
        mesh = LocalMesh.start(dir.resolve("mesh"), "--nodes", "1", "--targets", "1", "--ssds", "1");
        node = mesh.dir().resolve("node1");
        int port = LocalMesh.json(Files.readString(mesh.dir().resolve("mesh.json")))
                .path("nodes")
                .path(0)
                .path("ssh")
                .asInt();
        console = new NodeConsole(port, mesh.nodes().get(0).pid());
        // as the owner of the node's files would
        Files.writeString(
                node.resolve("karaf/etc/users.properties"),
                "host = {CRYPT}" + sha256("open sesame".getBytes(StandardCharsets.UTF_8)) + "{CRYPT},host,ssh\n",
                StandardOpenOption.APPEND);
    }

    @AfterAll
    static void stopNode() {
        if (console != null) console.close();
        if (mesh != null) mesh.close();
    }

    @ParameterizedTest
    @EnumSource(Role.class)
    void shouldLetEachRoleDoWhatIsItsOwnAndNoMore(Role role) {
        List<String> wrong = new ArrayList<>();

        for (String row : roles()) {
            String[] cells = row.split("\\|", 2);
            Role least = Role.valueOf(cells[0].strip());
            // the owner is taken at his word: what starts programs and the like is tried by the others
            if (role == Role.HOST && least == Role.HOST) continue;
            NodeConsole.Answer answer = run(role, cells[1].strip());
            boolean mayUse = role.ordinal() >= least.ordinal();
            if (answer.isRefused() == mayUse) wrong.add(cells[1].strip() + " -> " + answer);
        }

        assertEquals(List.of(), wrong, "as " + role);
    }

    /** The same words as dmg, under the administrator's certificate of this machine. */
    @Test
    void shouldDoAtTheConsoleWhatDmgDoes() {
        NodeConsole.Answer made = run(Role.MESH, "daos:pool-create consolepool --size 40MB");
        NodeConsole.Answer seen = run(Role.VIEWER, "daos:pool-query consolepool -j");
        NodeConsole.Answer refused = run(Role.VIEWER, "daos:pool-destroy consolepool");
        NodeConsole.Answer absent = run(Role.VIEWER, "daos:pool-query nonexistent");
        NodeConsole.Answer typed = run(Role.VIEWER, "daos:pool-query consolepool --bogus");

        assertEquals(0, made.status(), made.text());
        assertEquals(
                "consolepool", LocalMesh.json(seen.text()).at("/response/label").asText());
        assertEquals(
                LocalMesh.json(mesh.dmg("-j", "pool", "query", "consolepool").out())
                        .at("/response/uuid"),
                LocalMesh.json(seen.text()).at("/response/uuid"));
        assertTrue(refused.isRefused(), refused.text());
        assertTrue(absent.status() != 0 && absent.text().contains("DER_NONEXIST(-1005)"), absent.text());
        assertTrue(typed.status() != 0 && typed.text().contains("unknown flag `bogus'"), typed.text());
        assertEquals(0, mesh.dmg("pool", "destroy", "consolepool").status());
        assertFalse((absent.text() + typed.text()).contains("Exception"), absent.text() + typed.text());
    }

    @Test
    void shouldGoOnWhenItsOwnBundleIsUpdated() {
        NodeConsole.Answer updated = run(Role.MESH, "bundle:update io.daosmesh.console");

        assertEquals(0, updated.status(), updated.text());
        NodeConsole.Answer after = run(Role.VIEWER, "daos:system-query");
        assertEquals(0, after.status(), after.text());
        assertTrue(after.text().contains("Joined"), after.text());
        assertTrue(run(Role.VIEWER, "daos:system-erase").isRefused());
        String typed = console.type(name(Role.VIEWER), password(Role.VIEWER), List.of("x=aaaa", "echo $x$x"));
        assertTrue(typed.contains("refused for viewers and managers"), typed);
    }

    /** Else its ssh server may hear nothing more, for ever: a fault of the JDK. */
    @Test
    void shouldRunAJavaThatOutlivesShortConnections() throws Exception {
        String start = ". '%s'; exec \"${JAVA_HOME:+$JAVA_HOME/bin/}java\" $EXTRA_JAVA_OPTS -cp '%s' %s"
                .formatted(
                        LocalMesh.program("setenv"),
                        System.getProperty("java.class.path"),
                        ShortConnections.class.getName());

        Path out = dir.resolve("short-connections");

        Process program = new ProcessBuilder("sh", "-c", start)
                .redirectErrorStream(true)
                .redirectOutput(out.toFile())
                .start();

        assertTrue(program.waitFor(120, TimeUnit.SECONDS));
        assertEquals(0, program.exitValue(), Files.readString(out));
    }

    @Test
    void shouldKeepNoThreadsOfCommandsThatHaveEnded() {
        Path tasks = Path.of("/proc/" + mesh.nodes().get(0).pid() + "/task");
        for (int i = 0; i < 20; i++) run(Role.VIEWER, "bundle:list -t 0 | grep nvme-spdk");

        // four for each command would stay for a minute
        LocalMesh.await("the end of their threads", Duration.ofSeconds(20), () -> sessionThreads(tasks) < 20);
    }

    private static long sessionThreads(Path tasks) throws IOException {
        try (Stream<Path> all = Files.list(tasks)) {
            return all.filter(ConsoleIT::isOfSession).count();
        }
    }

    private static boolean isOfSession(Path task) {
        try {
            return Files.readString(task.resolve("comm")).startsWith("session-");
        } catch (IOException ended) {
            return false;
        }
    }

    /** Whoever is refused has changed nothing. */
    @ParameterizedTest
    @EnumSource(
            value = Role.class,
            names = {"VIEWER", "MANAGER", "MESH"})
    void shouldKeepFilesAndProgramsFromEveryRole(Role role) throws Exception {
        Path file = dir.resolve("written-by-" + role);

        for (String attack : List.of(
                "shell:exec touch " + file,
                "echo x > " + file,
                "echo x | tac -f " + file,
                "shell:tac -f " + file,
                "exec touch " + file,
                "(new java.io.File " + file + ") createNewFile",
                "(($.context getClass) forName java.lang.Runtime) getRuntime",
                "history -w " + file)) {
            run(role, attack);
        }

        assertFalse(Files.exists(file));
    }

    /** The line editor reads its settings from the session's variables; the shell's language makes memory and threads. */
    @ParameterizedTest
    @EnumSource(
            value = Role.class,
            names = {"VIEWER", "MANAGER"})
    void shouldTakePlainLinesOnlyFromTheLineEditor(Role role) throws Exception {
        Path file = dir.resolve("history-of-" + role);

        String shown = console.type(
                name(role),
                password(role),
                List.of(
                        "history-file = " + file,
                        "x=aaaa",
                        "echo $x$x",
                        "f = { f | f }",
                        "bundle:list -t 0 | grep vmd-led"));

        assertTrue(shown.contains("refused for viewers and managers"), shown);
        assertFalse(shown.contains("aaaaaaaa"), shown);
        assertTrue(shown.contains("Daos Mesh :: vmd-led"), shown);
        assertFalse(Files.exists(file));
    }

    /** Its timers, not its work: they would wake it some 170 times a second if each ticked for itself. */
    @Test
    void shouldLeaveTheProcessorAloneWhileNobodyAsks() {
        long pid = mesh.nodes().get(0).pid();
        AtomicReference<Sample> last = new AtomicReference<>(Sample.of(pid));

        LocalMesh.await("an idle node", Duration.ofSeconds(90), () -> {
            Sample now = Sample.of(pid);
            Sample before = last.get();
            if (now.atNs() - before.atNs() < IDLE_SAMPLE.toNanos()) return false;
            last.set(now);
            return (now.switches() - before.switches()) * 1e9 / (now.atNs() - before.atNs()) < IDLE_SWITCHES_MAX;
        });
    }

    private record Sample(long atNs, double switches) {
        static Sample of(long pid) {
            return new Sample(System.nanoTime(), Costs.process(pid).switches());
        }
    }

    @Test
    void shouldForwardNoPortsAndServeNoFiles() throws Exception {
        try (ClientSession session = console.login(name(Role.MESH), password(Role.MESH))) {
            SshdSocketAddress here = new SshdSocketAddress("127.0.0.1", 0);
            try (ChannelDirectTcpip tunnel = new ChannelDirectTcpip(
                    here, new SshdSocketAddress("127.0.0.1", mesh.nodes().get(0).telemetry()))) {
                session.getService(org.apache.sshd.common.session.ConnectionService.class)
                        .registerChannel(tunnel);
                assertThrows(IOException.class, () -> tunnel.open().verify(Duration.ofSeconds(20)));
            }
            assertThrows(IOException.class, () -> session.startRemotePortForwarding(here, here));
            try (ChannelSubsystem sftp = session.createSubsystemChannel("sftp")) {
                assertThrows(IOException.class, () -> {
                    sftp.open().verify(Duration.ofSeconds(20));
                    if (!sftp.waitFor(EnumSet.of(ClientChannelEvent.CLOSED), Duration.ofSeconds(20))
                            .contains(ClientChannelEvent.TIMEOUT)) throw new IOException("closed");
                });
            }
        }
        assertTrue(run(Role.MESH, "scp -f etc/users.properties").isRefused());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:install -s %s",
                "bundle:install -s reference:%s",
                "bundle:update --raw io.daosmesh.vmd-led %s"
            })
    void shouldNotRunUnknownBundlesWhoeverInstallsThem(String command) throws Exception {
        Path jar = bundle(dir.resolve("evil-" + System.nanoTime() + ".jar"), "evil.bundle");

        run(Role.HOST, command.formatted(jar.toUri()));

        String bundles = run(Role.HOST, "bundle:list -t 0 -s").text();
        assertFalse(bundles.contains("evil.bundle"), bundles);
        if (command.contains("vmd-led")) run(Role.MESH, "bundle:install -s mvn:io.daosmesh/vmd-led/0.1.0-SNAPSHOT");
        assertTrue(run(Role.VIEWER, "bundle:list -t 0 -s").text().contains("io.daosmesh.vmd-led"));
    }

    @Test
    void shouldRunABundleWhoseDigestIsListed() throws Exception {
        Path jar = bundle(dir.resolve("good.jar"), "good.bundle");
        Files.writeString(node.resolve("karaf/etc/bundles.sha256"), sha256(Files.readAllBytes(jar)) + "  good.jar\n");

        NodeConsole.Answer answer = run(Role.HOST, "bundle:install -s " + jar.toUri());

        assertEquals(0, answer.status(), answer.text());
        assertTrue(run(Role.VIEWER, "bundle:list -t 0 -s").text().contains("good.bundle"));
    }

    @Test
    void shouldOpenNoUrlOfTheNetworkForAnybody() throws Exception {
        AtomicInteger requests = new AtomicInteger();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
        });
        server.start();
        try {
            String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/x";
            for (String command : List.of(
                    "bundle:install " + url,
                    "bundle:install jar:" + url + "!/x",
                    "bundle:update io.daosmesh.vmd-led " + url,
                    "feature:repo-add " + url,
                    "config:install " + url + " x.cfg",
                    "shell:cat " + url,
                    "shell:source " + url)) {
                NodeConsole.Answer answer = run(Role.HOST, command);
                assertFalse(answer.isRefused(), command + " was not tried: " + answer);
            }
        } finally {
            server.stop(0);
        }

        assertEquals(0, requests.get());
    }

    @Test
    void shouldWriteDownWhoChangedWhatAndWhoWasRefused() throws Exception {
        run(Role.MANAGER, "bundle:start io.daosmesh.pmem");
        run(Role.MANAGER, "bundle:start io.daosmesh.nonexistent");
        run(Role.VIEWER, "bundle:stop io.daosmesh.pmem");
        run(Role.VIEWER, "echo '\u001b]0;x'");
        run(Role.VIEWER, "jaas:user-add evil hunter2");
        run(Role.MESH, "log:log \"a\nb user=forged outcome\"");
        run(Role.VIEWER, "bundle:list -s");
        assertThrows(IOException.class, () -> console.login("viewer", "wrong").close());

        Path log = node.resolve("log/audit.log");
        LocalMesh.await(
                "the refused login is written down",
                Duration.ofSeconds(10),
                () -> Files.readString(log).contains("Authentication failed - viewer"));
        List<String> lines = Files.readAllLines(log);
        assertLine(lines, "user=manager address=", "outcome=\"started\" command=\"bundle:start io.daosmesh.pmem\"");
        assertLine(
                lines, "user=manager address=127.0.0.1:", "outcome=\"done\" command=\"bundle:start io.daosmesh.pmem\"");
        assertLine(lines, "user=viewer address=127.0.0.1:", "outcome=\"refused: ", "bundle:stop io.daosmesh.pmem");
        assertLine(lines, "user=viewer", "outcome=\"refused: ", "\\u001b");
        assertLine(lines, "user=mesh", "a\\u000ab user=forged");
        assertTrue(lines.stream().allMatch(l -> l.matches("\\d{4}-\\d\\d-\\d\\dT.*")), lines.toString());
        assertTrue(lines.stream().noneMatch(l -> l.contains("hunter2")), lines.toString());
        assertTrue(lines.stream().noneMatch(l -> l.contains("bundle:list -s\"")), lines.toString());
    }

    private static void assertLine(List<String> lines, String... parts) {
        assertTrue(
                lines.stream().anyMatch(l -> Stream.of(parts).allMatch(l::contains)),
                () -> List.of(parts) + " in no line of\n" + String.join("\n", lines));
    }

    @Test
    void shouldKeepUsersToTheOwnerAndPasswordsAsDigests() throws Exception {
        for (String role : List.of("mesh", "manager", "viewer")) {
            Path users = node.resolve("etc/console/" + role + "/users.properties");
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(users)));
            String password = Files.readString(users).split("=")[1].strip();
            assertFalse(
                    Files.readString(node.resolve("karaf/etc/users.properties")).contains(password));
        }
        Path users = node.resolve("karaf/etc/users.properties");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(users)));
        // the digest itself opens nothing
        String digest =
                Files.readString(users).lines().findFirst().orElseThrow().split("[ ,]+")[2];
        assertThrows(IOException.class, () -> console.login("mesh", digest).close());
    }

    /** With every command of interest the least role that may use it. */
    private static List<String> roles() {
        try (InputStream in = Objects.requireNonNull(ConsoleIT.class.getResourceAsStream("console-roles.txt"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static NodeConsole.Answer run(Role role, String command) {
        return console.run(name(role), password(role), command);
    }

    private static String name(Role role) {
        return role.name().toLowerCase(java.util.Locale.ROOT);
    }

    private static String password(Role role) {
        if (role == Role.HOST) return "open sesame";
        try {
            return Files.readString(node.resolve("etc/console/" + name(role) + "/users.properties"))
                    .split("=")[1]
                    .strip();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Path bundle(Path jar, String name) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.putValue("Bundle-ManifestVersion", "2");
        main.putValue("Bundle-SymbolicName", name);
        main.putValue("Bundle-Version", "1.0.0");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out, manifest)) {
            entries.finish();
        }
        return jar;
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
