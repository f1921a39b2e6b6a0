package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.SetupMessage;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;

/** A server, clients, and the leak check at the end of every test. */
@Timeout(60)
abstract class TransportFixture {
    static {
        Leaks.watch();
    }

    static final Duration LONG = Duration.ofSeconds(20);
    static final int RANK = 3;
    /** More than one, so that connections of one server live on different threads. */
    static final int LOOPS = 2;

    final AtomicInteger messagesWithData = new AtomicInteger();
    final AtomicInteger onSentRuns = new AtomicInteger();
    final List<AutoCloseable> toClose = new ArrayList<>();
    ServerTransport server;

    abstract NodeConfig.Tls tls(Role role);

    @BeforeEach
    void open() {
        server = openServer("daos_server", 0);
    }

    @AfterEach
    void checkNothingLeaked() throws Exception {
        for (AutoCloseable c : toClose) c.close();
        Leaks.await("onSent ran for each message once", () -> onSentRuns.get() == messagesWithData.get());
        Leaks.check();
        assertEquals(messagesWithData.get(), onSentRuns.get());
    }

    ServerTransport openServer(String system, int port) {
        ServerTransport s =
                ServerTransport.open(new ServerSettings(system, "", "127.0.0.1", port, tls(Role.SERVER), LOOPS));
        toClose.add(0, s);
        return s;
    }

    Rpc client(Role role) {
        return client(role, "daos_server");
    }

    Rpc client(Role role, String system) {
        ClientTransport c = ClientTransport.open(new ClientSettings(role, system, tls(role)));
        toClose.add(0, c);
        return c.rpc();
    }

    Endpoint node() {
        return Endpoint.node(server.address());
    }

    Endpoint rank() {
        return Endpoint.rank(server.address(), RANK);
    }

    RpcMessage message(ByteBuffer data) {
        messagesWithData.incrementAndGet();
        return new RpcMessage(PoolRef.newBuilder().setPool("tank").build(), data, onSentRuns::incrementAndGet);
    }

    static ByteBuffer bytes(int size) {
        byte[] b = new byte[size];
        ThreadLocalRandom.current().nextBytes(b);
        return ByteBuffer.allocateDirect(size).put(b).flip();
    }

    /** Answers with the same bytes. */
    void serveEcho() {
        server.server().register(RANK, RpcMethod.OBJECT_UPDATE, call -> {
            ByteBuffer copy = ByteBuffer.allocateDirect(call.data().remaining());
            copy.put(call.data()).flip();
            return Mono.just(message(copy));
        });
    }

    static Fault faultOf(Runnable action) {
        return assertThrows(FaultException.class, action::run).fault();
    }

    Fault callFault(Rpc rpc, Endpoint to, RpcMethod method) {
        RpcMessage request = message(bytes(0));
        return faultOf(() -> rpc.call(to, method, request, LONG, r -> "").block(LONG));
    }

    static int freePort() throws Exception {
        try (ServerSocket s = new ServerSocket(0)) {
            return s.getLocalPort();
        }
    }

    static SetupMessage.Builder setup() {
        return SetupMessage.newBuilder()
                .setComponent("agent")
                .setProtocol(1)
                .setVersion(Release.own().text())
                .setSystem("daos_server")
                .setRank(-1);
    }
}
