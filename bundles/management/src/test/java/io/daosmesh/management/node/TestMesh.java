package io.daosmesh.management.node;

import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.Timing;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.ContainerDestroyTargetRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import io.daosmesh.model.wire.TargetDestroyRequest;
import io.daosmesh.model.wire.TargetQueryReply;
import io.daosmesh.model.wire.TargetQueryRequest;
import io.daosmesh.model.wire.TargetSpaceMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import reactor.core.publisher.Mono;

/** Nodes of one system in this JVM, with real Raft logs on disk and stand-ins for storage and engines. */
public final class TestMesh implements AutoCloseable {
    public static final Duration LONG = Duration.ofSeconds(30);

    static final Timing USUAL = timing(Duration.ZERO);

    /** A leader is missed after at least 10 s: it speaks every 10 s, and 20 s are waited for it. */
    public static final Timing PATIENT = new Timing(
            Duration.ofMillis(300),
            Duration.ZERO,
            Duration.ofSeconds(3),
            Duration.ofSeconds(20),
            Duration.ofSeconds(24));

    static Timing timing(Duration silenceGrace) {
        return new Timing(
                Duration.ofMillis(300),
                silenceGrace,
                Duration.ofMillis(600),
                Duration.ofMillis(400),
                Duration.ofMillis(800));
    }

    public final TestNet net = new TestNet();
    public final List<Node> nodes = new ArrayList<>();
    private final Loop clientLoop = new Loop();
    private final List<String> replicas;
    private final Timing timing;

    public TestMesh(Path dir, int count, int replicaCount) {
        this(dir, count, replicaCount, USUAL);
    }

    public TestMesh(Path dir, int count, int replicaCount, Timing timing) {
        this.timing = timing;
        replicas = IntStream.rangeClosed(1, replicaCount)
                .mapToObj(TestMesh::address)
                .toList();
        for (int i = 1; i <= count; i++) nodes.add(new Node(i, dir.resolve("node" + i)));
    }

    private static String address(int i) {
        return "10.0.0." + i + ":10001";
    }

    public final class Node {
        public final String address;
        final TestStorage storage = new TestStorage();
        final List<RankIdentity> published = new ArrayList<>();
        private final NodeConfig config;
        public ManagementNode management;
        private final List<AutoCloseable> engine = new ArrayList<>();
        /** Containers that the engine was told to drop. */
        final Set<UUID> dropped = ConcurrentHashMap.newKeySet();

        /** What the engine was told about ended handles; its answers fail while it is deaf. */
        final List<HandlesGoneRequest> handlesGone = new CopyOnWriteArrayList<>();

        volatile boolean deaf;

        final AtomicInteger restarts = new AtomicInteger();

        final Set<RasId> events = ConcurrentHashMap.newKeySet();

        /** Ranks whose engine refuses to make targets. */
        volatile boolean fullDisk;

        Node(int i, Path dir) {
            address = TestMesh.address(i);
            config = new NodeConfig(
                    "daos_server",
                    address,
                    "10.0.0." + i,
                    10001,
                    replicas,
                    "/node" + i,
                    0,
                    dir,
                    new NodeConfig.Tls(true, true, Optional.empty(), Optional.empty(), Optional.empty()),
                    List.of(new NodeConfig.Engine(0, 2, "file", dir, 0, "file", List.of(), 0, "")));
        }

        public void start() {
            TestNet.Server server = net.server(address);
            management = new ManagementNode(context(server), id -> publish(server, id), Optional::empty);
            management.onRestart(() -> {
                ManagementNode before = management;
                restarts.incrementAndGet();
                new Thread(() -> restart(before), "restart").start();
            });
            management.addStorage(storage);
        }

        /** As the container does with the bundle. */
        private void restart(ManagementNode before) {
            before.close();
            if (management == before) start();
        }

        /** Before anybody has joined. */
        public KnownServers servers() {
            return new KnownServers(config, () -> new GroupMap(config.system(), 0, List.of()));
        }

        public NodeContext context(TestNet.Server server) {
            Hlc hlc = new Hlc(() -> System.currentTimeMillis() * 1_000_000L);
            return new NodeContext(
                    config,
                    net.rpc(address, Role.SERVER),
                    server,
                    hlc,
                    new Loop(),
                    (id, s, m, f) -> events.add(id),
                    timing);
        }

        private AutoCloseable publish(TestNet.Server server, RankIdentity id) {
            published.add(id);
            engine.add(server.register(
                    id.rank(),
                    RpcMethod.TARGET_CREATE,
                    call -> answer(() -> {
                        if (fullDisk)
                            throw Fault.of(FaultCode.NOSPACE, "no space left").asException();
                        storage.pools.add(Ids.uuid(
                                TargetCreateRequest.parseFrom(call.body()).getPool()));
                        return Empty.getDefaultInstance();
                    })));
            engine.add(server.register(
                    id.rank(),
                    RpcMethod.TARGET_DESTROY,
                    call -> answer(() -> {
                        storage.pools.remove(Ids.uuid(
                                TargetDestroyRequest.parseFrom(call.body()).getPool()));
                        return Empty.getDefaultInstance();
                    })));
            engine.add(server.register(
                    id.rank(),
                    RpcMethod.CONTAINER_DESTROY_TARGET,
                    call -> answer(() -> {
                        dropped.add(Ids.uuid(ContainerDestroyTargetRequest.parseFrom(call.body())
                                .getContainer()));
                        return Empty.getDefaultInstance();
                    })));
            engine.add(server.register(
                    id.rank(),
                    RpcMethod.HANDLES_GONE,
                    call -> answer(() -> {
                        if (deaf) throw Fault.of(FaultCode.TIMEDOUT).asException();
                        handlesGone.add(HandlesGoneRequest.parseFrom(call.body()));
                        return Empty.getDefaultInstance();
                    })));
            engine.add(server.register(
                    id.rank(),
                    RpcMethod.TARGET_QUERY,
                    call -> answer(() -> space(
                            Ids.uuid(TargetQueryRequest.parseFrom(call.body()).getPool())))));
            return () -> {
                for (AutoCloseable a : engine) a.close();
                engine.clear();
            };
        }

        private TargetQueryReply space(UUID pool) {
            if (!storage.pools.contains(pool))
                throw Fault.of(FaultCode.NONEXIST, "pool %s is not on this rank", pool)
                        .asException();
            return TargetQueryReply.newBuilder()
                    .addTargets(TargetSpaceMessage.newBuilder()
                            .setIndex(0)
                            .setScmTotal(100)
                            .setScmFree(50))
                    .addTargets(TargetSpaceMessage.newBuilder()
                            .setIndex(1)
                            .setScmTotal(100)
                            .setScmFree(30))
                    .build();
        }

        private Mono<RpcMessage> answer(java.util.concurrent.Callable<MessageLite> work) {
            return Mono.fromCallable(work).map(RpcMessage::of);
        }

        public int rank() {
            return storage.rank().orElseThrow();
        }

        /** As SIGKILL: the others notice first, nothing is said. */
        public void kill() {
            net.cut(address);
            management.close();
        }

        boolean leadsSystem() {
            return management.system().isLeader();
        }

        boolean leads(UUID pool) {
            return management
                    .pools()
                    .service(pool)
                    .filter(PoolService::isLeader)
                    .isPresent();
        }
    }

    public void startAll() {
        nodes.forEach(Node::start);
        // a node may see its own engine in the map before it has kept the rank
        await(
                "all joined",
                () -> nodes.stream()
                        .allMatch(n ->
                                joined(n) == nodes.size() && n.storage.rank().isPresent()));
    }

    static long joined(Node n) {
        return n.management.maps().groupMap().members().stream()
                .filter(m -> m.state() == MemberState.JOINED)
                .count();
    }

    Node systemLeader() {
        return awaitOne("a leader", nodes, n -> alive(n) && n.leadsSystem());
    }

    public Node poolLeader(UUID pool) {
        return awaitOne("a pool leader", nodes, n -> alive(n) && n.leads(pool));
    }

    /** The one that was seen to be so: asked a second time it need not be so any more. */
    static Node awaitOne(String what, List<Node> among, Predicate<Node> isIt) {
        AtomicReference<Optional<Node>> found = new AtomicReference<>(Optional.empty());
        await(what, () -> {
            found.set(among.stream().filter(isIt).findFirst());
            return found.get().isPresent();
        });
        return found.get().orElseThrow();
    }

    private boolean alive(Node n) {
        try {
            net.rpc("", Role.ADMIN)
                    .call(
                            Endpoint.node(n.address),
                            RpcMethod.LEADER_QUERY,
                            RpcMessage.of(Empty.getDefaultInstance()),
                            LONG,
                            r -> 1)
                    .block(LONG);
            return true;
        } catch (FaultException e) {
            return e.code() != FaultCode.UNREACH;
        }
    }

    /** What an administrator's tool does: any replica, then the hints, again until it works. */
    public <T> T admin(RpcMethod method, MessageLite body, Parser<T> parser) {
        return admin(replicas, method, body, parser);
    }

    /** A pool "tank" on all nodes. */
    UUID createTank() {
        PoolCreateRequest create = PoolCreateRequest.newBuilder()
                .setLabel("tank")
                .setRequestId("r1")
                .setScmBytesTotal(60L << 20)
                .build();
        return Ids.uuid(
                admin(RpcMethod.POOL_CREATE, create, PoolCreateReply.parser()).getPool());
    }

    public <T> T admin(List<String> at, RpcMethod method, MessageLite body, Parser<T> parser) {
        LeaderCaller c = new LeaderCaller(net.rpc("", Role.ADMIN), clientLoop, () -> Mono.just(at));
        T reply = c.call(method, body, parser, Duration.ofSeconds(20), LONG).block(LONG);
        if (reply == null) throw new AssertionError("no reply");
        return reply;
    }

    /** What a program of that user does. */
    <T> T client(User user, RpcMethod method, MessageLite body, Parser<T> parser) {
        LeaderCaller c =
                new LeaderCaller(net.rpc("", Role.AGENT, Optional.of(user)), clientLoop, () -> Mono.just(addresses()));
        T reply = c.call(method, body, parser, Duration.ofSeconds(20), LONG).block(LONG);
        if (reply == null) throw new AssertionError("no reply");
        return reply;
    }

    /** One more node, not started. */
    Node add(Path dir) {
        int number = nodes.size() + 1;
        Node added = new Node(number, dir.resolve("node" + number));
        nodes.add(added);
        return added;
    }

    public List<String> addresses() {
        return nodes.stream().map(n -> n.address).toList();
    }

    MemberState stateOf(Node seenBy, int rank) {
        return seenBy.management
                .maps()
                .groupMap()
                .member(rank)
                .map(Member::state)
                .orElse(MemberState.UNKNOWN);
    }

    public static void await(String what, BooleanSupplier condition) {
        await(LONG, what, condition);
    }

    public static void await(Duration max, String what, BooleanSupplier condition) {
        long end = System.nanoTime() + max.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) throw new AssertionError("waited in vain for: " + what);
            java.util.concurrent.locks.LockSupport.parkNanos(5_000_000);
        }
    }

    /** Ratis takes up to a second for each log it closes, waiting for a thread that looks once a second. */
    public static void together(List<Runnable> works) {
        CompletableFuture<?>[] all = works.stream()
                .map(w -> CompletableFuture.runAsync(w, w2 -> new Thread(w2, "together").start()))
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(all)
                .orTimeout(LONG.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        together(nodes.stream()
                .filter(n -> n.management != null)
                .map(n -> (Runnable) n.management::close)
                .toList());
        clientLoop.close();
        net.close();
    }
}
