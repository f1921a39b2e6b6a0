package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolRef;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** What callers and handlers may rely on, on any way of wiring. */
abstract class TransportContract extends TransportFixture {
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 4096, 65536, 1 << 20, 8 << 20})
    void shouldEchoBytesOfAnySize(int size) throws Exception {
        serveEcho();
        ByteBuffer sent = bytes(size);

        ByteBuffer got = client(Role.AGENT)
                .call(rank(), RpcMethod.OBJECT_UPDATE, message(sent.duplicate()), LONG, r -> {
                    assertEquals("tank", PoolRef.parseFrom(r.body()).getPool());
                    return ByteBuffer.allocate(r.data().remaining())
                            .put(r.data())
                            .flip();
                })
                .block(LONG);

        assertEquals(sent, got);
    }

    @Test
    void shouldEchoManyAtOnceFromHeapAndReadOnlyBuffers() {
        serveEcho();
        Rpc rpc = client(Role.AGENT);

        Long total = Flux.range(0, 600)
                .flatMap(
                        i -> {
                            ByteBuffer heap = ByteBuffer.allocate(3000 + i).position(100);
                            ByteBuffer data = i % 2 == 0 ? heap.asReadOnlyBuffer() : heap;
                            return rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(data), LONG, r ->
                                    (long) r.data().remaining());
                        },
                        600)
                .reduce(0L, Long::sum)
                .block(LONG);

        assertEquals(600L * 2900 + 599 * 300, total);
    }

    @Test
    void shouldRefuseMoreThanEightMebibytes() {
        serveEcho();
        RpcMessage tooLarge = message(bytes((8 << 20) + 1));
        Rpc rpc = client(Role.AGENT);

        Fault f = faultOf(() -> rpc.call(rank(), RpcMethod.OBJECT_UPDATE, tooLarge, LONG, r -> "")
                .block(LONG));

        assertEquals(FaultCode.OVERFLOW, f.code());
    }

    @Test
    void shouldRefuseReplyOfMoreThanEightMebibytes() {
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> Mono.just(message(bytes((8 << 20) + 1))));

        assertEquals(
                FaultCode.OVERFLOW,
                callFault(client(Role.AGENT), rank(), RpcMethod.OBJECT_FETCH).code());
    }

    @Test
    void shouldTellHandlerWhoAsks() {
        AtomicLong deadlineMs = new AtomicLong();
        Map<String, RpcCall.Peer> peers = new ConcurrentHashMap<>();
        server.server().register(Endpoint.NODE, RpcMethod.NODE_STATUS, call -> {
            deadlineMs.set(call.deadlineMs());
            peers.put("peer", call.peer());
            return Mono.just(RpcMessage.of(Empty.getDefaultInstance()));
        });
        ServerTransport other = openServer("daos_server", 0);
        other.rank(7, 99);

        other.rpc()
                .call(node(), RpcMethod.NODE_STATUS, message(bytes(0)), Duration.ofSeconds(9), r -> "ok")
                .block(LONG);

        assertEquals(
                new RpcCall.Peer(
                        Role.SERVER, 7, 99, other.address(), Release.own().text(), Optional.empty(), "127.0.0.1"),
                peers.get("peer"));
        assertTrue(deadlineMs.get() > 5000 && deadlineMs.get() <= 9000, "deadline " + deadlineMs);
    }

    @Test
    void shouldMergeClocksOfServers() {
        server.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.NODE_STATUS,
                        c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        ServerTransport other = openServer("daos_server", 0);
        long ahead = other.hlc().now() + io.daosmesh.model.time.Hlc.EPSILON / 2;
        other.hlc().merge(ahead);

        other.rpc()
                .call(node(), RpcMethod.NODE_STATUS, message(bytes(0)), LONG, r -> "")
                .block(LONG);

        assertTrue(server.hlc().now() > ahead);
    }

    @Test
    void shouldFireAndForget() throws Exception {
        CountDownLatch got = new CountDownLatch(20);
        server.server().register(RANK, RpcMethod.SWIM, call -> {
            got.countDown();
            return Mono.empty();
        });
        ServerTransport other = openServer("daos_server", 0);

        for (int i = 0; i < 20; i++)
            other.rpc().fire(rank(), RpcMethod.SWIM, message(bytes(0))).block(LONG);

        assertTrue(got.await(10, TimeUnit.SECONDS));
    }

    @Test
    void shouldLoseFireToNobodySilently() throws Exception {
        Endpoint nobody = new Endpoint("127.0.0.1", freePort(), RANK);

        openServer("daos_server", 0)
                .rpc()
                .fire(nobody, RpcMethod.SWIM, message(bytes(0)))
                .block(LONG);
    }

    @Test
    void shouldKeepStreamToConsumersDemand() {
        AtomicLong produced = new AtomicLong();
        AtomicInteger cancelled = new AtomicInteger();
        server.server()
                .registerStream(
                        Endpoint.NODE,
                        RpcMethod.RAS_STREAM,
                        call -> Flux.<RpcMessage>generate(sink -> {
                                    produced.incrementAndGet();
                                    sink.next(message(bytes(1000)));
                                })
                                .doOnCancel(cancelled::incrementAndGet));
        List<Integer> received = new ArrayList<>();
        BaseSubscriber<Integer> slow = new BaseSubscriber<>() {
            @Override
            protected void hookOnSubscribe(Subscription s) {
                s.request(5);
            }

            @Override
            protected void hookOnNext(Integer size) {
                synchronized (received) {
                    received.add(size);
                }
            }
        };

        client(Role.ADMIN).stream(
                        node(),
                        RpcMethod.RAS_STREAM,
                        message(bytes(0)),
                        r -> r.data().remaining())
                .subscribe(slow);
        Leaks.await("five came", () -> received.size() == 5);
        client(Role.ADMIN)
                .call(node(), RpcMethod.NODE_STATUS, message(bytes(0)), LONG, r -> "")
                .onErrorReturn("refused: a round trip has passed")
                .block(LONG);

        assertEquals(5, produced.get());
        slow.request(3);
        Leaks.await("three more", () -> received.size() == 8);
        slow.cancel();
        Leaks.await("the sender is told", () -> cancelled.get() == 1);
        assertEquals(8, produced.get());
    }

    @Test
    void shouldEndStreamWithTypedFault() {
        server.server()
                .registerStream(
                        Endpoint.NODE,
                        RpcMethod.RAS_STREAM,
                        c -> Flux.just(message(bytes(3)), message(bytes(4)))
                                .concatWith(Flux.error(Fault.of(FaultCode.STALE)
                                        .with("need", 42)
                                        .asException())));
        Rpc rpc = client(Role.ADMIN);
        AtomicInteger items = new AtomicInteger();

        Fault f = faultOf(() -> rpc.stream(node(), RpcMethod.RAS_STREAM, message(bytes(0)), r -> 1)
                .doOnNext(i -> items.incrementAndGet())
                .blockLast(LONG));

        assertEquals(2, items.get());
        assertEquals(FaultCode.STALE, f.code());
        assertEquals("42", f.arguments().get("need"));
    }

    @Test
    void shouldCarryTypedRefusal() {
        server.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.POOL_LIST,
                        c -> Mono.error(Fault.of(FaultCode.NOTLEADER, "ask %s", "them")
                                .with("leader", "10.0.0.1:10001")
                                .asException()));

        Fault f = callFault(client(Role.ADMIN), node(), RpcMethod.POOL_LIST);

        assertEquals(FaultCode.NOTLEADER, f.code());
        assertEquals("ask them", f.text());
        assertEquals("10.0.0.1:10001", f.argument("leader").orElseThrow());
    }

    @Test
    void shouldAnswerMiscWhenHandlerThrows() {
        server.server().register(Endpoint.NODE, RpcMethod.POOL_LIST, c -> {
            throw new IllegalStateException("a mistake");
        });

        assertEquals(
                FaultCode.MISC,
                callFault(client(Role.ADMIN), node(), RpcMethod.POOL_LIST).code());
    }

    @Test
    void shouldRefuseRoleByTable() {
        server.server().register(Endpoint.NODE, RpcMethod.JOIN, c -> Mono.empty());
        server.server().register(Endpoint.NODE, RpcMethod.STORAGE_FORMAT, c -> Mono.empty());

        assertEquals(
                FaultCode.NO_PERM,
                callFault(client(Role.ADMIN), node(), RpcMethod.JOIN).code());
        assertEquals(
                FaultCode.NO_PERM,
                callFault(client(Role.AGENT), node(), RpcMethod.STORAGE_FORMAT).code());
    }

    @Test
    void shouldSayRestartingWhileHandlerIsAway() throws Exception {
        Rpc rpc = client(Role.AGENT);
        AutoCloseable old = server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> Mono.empty());
        AutoCloseable young = server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> Mono.empty());
        old.close();

        assertEquals(
                "ok",
                rpc.call(rank(), RpcMethod.OBJECT_FETCH, message(bytes(0)), LONG, r -> "ok")
                        .block(LONG));
        young.close();
        Fault away = callFault(rpc, rank(), RpcMethod.OBJECT_FETCH);
        Fault node = callFault(rpc, node(), RpcMethod.POOL_LIST);
        Fault noRank = callFault(rpc, Endpoint.rank(server.address(), 77), RpcMethod.OBJECT_FETCH);

        assertEquals(FaultCode.AGAIN, away.code());
        assertEquals("restarting", away.argument("state").orElseThrow());
        assertEquals(FaultCode.AGAIN, node.code());
        assertEquals(FaultCode.OOG, noRank.code());
    }

    @Test
    void shouldEndAtDeadlineOnBothSides() {
        Sinks.One<RpcMessage> later = Sinks.one();
        AtomicInteger cancelled = new AtomicInteger();
        server.server()
                .register(RANK, RpcMethod.OBJECT_FETCH, c -> later.asMono().doOnCancel(cancelled::incrementAndGet));
        Rpc rpc = client(Role.AGENT);
        RpcMessage request = message(bytes(0));

        Fault f = faultOf(() -> rpc.call(rank(), RpcMethod.OBJECT_FETCH, request, Duration.ofMillis(200), r -> "")
                .block(LONG));

        assertEquals(FaultCode.TIMEDOUT, f.code());
        assertEquals(0, cancelled.get(), "the handler may still be using the request's bytes");
        later.tryEmitValue(message(bytes(1000)));
    }

    @Test
    void shouldGiveReplyBackWhenCallerHasGone() {
        Sinks.One<RpcMessage> later = Sinks.one();
        AtomicInteger asked = new AtomicInteger();
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> {
            asked.incrementAndGet();
            return later.asMono();
        });

        var subscription = client(Role.AGENT)
                .call(rank(), RpcMethod.OBJECT_FETCH, message(bytes(0)), LONG, r -> "")
                .subscribe();
        Leaks.await("asked", () -> asked.get() == 1);
        subscription.dispose();
        later.tryEmitValue(message(bytes(5000)));
    }

    @Test
    void shouldGiveDataBackWhenCancelledBeforeConnected() throws Exception {
        try (ServerSocket mute = new ServerSocket()) {
            mute.bind(new InetSocketAddress("127.0.0.1", 0), 1);
            Rpc rpc = client(Role.AGENT);
            Endpoint to = new Endpoint("127.0.0.1", mute.getLocalPort(), RANK);

            rpc.call(to, RpcMethod.OBJECT_FETCH, message(bytes(0)), LONG, r -> "")
                    .subscribe()
                    .dispose();
        }
    }

    @Test
    void shouldBoundRequestsInFlightAndThoseThatWait() {
        Sinks.One<RpcMessage> gate = Sinks.one();
        AtomicInteger atOnce = new AtomicInteger();
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> {
            atOnce.incrementAndGet();
            return gate.asMono();
        });
        Rpc rpc = client(Role.AGENT);
        AtomicInteger busy = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();

        for (int i = 0; i < 256 + 1024 + 50; i++) {
            rpc.call(rank(), RpcMethod.OBJECT_FETCH, message(bytes(0)), LONG, r -> "")
                    .subscribe(ok -> done.incrementAndGet(), e -> {
                        if (FaultException.faultOf(e).code() == FaultCode.BUSY) busy.incrementAndGet();
                    });
        }
        Leaks.await("the excess is refused", () -> busy.get() == 50);
        Leaks.await("as many as allowed are there", () -> atOnce.get() == 256);
        gate.tryEmitValue(RpcMessage.of(Empty.getDefaultInstance()));

        Leaks.await("the others follow", () -> done.get() == 256 + 1024);
    }

    @Test
    void shouldBoundBytesInFlightAndSayBusyAtDeadline() {
        Sinks.One<RpcMessage> gate = Sinks.one();
        AtomicInteger atOnce = new AtomicInteger();
        server.server().register(RANK, RpcMethod.OBJECT_UPDATE, c -> {
            atOnce.incrementAndGet();
            return gate.asMono();
        });
        Rpc rpc = client(Role.AGENT);
        List<FaultCode> codes = new java.util.concurrent.CopyOnWriteArrayList<>();
        AtomicInteger done = new AtomicInteger();
        for (int i = 0; i < 4; i++) {
            rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(1 << 20)), LONG, r -> "")
                    .subscribe(ok -> done.incrementAndGet(), e -> {});
        }
        Leaks.await("4 MiB are there", () -> atOnce.get() == 4);

        rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(1 << 20)), Duration.ofMillis(150), r -> "")
                .subscribe(ok -> {}, e -> codes.add(FaultException.faultOf(e).code()));
        Leaks.await("the fifth is refused", () -> codes.size() == 1);
        gate.tryEmitValue(RpcMessage.of(Empty.getDefaultInstance()));

        assertEquals(List.of(FaultCode.BUSY), codes);
        Leaks.await("the four are answered", () -> done.get() == 4);
        assertEquals(4, atOnce.get());
    }

    @Test
    void shouldFailWaitingCallsWithoutRecursionWhenPeerDies() {
        // a handler keeps its request until it ends: these end after the calls
        Sinks.Empty<RpcMessage> end = Sinks.empty();
        server.server().register(RANK, RpcMethod.OBJECT_FETCH, c -> end.asMono());
        Rpc rpc = client(Role.AGENT);
        AtomicInteger failed = new AtomicInteger();
        for (int i = 0; i < 1200; i++) {
            rpc.call(rank(), RpcMethod.OBJECT_FETCH, RpcMessage.of(Empty.getDefaultInstance()), LONG, r -> "")
                    .subscribe(ok -> {}, e -> failed.incrementAndGet());
        }

        server.close();

        Leaks.await("all fail", () -> failed.get() == 1200);
        end.tryEmitEmpty();
    }

    @Test
    void shouldTellWithinMillisecondsThatPeerIsGone() throws Exception {
        ServerTransport other = openServer("daos_server", 0);
        server.server()
                .register(
                        Endpoint.NODE,
                        RpcMethod.NODE_STATUS,
                        c -> Mono.just(RpcMessage.of(Empty.getDefaultInstance())));
        CountDownLatch closed = new CountDownLatch(1);
        CountDownLatch refused = new CountDownLatch(1);
        String address = server.address();
        other.rpc().onPeerClosed((a, isRefused) -> {
            if (a.equals(address)) (isRefused ? refused : closed).countDown();
        });
        other.rpc()
                .call(node(), RpcMethod.NODE_STATUS, message(bytes(0)), LONG, r -> "")
                .block(LONG);

        server.close();

        assertTrue(closed.await(5, TimeUnit.SECONDS), "closed");
        assertTrue(refused.await(5, TimeUnit.SECONDS), "refused");
        long startNs = System.nanoTime();
        assertEquals(
                FaultCode.UNREACH,
                callFault(other.rpc(), Endpoint.node(address), RpcMethod.NODE_STATUS)
                        .code());
        assertTrue(System.nanoTime() - startNs < 2_000_000_000L);
    }

    @Test
    void shouldFindPeerAgainAfterItsRestart() {
        Rpc rpc = client(Role.AGENT);
        serveEcho();
        int port = node().port();
        rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(10)), LONG, r -> "")
                .block(LONG);
        server.close();
        callFault(rpc, rank(), RpcMethod.OBJECT_UPDATE);

        server = openServer("daos_server", port);
        serveEcho();

        Leaks.await("the peer is found", () -> {
            try {
                rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(10)), LONG, r -> "")
                        .block(LONG);
                return true;
            } catch (FaultException e) {
                return false;
            }
        });
    }

    @Test
    void shouldRefusePeerOfAnotherSystem() {
        Fault f = callFault(client(Role.ADMIN, "other_system"), node(), RpcMethod.NODE_STATUS);

        assertEquals(FaultCode.MISMATCH, f.code());
        assertTrue(f.text().contains("'daos_server', not 'other_system'"), f.text());
    }

    @Test
    void shouldSayThatPortIsInUse() {
        int port = node().port();

        Fault f = faultOf(() -> openServer("daos_server", port));

        assertEquals(FaultCode.BUSY, f.code());
        assertTrue(f.text().contains("port " + port + " is in use"), f.text());
    }
}
