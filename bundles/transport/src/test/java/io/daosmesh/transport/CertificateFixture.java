package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.CertificateMaker;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.Roles;
import io.daosmesh.transport.tls.TlsMaterial;
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
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Mono;

/** An authority, a server and an agent with certificates of it, and the leak check at the end of every test. */
@Timeout(120)
abstract class CertificateFixture {
    static {
        Leaks.watch();
    }

    static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path dir;

    final List<AutoCloseable> toClose = new ArrayList<>();
    final Instant now = Instant.now();
    final Life year = Life.days(now, 365);
    Authority authority;
    Path server;
    Path agent;
    boolean isClearData;

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

    void issue(Path to, Authority by, Role role) {
        List<String> addresses = role == Role.SERVER ? List.of("127.0.0.1") : List.of();
        new CertificateMaker(to, now).issue(by, role, addresses, false);
    }

    NodeConfig.Tls files(Path in, Role role) {
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
    static final class Heard implements LiveTls.Watcher {
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

    ServerTransport serve() {
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

    Heard listen(ServerTransport s) {
        Heard heard = new Heard();
        s.certificates().orElseThrow().listen(heard);
        return heard;
    }

    ClientTransport client() {
        ClientTransport c =
                ClientTransport.open(new ClientSettings(Role.AGENT, "daos_server", files(agent, Role.AGENT)));
        toClose.add(0, c);
        return c;
    }

    static Mono<String> call(ClientTransport c, String address) {
        return c.rpc()
                .call(
                        Endpoint.node(address),
                        RpcMethod.NODE_STATUS,
                        RpcMessage.of(Empty.getDefaultInstance()),
                        LONG,
                        r -> "ok");
    }

    static void ok(ClientTransport c, ServerTransport s) {
        assertEquals("ok", call(c, s.address()).block(LONG));
    }

    static Fault faultOf(Runnable action) {
        return assertThrows(FaultException.class, action::run).fault();
    }

    /** The server's reason is lost when its last words and the client's first cross. */
    static boolean isShutOut(Fault f) {
        return f.code() == FaultCode.BAD_CERT || f.code() == FaultCode.UNREACH;
    }

    static void put(Path file, Path... from) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (Path f : from) all.write(Files.readAllBytes(f));
        Path fresh = file.resolveSibling("fresh");
        Files.write(fresh, all.toByteArray());
        Files.setPosixFilePermissions(
                fresh, PosixFilePermissions.fromString(file.toString().endsWith(".key") ? "r--------" : "rw-r--r--"));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
