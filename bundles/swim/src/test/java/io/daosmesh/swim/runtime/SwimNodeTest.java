package io.daosmesh.swim.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Membership.Listener;
import io.daosmesh.model.port.Membership.Liveness;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.swim.SwimConfig;
import io.daosmesh.swim.SwimMessage;
import io.daosmesh.swim.SwimUpdate;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Three real membership loops in one process, joined by calls instead of sockets. */
@Timeout(60)
class SwimNodeTest {
    private final Wire wire = new Wire();
    private final List<SwimNode> nodes = new ArrayList<>();
    private final List<String> alarms = new CopyOnWriteArrayList<>();
    private final List<String> heard = new CopyOnWriteArrayList<>();

    @BeforeEach
    void threeNodesKnowEachOther() {
        for (int rank = 0; rank < 3; rank++) {
            SwimNode node = new SwimNode(
                    SwimConfig.defaults(), wire.at(rank), wire.at(rank), new Hlc(System::nanoTime), alarm(rank));
            nodes.add(node);
            node.start(identity(rank));
            node.follow(wire);
        }
        nodes.get(0).listen(recorder(heard));
        await(() ->
                isEverywhere(0, Liveness.ALIVE) && isEverywhere(1, Liveness.ALIVE) && isEverywhere(2, Liveness.ALIVE));
    }

    private static Listener recorder(List<String> heard) {
        return new Listener() {
            @Override
            public void onAlive(int rank, long incarnation) {
                heard.add("alive " + rank);
            }

            @Override
            public void onSuspect(int rank, long incarnation) {
                heard.add("suspect " + rank);
            }

            @Override
            public void onDead(int rank, long incarnation, String reason) {
                heard.add("dead " + rank);
            }
        };
    }

    @AfterEach
    void stop() {
        nodes.forEach(SwimNode::close);
        await(() -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(t -> t.getName().equals("daosmesh-swim")));
        assertTrue(wire.handlers.isEmpty(), "handlers left: " + wire.handlers.keySet());
        assertTrue(wire.listeners.isEmpty(), "peer listeners left");
    }

    @Test
    void shouldDeclareKilledNodeDeadWithinASecond() {
        long killedNs = System.nanoTime();

        wire.kill(2);

        await(() -> nodes.get(0).liveness(2) == Liveness.DEAD && nodes.get(1).liveness(2) == Liveness.DEAD);
        assertTrue(System.nanoTime() - killedNs < 1_000_000_000L, "evidence is worth less than a second");
        await(() -> heard.contains("dead 2") && alarms.contains("0: died 2") && alarms.contains("1: died 2"));
        assertEquals(Liveness.ALIVE, nodes.get(0).liveness(1));
    }

    /** A bundle that is replaced right after its start: its listener must not stay behind with the old class loader. */
    @Test
    void shouldForgetListenerWhoseCloseOvertakesItsRegistration() throws Exception {
        List<String> ghosts = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 200; i++) nodes.get(0).listen(recorder(ghosts)).close();
        List<String> last = new CopyOnWriteArrayList<>();
        nodes.get(0).listen(recorder(last));
        await(() -> last.contains("alive 2"));
        ghosts.clear();

        wire.kill(2);

        await(() -> last.contains("dead 2"));
        assertEquals(List.of(), ghosts);
    }

    @Test
    void shouldSpreadAnnouncedAbsenceAndItsEnd() {
        nodes.get(2).announceRestarting(2, Duration.ofSeconds(20));
        await(() ->
                nodes.get(0).liveness(2) == Liveness.RESTARTING && nodes.get(1).liveness(2) == Liveness.RESTARTING);

        nodes.get(2).announceRestarting(2, Duration.ZERO);

        await(() -> nodes.get(0).liveness(2) == Liveness.ALIVE && nodes.get(1).liveness(2) == Liveness.ALIVE);
    }

    @Test
    void shouldNotLoseARankWhenTheBundleIsReplaced() {
        nodes.get(2).close(Duration.ofSeconds(20));
        await(() ->
                nodes.get(0).liveness(2) == Liveness.RESTARTING && nodes.get(1).liveness(2) == Liveness.RESTARTING);

        SwimNode again =
                new SwimNode(SwimConfig.defaults(), wire.at(2), wire.at(2), new Hlc(System::nanoTime), alarm(2));
        nodes.set(2, again);
        again.start(identity(2));
        again.follow(wire);

        await(() -> isEverywhere(2, Liveness.ALIVE));
        assertEquals(List.of(), alarms);
    }

    @Test
    void shouldKnowTheMajority() {
        await(() -> System.nanoTime() - nodes.get(0).lastMajorityContactNs(0) < 1_500_000_000L);

        assertTrue(nodes.get(0).lastMajorityContactNs(1) < 0, "not a rank of this node");
    }

    @Test
    void shouldDropWhatAServerSaysInTheNameOfARankElsewhere() {
        SwimUpdate death = new SwimUpdate(2, io.daosmesh.swim.MemberState.DEAD, Long.MAX_VALUE / 2, List.of(1), 0);
        int sent = 0;
        for (Kind kind : List.of(Kind.PING, Kind.PING_REQ, Kind.ACK, Kind.NACK)) {
            for (int claimed : new int[] {0, 1, 2, 9, -1}) {
                for (String from : List.of("127.0.0.9:10001", address(2), "")) {
                    if (from.equals(address(claimed))) continue;
                    SwimMessage lie = new SwimMessage(claimed, 1, 7, 2, false, List.of(death));
                    wire.deliver(from, 0, SwimWire.toWire(kind, lie));
                    sent++;
                }
            }
        }
        int all = sent;

        await(() -> nodes.get(0).foreignCount() == all);
        assertEquals(Liveness.ALIVE, nodes.get(0).liveness(2));
        assertEquals(0, nodes.get(1).foreignCount());
        assertEquals(List.of(), alarms);
    }

    private boolean isEverywhere(int rank, Liveness liveness) {
        return nodes.stream().allMatch(node -> node.liveness(rank) == liveness);
    }

    private SwimNode.Alarm alarm(int at) {
        return new SwimNode.Alarm() {
            @Override
            public void rankDied(int rank, long incarnation, String reason) {
                alarms.add(at + ": died " + rank);
            }

            @Override
            public void rankLives(int rank, long incarnation) {
                alarms.add(at + ": lives " + rank);
            }
        };
    }

    private static RankIdentity identity(int rank) {
        return new RankIdentity(0, rank, new UUID(0, rank), address(rank), "/n" + rank, 1, 1);
    }

    private static String address(int rank) {
        return "127.0.0.1:" + (10_001 + rank);
    }

    private static void await(BooleanSupplier condition) {
        long deadlineNs = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadlineNs, "not within 20 s");
            LockSupport.parkNanos(5_000_000);
        }
    }

    /** Hands messages over; tells about connections that closed or are refused, as the transport does. */
    private static final class Wire implements io.daosmesh.model.port.Maps {
        private final Map<Integer, RpcServer.Handler> handlers = new ConcurrentHashMap<>();
        private final Map<Integer, Rpc.PeerListener> listeners = new ConcurrentHashMap<>();
        private final Map<Integer, Boolean> killed = new ConcurrentHashMap<>();

        void kill(int rank) {
            killed.put(rank, true);
            listeners.forEach((at, listener) -> {
                if (at != rank) {
                    listener.peerClosed(address(rank), false);
                }
            });
        }

        void deliver(String from, int to, io.daosmesh.model.wire.SwimMessage message) {
            RpcCall.Peer peer = new RpcCall.Peer(Role.SERVER, -1, 0, from, "test");
            ByteBuffer body = ByteBuffer.wrap(message.toByteArray());
            handlers.get(to)
                    .handle(new RpcCall(RpcMethod.SWIM, peer, to, 0, body, RpcMessage.NO_DATA))
                    .subscribe();
        }

        Node at(int rank) {
            return new Node(rank);
        }

        private final class Node implements Rpc, RpcServer {
            private final int self;

            Node(int self) {
                this.self = self;
            }

            @Override
            public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
                return Mono.fromRunnable(() -> {
                    if (killed.containsKey(self)) {
                        return;
                    }
                    if (killed.containsKey(to.rank())) {
                        listeners.get(self).peerClosed(to.address(), true);
                        return;
                    }
                    RpcServer.Handler handler = handlers.get(to.rank());
                    if (handler != null) {
                        ByteBuffer body = ByteBuffer.wrap(request.body().toByteArray());
                        RpcCall.Peer peer = new RpcCall.Peer(Role.SERVER, self, 1, SwimNodeTest.address(self), "test");
                        handler.handle(new RpcCall(method, peer, to.rank(), 0, body, RpcMessage.NO_DATA))
                                .subscribe();
                    }
                });
            }

            @Override
            public AutoCloseable onPeerClosed(PeerListener listener) {
                listeners.put(self, listener);
                return () -> listeners.remove(self);
            }

            @Override
            public Registration register(int rank, RpcMethod method, Handler handler) {
                handlers.put(rank, handler);
                return () -> handlers.remove(rank);
            }

            @Override
            public String address() {
                return SwimNodeTest.address(self);
            }

            @Override
            public <T> Mono<T> call(
                    Endpoint to, RpcMethod m, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
                return Mono.error(new UnsupportedOperationException());
            }

            @Override
            public <T> Flux<T> stream(Endpoint to, RpcMethod m, RpcMessage request, RpcReply.Decoder<T> decoder) {
                return Flux.error(new UnsupportedOperationException());
            }

            @Override
            public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
                throw new UnsupportedOperationException();
            }
        }

        @Override
        public GroupMap groupMap() {
            List<Member> members = new ArrayList<>();
            for (int rank = 0; rank < 3; rank++) {
                UUID uuid = new UUID(0, rank);
                members.add(new Member(rank, uuid, address(rank), "/n" + rank, MemberState.JOINED, 1, 1, 0, "", 1));
            }
            return new GroupMap("test", 1, members);
        }

        @Override
        public boolean isMember(String address) {
            return groupMap().members().stream().anyMatch(m -> m.address().equals(address));
        }

        @Override
        public java.util.Optional<io.daosmesh.model.pool.PoolMap> poolMap(UUID pool) {
            return java.util.Optional.empty();
        }

        @Override
        public List<UUID> pools() {
            return List.of();
        }

        @Override
        public Mono<io.daosmesh.model.pool.PoolMap> poolMap(UUID pool, int minVersion) {
            return Mono.empty();
        }

        @Override
        public Mono<io.daosmesh.model.pool.PoolMap> newestPoolMap(UUID pool) {
            return Mono.empty();
        }

        @Override
        public AutoCloseable listen(Listener listener) {
            listener.onGroupMap(groupMap());
            return () -> {};
        }
    }
}
