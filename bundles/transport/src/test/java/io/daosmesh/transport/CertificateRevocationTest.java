package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.certs.Authority;
import io.daosmesh.transport.certs.Life;
import io.daosmesh.transport.tls.Pem;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** Certificates that are taken back while connections are open. */
class CertificateRevocationTest extends CertificateFixture {
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
        Leaks.await("the good one is served, by a new channel if need be", () -> isFetched(good, s));
    }

    /** A request under way when all channels end is told so: its caller asks again. */
    private static boolean isFetched(ClientTransport c, ServerTransport s) {
        try {
            return "ok".equals(fetch(c, s).block(LONG));
        } catch (FaultException e) {
            assertEquals(FaultCode.UNREACH, e.code(), e.fault().message());
            return false;
        }
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
}
