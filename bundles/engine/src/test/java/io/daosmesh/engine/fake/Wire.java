package io.daosmesh.engine.fake;

import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.rpc.RpcServer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** All connections of a small system in one process; loses what it is told to lose. */
public final class Wire implements Rpc, AutoCloseable {
    /** In place of a rank: whoever is none. */
    public static final int CLIENT = -2;

    private record Slot(int rank, RpcMethod method) {}

    private final Map<Slot, RpcServer.Handler> handlers = new ConcurrentHashMap<>();
    private final Scheduler scheduler = Schedulers.newParallel("wire", 2);
    /** Requests that never arrive. */
    public volatile BiPredicate<Integer, RpcMethod> losesRequest = (r, m) -> false;
    /** Requests that are done and whose answers are lost. */
    public volatile BiPredicate<Integer, RpcMethod> losesReply = (r, m) -> false;

    /** Ranks that do not hear each other: from, to. A client is rank -2. */
    public volatile BiPredicate<Integer, Integer> cuts = (from, to) -> false;

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        return call(CLIENT, new Destination(to, method), request, deadline, decoder);
    }

    private record Destination(Endpoint to, RpcMethod method) {}

    /** On whose behalf the client calls. */
    public volatile Optional<User> user = Optional.of(new User("alice@", "staff@", List.of(), "host-a"));

    /** The connections of one rank. */
    public Rpc from(int rank) {
        return new Rpc() {
            @Override
            public <T> Mono<T> call(
                    Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
                return Wire.this.call(rank, new Destination(to, method), request, deadline, decoder);
            }

            @Override
            public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
                return Wire.this.fire(to, method, request);
            }

            @Override
            public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
                return Wire.this.stream(to, method, request, decoder);
            }

            @Override
            public AutoCloseable onPeerClosed(PeerListener listener) {
                return Wire.this.onPeerClosed(listener);
            }
        };
    }

    private <T> Mono<T> call(
            int from, Destination where, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        Endpoint to = where.to;
        RpcMethod method = where.method;
        return Mono.<T>defer(() -> {
                    ByteBuffer body = ByteBuffer.wrap(request.body().toByteArray());
                    ByteBuffer data = copy(request.data());
                    request.onSent().run();
                    if (cuts.test(from, to.rank()) || losesRequest.test(to.rank(), method)) return Mono.never();
                    RpcServer.Handler handler = handlers.get(new Slot(to.rank(), method));
                    if (handler == null)
                        return Mono.error(Fault.of(FaultCode.AGAIN, "not there")
                                .with("state", "restarting")
                                .asException());
                    RpcCall.Peer peer = from == CLIENT
                            ? new RpcCall.Peer(Role.AGENT, -1, 0, "", "", user)
                            : new RpcCall.Peer(Role.SERVER, from, 1, "", "");
                    Mono<RpcMessage> reply = handler.handle(new RpcCall(method, peer, to.rank(), 0, body, data));
                    AtomicBoolean isFreed = new AtomicBoolean();
                    // what the real transport does with the buffer after the answer
                    return reply.doFinally(s -> {
                                if (isFreed.compareAndSet(false, true))
                                    for (int i = 0; i < data.capacity(); i++) data.put(i, (byte) 0xee);
                            })
                            .flatMap(r -> {
                                try {
                                    T value = decoder.decode(new RpcReply(
                                            ByteBuffer.wrap(r.body().toByteArray()), copy(r.data())));
                                    return cuts.test(to.rank(), from) || losesReply.test(to.rank(), method)
                                            ? Mono.never()
                                            : Mono.just(value);
                                } catch (Exception e) {
                                    return Mono.error(e);
                                } finally {
                                    r.onSent().run();
                                }
                            });
                })
                .subscribeOn(scheduler)
                .timeout(deadline, scheduler)
                .onErrorMap(
                        java.util.concurrent.TimeoutException.class,
                        e -> Fault.of(FaultCode.TIMEDOUT, "no answer").asException());
    }

    private static ByteBuffer copy(ByteBuffer b) {
        ByteBuffer c = ByteBuffer.allocateDirect(b.remaining());
        c.put(0, b, b.position(), b.remaining());
        return c;
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        return Mono.empty();
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return Flux.empty();
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return () -> {};
    }

    /** What the rank answers. */
    public Set<RpcMethod> methods(int rank) {
        return handlers.keySet().stream()
                .filter(s -> s.rank == rank)
                .map(Slot::method)
                .collect(Collectors.toSet());
    }

    public RpcServer server() {
        return new RpcServer() {
            @Override
            public Registration register(int rank, RpcMethod method, Handler handler) {
                handlers.put(new Slot(rank, method), handler);
                return () -> handlers.remove(new Slot(rank, method), handler);
            }

            @Override
            public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
                return () -> {};
            }

            @Override
            public String address() {
                return "host:1";
            }
        };
    }

    @Override
    public void close() {
        scheduler.dispose();
    }
}
