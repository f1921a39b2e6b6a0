package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Role;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.Pem;
import io.daosmesh.transport.tls.Roles;
import io.daosmesh.transport.tls.TlsMaterial;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/** Certificates that change, end, or are taken back while connections are open. */
@Timeout(120)
class CertificateChangeTest {
    static {
        Leaks.watch();
    }

    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path dir;

    private final List<AutoCloseable> toClose = new ArrayList<>();
    private final Instant now = Instant.now();
    private final Life year = Life.days(now, 365);
    private Authority authority;
    private Path server;
    private Path agent;
    private boolean isClearData;

    @BeforeEach
    void makeCertificates() {
        authority = Authority.make(dir.resolve("ca"), year, false);
        server = dir.resolve("server");
        agent = dir.resolve("agent");
        issue(server, authority, Role.SERVER);
        issue(agent, authority, Role.AGENT);
    }

    @AfterEach
    void checkNothingLeaked() throws Exception {
        for (AutoCloseable c : toClose) c.close();
        Leaks.check();
    }

    private void issue(Path to, Authority by, Role role) {
        List<String> addresses = role == Role.SERVER ? List.of("127.0.0.1") : List.of();
        new CertificateMaker(to, now).issue(by, role, addresses, false);
    }

    private NodeConfig.Tls files(Path in, Role role) {
        Path crl = in.resolve("daosCA.crl");
        return new NodeConfig.Tls(
                false,
                isClearData,
                Optional.of(in.resolve("daosCA.crt")),
                Optional.of(in.resolve(Roles.label(role) + ".crt")),
                Optional.of(in.resolve(Roles.label(role) + ".key")),
                Files.exists(crl) ? Optional.of(crl) : Optional.empty());
    }

    /** What a watcher of certificates has heard. */
    private static final class Heard implements LiveTls.Watcher {
        final List<BigInteger> replaced = new CopyOnWriteArrayList<>();
        final List<Fault> refused = new CopyOnWriteArrayList<>();
        final List<String> expiring = new CopyOnWriteArrayList<>();

        @Override
        public void onReplaced(TlsMaterial now) {
            replaced.add(now.own().serial());
        }

        @Override
        public void onRefused(Fault why) {
            refused.add(why);
        }

        @Override
        public void onExpiring(String which, Instant at) {
            expiring.add(which);
        }
    }

    private ServerTransport serve() {
        ServerTransport s = ServerTransport.open(
                new ServerSettings("daos_server", "", "127.0.0.1", 0, files(server, Role.SERVER), 1));
        toClose.add(0, s);
        s.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.NODE_STATUS,
                        c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        return s;
    }

    private Heard listen(ServerTransport s) {
        Heard heard = new Heard();
        s.certificates().orElseThrow().listen(heard);
        return heard;
    }

    private ClientTransport client() {
        ClientTransport c =
                ClientTransport.open(new ClientSettings(Role.AGENT, "daos_server", files(agent, Role.AGENT)));
        toClose.add(0, c);
        return c;
    }

    private static Mono<String> call(ClientTransport c, String address) {
        return c.rpc()
                .call(
                        Endpoint.node(address),
                        RpcMethod.NODE_STATUS,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        LONG,
                        r -> "ok");
    }

    private static void ok(ClientTransport c, ServerTransport s) {
        assertEquals("ok", call(c, s.address()).block(LONG));
    }

    private static Fault faultOf(Runnable action) {
        return assertThrows(FaultException.class, action::run).fault();
    }

    /** The server's reason is lost when its last words and the client's first cross. */
    private static boolean isShutOut(Fault f) {
        return f.code() == FaultCode.BAD_CERT || f.code() == FaultCode.UNREACH;
    }

    private static void put(Path file, Path... from) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Path f : from) all.write(Files.readAllBytes(f));
        Path fresh = file.resolveSibling("fresh");
        Files.write(fresh, all.toByteArray());
        Files.setPosixFilePermissions(
                fresh, PosixFilePermissions.fromString(file.toString().endsWith(".key") ? "r--------" : "rw-r--r--"));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Calls without end over one connection, and over a new one each time; counts what fails. */
    private final class Load {
        final AtomicInteger answered = new AtomicInteger();
        final AtomicInteger answeredNew = new AtomicInteger();
        final Map<String, Integer> failures = new HashMap<>();
        private volatile boolean isOver;
        private final List<Thread> threads = new ArrayList<>();

        Load(ServerTransport s) {
            ClientTransport open = client();
            start(() -> {
                call(open, s.address()).block(LONG);
                answered.incrementAndGet();
            });
            start(() -> {
                ClientSettings settings = new ClientSettings(Role.AGENT, "daos_server", files(agent, Role.AGENT));
                try (ClientTransport fresh = ClientTransport.openUnchecked(settings)) {
                    call(fresh, s.address()).block(LONG);
                }
                answeredNew.incrementAndGet();
            });
        }

        private void start(Runnable work) {
            Thread t = new Thread(() -> {
                while (!isOver) {
                    try {
                        work.run();
                    } catch (RuntimeException e) {
                        synchronized (failures) {
                            failures.merge(String.valueOf(e.getMessage()), 1, Integer::sum);
                        }
                    }
                }
            });
            t.start();
            threads.add(t);
        }

        void awaitMore() {
            int a = answered.get();
            int b = answeredNew.get();
            Leaks.await("calls go on", () -> answered.get() > a + 20 && answeredNew.get() > b + 2);
        }

        void stop() throws InterruptedException {
            isOver = true;
            for (Thread t : threads) t.join();
        }
    }

    @Test
    void shouldChangeAllCertificatesAndTheAuthorityUnderLoad() throws Exception {
        ServerTransport s = serve();
        Heard heard = listen(s);
        Authority next = Authority.make(dir.resolve("next"), year, false);
        issue(dir.resolve("server2"), next, Role.SERVER);
        issue(dir.resolve("agent2"), next, Role.AGENT);
        Path old = dir.resolve("ca/daosCA.crt");
        Path young = dir.resolve("next/daosCA.crt");
        Load load = new Load(s);
        try {
            load.awaitMore();

            put(agent.resolve("daosCA.crt"), old, young);
            put(server.resolve("daosCA.crt"), old, young);
            Leaks.await("both authorities are trusted", () -> heard.replaced.size() == 1);
            load.awaitMore();

            put(server.resolve("server.key"), dir.resolve("server2/server.key"));
            put(server.resolve("server.crt"), dir.resolve("server2/server.crt"));
            Leaks.await("the server shows its new one", () -> heard.replaced.size() == 2);
            load.awaitMore();

            // what a tool reads in between does not fit together: the folder is changed as a whole
            Path whole = dir.resolve("agent-whole");
            Files.createDirectory(whole);
            put(whole.resolve("agent.key"), dir.resolve("agent2/agent.key"));
            put(whole.resolve("agent.crt"), dir.resolve("agent2/agent.crt"));
            put(whole.resolve("daosCA.crt"), young);
            agent = whole;
            load.awaitMore();

            put(server.resolve("daosCA.crt"), young);
            Leaks.await("the old authority is forgotten", () -> heard.replaced.size() == 3);
            load.awaitMore();
        } finally {
            load.stop();
        }

        assertEquals(Map.of(), load.failures);
        assertEquals(List.of(), heard.refused);
        issue(dir.resolve("late"), authority, Role.AGENT);
        agent = dir.resolve("late");
        put(agent.resolve("daosCA.crt"), old, young);
        Fault late = faultOf(() -> call(client(), s.address()).block(LONG));
        assertTrue(isShutOut(late), late.message());
    }

    @Test
    void shouldKeepTheOldWhileTheNewIsBad() throws Exception {
        ServerTransport s = serve();
        Heard heard = listen(s);
        ClientTransport c = client();
        ok(c, s);

        put(server.resolve("server.crt"), agent.resolve("agent.crt"));
        Leaks.await("the role is refused", () -> heard.refused.size() == 1);
        ok(client(), s);
        Files.delete(server.resolve("server.crt"));
        Leaks.await("the absent is refused", () -> heard.refused.size() == 2);
        ok(client(), s);
        new CertificateMaker(server, now).issue(authority, Role.SERVER, List.of("10.9.9.9"), true);
        Leaks.await("another host's is refused", () -> heard.refused.size() == 3);
        ok(client(), s);
        new CertificateMaker(server, now).issue(authority, Role.SERVER, List.of("127.0.0.1"), true);
        Leaks.await("the good one is taken", () -> heard.replaced.size() == 1);
        Files.setPosixFilePermissions(server.resolve("server.key"), PosixFilePermissions.fromString("rw-r--r--"));
        Leaks.await("open permissions are refused", () -> heard.refused.size() == 4);

        ok(client(), s);
        ok(c, s);
        assertTrue(heard.refused.get(0).text().contains("is a certificate for 'agent'"), heard.refused.toString());
        assertTrue(heard.refused.get(1).text().contains("does not exist"), heard.refused.toString());
        assertTrue(heard.refused.get(2).text().contains("is not for 127.0.0.1"), heard.refused.toString());
        assertTrue(heard.refused.get(3).text().contains("insecure permissions 0644"), heard.refused.toString());
    }

    @Test
    void shouldEndConnectionsOfARevokedPeerAndLetOthersGoOn() throws Exception {
        put(server.resolve("daosCA.crl"), authority.revoke(List.of(), now, year));
        ServerTransport s = serve();
        ClientTransport bad = client();
        ok(bad, s);
        Path revoked = agent;
        agent = dir.resolve("good");
        issue(agent, authority, Role.AGENT);
        ClientTransport good = client();
        ok(good, s);
        AtomicInteger goodClosed = new AtomicInteger();
        good.rpc().onPeerClosed((address, refused) -> goodClosed.incrementAndGet());

        put(server.resolve("daosCA.crl"), authority.revoke(Pem.certificates(revoked.resolve("agent.crt")), now, year));

        Leaks.await("the revoked is out", () -> {
            try {
                call(bad, s.address()).block(LONG);
                return false;
            } catch (FaultException e) {
                return isShutOut(e.fault());
            }
        });
        agent = revoked;
        Fault again = faultOf(() -> call(client(), s.address()).block(LONG));
        assertTrue(isShutOut(again), again.message());
        ok(good, s);
        assertEquals(0, goodClosed.get());
    }

    /** A data channel without TLS knows its peer by a token alone: it ends with all others and is asked for again. */
    @Test
    void shouldEndClearDataChannelsOfARevokedPeer() throws Exception {
        put(server.resolve("daosCA.crl"), authority.revoke(List.of(), now, year));
        isClearData = true;
        ServerTransport s = serve();
        s.server().register(1, RpcMethod.OBJECT_FETCH, c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        ClientTransport bad = client();
        assertEquals("ok", fetch(bad, s).block(LONG));
        Path revoked = agent;
        agent = dir.resolve("good");
        issue(agent, authority, Role.AGENT);
        ClientTransport good = client();
        assertEquals("ok", fetch(good, s).block(LONG));

        put(server.resolve("daosCA.crl"), authority.revoke(Pem.certificates(revoked.resolve("agent.crt")), now, year));

        Leaks.await("the revoked is out", () -> {
            try {
                fetch(bad, s).block(LONG);
                return false;
            } catch (FaultException e) {
                return isShutOut(e.fault());
            }
        });
        assertThrows(FaultException.class, () -> fetch(bad, s).block(LONG));
        assertEquals("ok", fetch(good, s).block(LONG));
    }

    private static Mono<String> fetch(ClientTransport c, ServerTransport s) {
        return c.rpc()
                .call(
                        Endpoint.rank(s.address(), 1),
                        RpcMethod.OBJECT_FETCH,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        LONG,
                        r -> "ok");
    }

    @Test
    void shouldNotTalkToAServerOfTlsWithAClientsCertificate() throws Exception {
        NodeConfig.Tls files = files(agent, Role.AGENT);
        LoopResources loops = LoopResources.create("daos-raw", 1, 1, true);
        SslContext impostor = SslContextBuilder.forServer(
                        Pem.key(files.key().orElseThrow()),
                        Pem.certificates(files.certificate().orElseThrow()))
                .protocols("TLSv1.3")
                .build();
        DisposableServer raw = TcpServer.create()
                .runOn(loops, false)
                .host("127.0.0.1")
                .port(0)
                .secure(spec -> spec.sslContext(impostor))
                .handle((in, out) -> in.receive().then())
                .bindNow();
        try {
            Fault f = faultOf(() -> call(client(), "127.0.0.1:" + raw.port()).block(LONG));

            assertEquals(FaultCode.BAD_CERT, f.code());
            assertTrue(f.text().toLowerCase(java.util.Locale.ROOT).contains("use"), f.text());
        } finally {
            raw.disposeNow();
            loops.disposeLater(Duration.ZERO, Duration.ofSeconds(1)).block(LONG);
        }
    }

    @Test
    void shouldNotCallARevokedServer() throws Exception {
        ServerTransport s = serve();
        put(agent.resolve("daosCA.crl"), authority.revoke(List.of(), now, year));
        ClientTransport c = client();
        ok(c, s);

        put(agent.resolve("daosCA.crl"), authority.revoke(Pem.certificates(server.resolve("server.crt")), now, year));

        Leaks.await("its connection ends", () -> {
            try {
                call(c, s.address()).block(LONG);
                return false;
            } catch (FaultException e) {
                return e.code() == FaultCode.BAD_CERT && e.fault().text().contains("of 'server' is revoked");
            }
        });
    }

    @Test
    void shouldRefuseAListThatIsNotGoodAtStart() throws Exception {
        Authority other = Authority.make(dir.resolve("other"), year, false);
        Life past = new Life(now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(2)));
        Authority aged = Authority.make(dir.resolve("aged"), new Life(past.from(), year.until()), false);
        issue(dir.resolve("aged-server"), aged, Role.SERVER);

        put(server.resolve("daosCA.crl"), other.revoke(List.of(), now, year));
        Fault foreign = faultOf(this::serve);
        put(server.resolve("daosCA.crl"), server.resolve("server.crt"));
        Fault none = faultOf(this::serve);
        put(server.resolve("daosCA.crl"), authority.revoke(Pem.certificates(server.resolve("server.crt")), now, year));
        Fault own = faultOf(this::serve);
        server = dir.resolve("aged-server");
        put(server.resolve("daosCA.crl"), aged.revoke(List.of(), now, past));
        Fault expired = faultOf(this::serve);

        assertTrue(foreign.text().contains("is not signed by the authority"), foreign.text());
        assertTrue(none.text().contains("daosCA.crl"), none.text());
        assertTrue(own.text().contains("server.crt is revoked"), own.text());
        assertTrue(expired.text().contains("daosCA.crl expired on"), expired.text());
    }

    @Test
    void shouldRefuseServerWhoseCertificateIsForAnotherHost() {
        ServerTransport s = serve();
        ClientTransport c = client();
        String port = s.address().substring(s.address().indexOf(':'));

        Fault f = faultOf(() -> call(c, "localhost" + port).block(LONG));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("is for 127.0.0.1, not for 'localhost'"), f.text());
        assertTrue(f.remedy().contains("daos-certs"), f.remedy());
        ok(c, s);
    }

    @Test
    void shouldNotServeUnderAnAddressThatIsNotInTheCertificate() {
        ServerSettings settings =
                new ServerSettings("daos_server", "node7:10001", "127.0.0.1", 0, files(server, Role.SERVER), 1);

        Fault f = faultOf(() -> ServerTransport.open(settings));

        assertEquals(FaultCode.BAD_CERT, f.code());
        assertTrue(f.text().contains("is not for node7:10001"), f.text());
    }

    @Test
    void shouldShowWhenCertificatesEnd() throws Exception {
        server = dir.resolve("short");
        new CertificateMaker(server, year, Life.days(now, 20))
                .issue(authority, Role.SERVER, List.of("127.0.0.1"), false);
        put(server.resolve("daosCA.crl"), authority.revoke(List.of(), now, Life.days(now, 29)));
        ServerTransport s = serve();
        Heard heard = listen(s);
        Map<String, Double> ends = new HashMap<>();

        s.metrics().collect(new EndsSink(ends));
        Leaks.await("both are told", () -> heard.expiring.size() == 2);

        assertEquals(List.of("own", "crl"), heard.expiring);
        assertEquals(
                Map.of(
                        "own", (double) now.plus(Duration.ofDays(20)).getEpochSecond(),
                        "ca", (double) year.until().getEpochSecond(),
                        "crl", (double) now.plus(Duration.ofDays(29)).getEpochSecond()),
                ends);
    }

    private record EndsSink(Map<String, Double> ends) implements io.daosmesh.model.metric.MetricSource.Sink {
        @Override
        public void counter(String name, String help, Map<String, String> labels, double value) {}

        @Override
        public void gauge(String name, String help, Map<String, String> labels, double value) {
            if (name.equals("certificate_expires_at")) ends.put(labels.get("which"), value);
        }

        @Override
        public void stats(
                String name, String help, Map<String, String> labels, io.daosmesh.model.metric.StatsGauge value) {}
    }

    @Test
    void shouldTakeManyConnectionsWhileCertificatesChange() throws Exception {
        ServerTransport s = serve();
        Heard heard = listen(s);
        ClientTransport c = client();

        for (int i = 1; i <= 3; i++) {
            int times = i;
            new CertificateMaker(server, now).renew(authority);
            new CertificateMaker(agent, now).renew(authority);
            Leaks.await("renewed", () -> heard.replaced.size() == times);
            assertEquals(
                    32L,
                    Flux.range(0, 32).flatMap(x -> call(c, s.address())).count().block(LONG));
        }
        assertEquals(List.of(), heard.refused);
    }
}
