package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.tls.Pem;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.netty.DisposableServer;
import reactor.netty.resources.LoopResources;
import reactor.netty.tcp.TcpServer;

/** Certificates that change or end while connections are open. */
class CertificateChangeTest extends CertificateFixture {
    /** Calls without end over one connection, and over a new one each time; counts what fails. */
    private final class Load {
        final AtomicInteger answered = new AtomicInteger();
        final AtomicInteger answeredNew = new AtomicInteger();
        final Map<String, Integer> failures = new ConcurrentHashMap<>();
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
                        failures.merge(String.valueOf(e.getMessage()), 1, Integer::sum);
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
