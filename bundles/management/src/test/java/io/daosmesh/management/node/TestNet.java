package io.daosmesh.management.node;

import io.daosmesh.management.raft.RaftWire;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.RaftEnvelope;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** A network inside the test: every message is serialised, nodes can be cut off, frozen and brought back. */
public final class TestNet implements AutoCloseable {
    static final User ADA = new User("ada@", "labs@", List.of("labs@"), "node1");

    private final Map<String, Server> servers = new ConcurrentHashMap<>();
    private final Set<String> frozen = ConcurrentHashMap.newKeySet();
    /** Pieces of snapshots that Raft leaders sent to replicas too far behind. */
    final AtomicInteger snapshotChunks = new AtomicInteger();

    private final Scheduler wire = Schedulers.newParallel("test-net", 4, true);

    final class Server implements RpcServer {
        private final String address;
        private final Sinks.Empty<RpcMessage> gone = Sinks.empty();
        private final Map<String, Handler> handlers = new ConcurrentHashMap<>();
        private final Map<String, StreamHandler> streams = new ConcurrentHashMap<>();

        Server(String address) {
            this.address = address;
        }

        @Override
        public Registration register(int rank, RpcMethod method, Handler handler) {
            String key = rank + " " + method;
            handlers.put(key, handler);
            return () -> handlers.remove(key, handler);
        }

        @Override
        public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
            String key = rank + " " + method;
            streams.put(key, handler);
            return () -> streams.remove(key, handler);
        }

        @Override
        public String address() {
            return address;
        }
    }

    public Server server(String address) {
        Server s = new Server(address);
        servers.put(address, s);
        return s;
    }

    /** What the node itself answers. */
    Set<RpcMethod> methods(String address) {
        Server s = servers.get(address);
        return Arrays.stream(RpcMethod.values())
                .filter(m -> s.handlers.containsKey(Endpoint.NODE + " " + m)
                        || s.streams.containsKey(Endpoint.NODE + " " + m))
                .collect(Collectors.toSet());
    }

    /** Nothing goes in or out any more: the process is gone. */
    public void cut(String address) {
        Server s = servers.remove(address);
        if (s != null) s.gone.tryEmitError(Fault.of(FaultCode.UNREACH).asException());
    }

    /** Nothing is answered until it thaws: the process is stopped. */
    void freeze(String address) {
        frozen.add(address);
    }

    void thaw(String address) {
        frozen.remove(address);
    }

    /** A client's connection carries a credential of ada@. */
    Rpc rpc(String from, Role role) {
        return rpc(from, role, role == Role.AGENT ? Optional.of(ADA) : Optional.empty());
    }

    Rpc rpc(String from, Role role, Optional<User> user) {
        return new Client(from, role, user);
    }

    private static int kind(RpcMessage raft) {
        return raft.body() instanceof RaftEnvelope e ? e.getKind() : -1;
    }

    private final class Client implements Rpc {
        private final String from;
        private final Role role;
        private final Optional<User> user;

        Client(String from, Role role, Optional<User> user) {
            this.from = from;
            this.role = role;
            this.user = user;
        }

        @Override
        public <T> Mono<T> call(
                Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
            byte[] body = request.body().toByteArray();
            if (method == RpcMethod.RAFT && kind(request) == RaftWire.SNAPSHOT) snapshotChunks.incrementAndGet();
            return Mono.defer(() -> {
                        Server s = servers.get(to.address());
                        if (s == null || role == Role.SERVER && !servers.containsKey(from))
                            return Mono.<RpcMessage>error(
                                    Fault.of(FaultCode.UNREACH).asException());
                        if (!method.mayBeCalledBy(role))
                            return Mono.<RpcMessage>error(
                                    Fault.of(FaultCode.NO_PERM).asException());
                        RpcServer.Handler h = s.handlers.get(to.rank() + " " + method);
                        if (h == null)
                            return Mono.<RpcMessage>error(
                                    Fault.of(FaultCode.AGAIN).asException());
                        Mono<RpcMessage> answer = h.handle(new RpcCall(
                                method,
                                new RpcCall.Peer(role, -1, 0, from, "test", user),
                                to.rank(),
                                (int) deadline.toMillis(),
                                ByteBuffer.wrap(body),
                                ByteBuffer.allocate(0)));
                        return Mono.firstWithSignal(answer, s.gone.asMono());
                    })
                    .delaySubscription(Flux.interval(Duration.ZERO, Duration.ofMillis(10), wire)
                            .filter(n -> !frozen.contains(to.address()) && !frozen.contains(from))
                            .next())
                    .publishOn(wire)
                    .flatMap(m -> {
                        boolean lost = !servers.containsKey(to.address());
                        if (lost)
                            return Mono.<T>error(Fault.of(FaultCode.UNREACH).asException());
                        return Mono.fromCallable(() -> decoder.decode(
                                new RpcReply(ByteBuffer.wrap(m.body().toByteArray()), ByteBuffer.allocate(0))));
                    })
                    .timeout(deadline, wire)
                    .onErrorMap(e -> FaultException.faultOf(e).asException());
        }

        @Override
        public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
            return Mono.empty();
        }

        @Override
        public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
            RpcServer.StreamHandler h = servers.get(to.address()).streams.get(to.rank() + " " + method);
            byte[] body = request.body().toByteArray();
            return h.handle(new RpcCall(
                            method,
                            new RpcCall.Peer(role, -1, 0, from, "test", user),
                            to.rank(),
                            0,
                            ByteBuffer.wrap(body),
                            ByteBuffer.allocate(0)))
                    .map(m -> {
                        try {
                            return decoder.decode(
                                    new RpcReply(ByteBuffer.wrap(m.body().toByteArray()), ByteBuffer.allocate(0)));
                        } catch (Exception e) {
                            throw new IllegalStateException(e);
                        }
                    });
        }

        @Override
        public AutoCloseable onPeerClosed(PeerListener listener) {
            return () -> {};
        }
    }

    @Override
    public void close() {
        wire.dispose();
    }
}
