package io.daosmesh.cli.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.ToolVersion;
import io.daosmesh.cli.daos.Daos;
import io.daosmesh.cli.daos.DaosContext;
import io.daosmesh.cli.daos.DaosWay;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.access.User;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import io.daosmesh.transport.certs.CertificateMaker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

/** The agent and daos before a server that listens, with certificates. */
@Timeout(300)
class DaosAgentTest {
    @TempDir
    Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<RpcCall.Peer> peers = new CopyOnWriteArrayList<>();
    private ServerTransport server;
    private Path certs;

    @BeforeEach
    void open() throws IOException {
        certs = folder.resolve("certs");
        new CertificateMaker(certs, Instant.now()).generate(false);
        NodeConfig.Tls tls = new NodeConfig.Tls(
                false,
                false,
                Optional.of(certs.resolve("daosCA.crt")),
                Optional.of(certs.resolve("server.crt")),
                Optional.of(certs.resolve("server.key")));
        server = ServerTransport.open(new ServerSettings("mesh", "", "127.0.0.1", 0, tls, 1));
        serve(
                RpcMethod.LEADER_QUERY,
                LeaderQueryReply.newBuilder().setLeader(server.address()).build());
        serve(
                RpcMethod.GROUP_MAP,
                GroupMapMessage.newBuilder()
                        .setVersion(1)
                        .setSystem("mesh")
                        .addMembers(MemberMessage.newBuilder()
                                .setAddress(server.address())
                                .setUuid(Ids.bytes(new UUID(1, 1)))
                                .setFaultDomain("/n0"))
                        .build());
        serve(RpcMethod.POOL_LIST, PoolListReply.getDefaultInstance());
    }

    private void serve(RpcMethod method, com.google.protobuf.MessageLite reply) {
        server.server().register(Endpoint.NODE, method, call -> {
            peers.add(call.peer());
            return Mono.just(RpcMessage.of(reply));
        });
    }

    @AfterEach
    void close() {
        server.close();
    }

    private Path config(String... more) throws IOException {
        Path file = folder.resolve("daos_agent.yml");
        String text = "name: mesh\naccess_points: ['" + server.address() + "']\nruntime_dir: " + folder.resolve("run")
                + "\ntransport_config:\n  ca_cert: " + certs.resolve("daosCA.crt") + "\n  cert: "
                + certs.resolve("agent.crt") + "\n  key: " + certs.resolve("agent.key") + "\n";
        Files.writeString(file, text + String.join("\n", more) + "\n");
        return file;
    }

    private int agent(String... args) {
        out.reset();
        err.reset();
        return DaosAgent.run(new DaosAgent(print(out), print(err), Map.of()), args);
    }

    private int daos(Map<String, String> environment, String... args) {
        out.reset();
        err.reset();
        DaosContext context = new DaosContext(
                InputStream.nullInputStream(),
                print(out),
                print(err),
                false,
                environment,
                DaosWay::asOwnAgent,
                DaosWay::throughAgent);
        return Daos.run(context, args);
    }

    private static PrintStream print(ByteArrayOutputStream to) {
        return new PrintStream(to, true, StandardCharsets.UTF_8);
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String errors() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldLetAUserInThatCanReadNoKey() throws IOException {
        Map<String, String> environment =
                Map.of(LocalAgent.FOLDER_VARIABLE, folder.resolve("run").toString());
        try (AgentDaemon daemon = AgentDaemon.start(AgentConfig.read(config()))) {
            int status = daos(environment, "-j", "pool", "list");

            assertEquals(0, status, errors());
            Optional<User> user = peers.get(peers.size() - 1).user();
            assertEquals(
                    System.getProperty("user.name") + "@", user.orElseThrow().user());
            // the agent itself is no user
            assertEquals(Optional.empty(), peers.get(0).user());
            daemon.refresh();
            assertEquals(0, daos(environment, "pool", "list"), errors());
        }

        assertEquals(1, daos(environment, "pool", "list"));
        assertTrue(errors().contains("DER_AGENT_COMM(-2034)"), errors());
        assertTrue(errors().contains("systemctl start daos_agent"), errors());
    }

    @Test
    void shouldPreferAKeyThatIsNamed() throws IOException {
        Path config = config();
        try (AgentDaemon daemon = AgentDaemon.start(AgentConfig.read(config))) {
            assertEquals(0, daos(Map.of("DAOS_AGENT_CONFIG", config.toString()), "pool", "list"), errors());
            daemon.refresh();
            Files.move(certs.resolve("agent.key"), certs.resolve("hidden.key"));

            assertEquals(0, daos(Map.of(), "-o", config.toString(), "pool", "list"), errors());
        }

        assertEquals(1, daos(Map.of(), "-o", config.toString(), "pool", "list"));
        assertTrue(errors().contains("DER_NO_CERT(-2043)"), errors());
    }

    @Test
    void shouldKeepServingWhenRenewedCertificatesAreBad() throws IOException {
        Map<String, String> environment =
                Map.of(LocalAgent.FOLDER_VARIABLE, folder.resolve("run").toString());
        try (AgentDaemon daemon = AgentDaemon.start(AgentConfig.read(config()))) {
            Files.writeString(certs.resolve("agent.crt"), "nothing");

            daemon.refresh();

            assertEquals(0, daos(environment, "pool", "list"), errors());
        }
    }

    @Test
    void shouldRunAsAProgramUntilASignal() throws Exception {
        Path log = folder.resolve("agent.log");
        Process program = new ProcessBuilder(
                        System.getProperty("java.home") + "/bin/java",
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        "io.daosmesh.cli.agent.DaosAgent",
                        "-o",
                        config().toString(),
                        "-l",
                        log.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("out").toFile())
                .start();
        try {
            await(() -> Files.exists(LocalAgent.socket(folder.resolve("run"))));
            assertEquals(
                    0, daos(Map.of("DAOS_AGENT_DRPC_DIR", folder.resolve("run").toString()), "pool", "list"));
            assertTrue(new ProcessBuilder("kill", "-HUP", Long.toString(program.pid()))
                            .start()
                            .waitFor()
                    == 0);
            await(() -> read(log).contains("asked the system again: 1 members"));
            assertEquals(1, agent("-o", config().toString()));
            assertTrue(errors().contains("another daos_agent"), errors());

            program.destroy();

            assertTrue(program.waitFor(20, java.util.concurrent.TimeUnit.SECONDS));
            assertEquals(0, program.exitValue(), read(log) + read(folder.resolve("out")));
            assertFalse(Files.exists(LocalAgent.socket(folder.resolve("run"))));
        } finally {
            program.destroyForcibly();
        }
    }

    private static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            return "";
        }
    }

    /** A Java program starts within a second, or a minute where twelve others want the same core. */
    private static void await(java.util.function.BooleanSupplier condition) {
        long endNs = System.nanoTime() + Duration.ofSeconds(120).toNanos();
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() - endNs < 0);
            LockSupport.parkNanos(10_000_000);
        }
    }

    @Test
    void shouldDumpWhereTheSystemIs() throws IOException {
        String path = config().toString();

        assertEquals(0, agent("-o", path, "dump-attachinfo"), errors());
        assertEquals("name mesh\nsize 1\nall\n0 tcp://" + server.address() + "\n", text());
        Path file = folder.resolve("info");
        assertEquals(0, agent("-o", path, "dump-attachinfo", "-o", file.toString()), errors());
        assertEquals("", text());
        assertTrue(Files.readString(file).startsWith("name mesh\n"));
        assertEquals(0, agent("-j", "-o", path, "dump-attachinfo"));
        assertTrue(text().contains("\"uri\": \"tcp://" + server.address() + "\""), text());
    }

    @Test
    void shouldSayWhatItIsAndSees() {
        assertEquals(0, agent("version"));
        assertEquals("daos_agent version " + ToolVersion.VERSION + "\n", text());
        assertEquals(0, agent("--json", "version"));
        assertTrue(text().contains("\"name\": \"daos_agent\""), text());
        assertEquals(0, agent("net-scan"));
        assertTrue(text().contains("NUMA Socket 0"), text());
        assertTrue(text().contains("lo"), text());
        assertEquals(0, agent("net-scan", "-j"));
        assertTrue(text().contains("\"interfaces\""), text());
        assertEquals(1, agent("dump-topology"));
        assertTrue(errors().startsWith("ERROR: daos_agent: "), errors());
    }

    @Test
    void shouldRefuseWrongKeysByName() throws IOException {
        Map<String, String> wrong = Map.of(
                "node_cert_dir", "credential_config: {node_cert_dir: /etc}",
                "cache_expiration", "cache_expiration: -1",
                "credential_config.cache_expiration", "credential_config: {cache_expiration: 31m}",
                "client_user_map.alice", "credential_config: {client_user_map: {alice: {user: a, group: b}}}",
                "client_user_map.7.group", "credential_config: {client_user_map: {7: {user: a}}}",
                "client_user_map.7.user", "credential_config: {client_user_map: {7: {user: 'a b', group: b}}}",
                "control_log_mask", "control_log_mask: LOUD",
                "disable_auto_evict", "disable_auto_evict: 7",
                "disable_cachin", "disable_cachin: true");
        for (Map.Entry<String, String> key : wrong.entrySet()) {
            assertEquals(1, agent("-o", config(key.getValue()).toString(), "start"), key.getValue());
            assertTrue(errors().contains("DER_INVAL") && errors().contains(key.getKey()), errors());
        }
    }

    @Test
    void shouldReadEveryKey() throws IOException {
        AgentConfig read = AgentConfig.read(config(
                "log_file: /tmp/agent.log",
                "control_log_mask: ERROR",
                "disable_auto_evict: true",
                "disable_caching: true",
                "cache_expiration: 30",
                "telemetry_port: 9191",
                "exclude_fabric_ifaces: [lo]",
                "credential_config:",
                "  cache_expiration: 1m30s",
                "  client_user_map:",
                "    default: {user: nobody@, group: nogroup}",
                "    1000: {user: ralph, group: stanley, groups: [band]}"));

        assertEquals(Duration.ofMinutes(30), read.caching().expiration());
        assertEquals(Duration.ofSeconds(90), read.caching().credentials());
        assertTrue(read.caching().isDisabled());
        assertFalse(read.evictsAtStop());
        assertEquals("nobody", read.unnamed().get("default").user());
        assertEquals(List.of("band"), read.unnamed().get("1000").groups());
        assertEquals(
                List.of("exclude_fabric_ifaces has no effect here", "telemetry_port has no effect here"),
                read.remarks());
    }
}
