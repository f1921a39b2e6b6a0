package io.daosmesh.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * A system of three servers in memory that answers the client's messages by the rules of the real ones and misbehaves on
 * demand: refuses stale maps, loses requests and answers, sends hints, damages bytes. Owner: any thread, one lock.
 */
public final class FakeCluster implements Rpc {
    public static final UUID POOL = new UUID(1, 2);
    /** Where answers come. */
    volatile Scheduler network = Schedulers.parallel();

    private static final int SERVERS = 3;

    /** Ranks that clients have told the pool service of. */
    final Set<Integer> reportedSilent = ConcurrentHashMap.newKeySet();

    final FakeEngine engine = new FakeEngine(this);
    private final FakeAcls acls = new FakeAcls();
    final FakeHandles handles = new FakeHandles();
    /** Ranks that do not answer. */
    final Set<Integer> down = new HashSet<>();

    /** Ranks that take requests and do nothing. */
    final Set<Integer> frozen = ConcurrentHashMap.newKeySet();

    /** Questions that every server answers are not given up at a frozen one: whoever waits for that waits for ever. */
    volatile boolean isSilenceEndless;

    final Map<RpcMethod, Integer> served = new HashMap<>();
    PoolMap map = firstMap();
    int serviceLeader = 2;
    private final Map<UUID, ContainerMessage> containers = new LinkedHashMap<>();
    private final Map<String, ContainerMessage> createdBy = new HashMap<>();
    private final Random random;
    private double lossRate;
    private long nextOid = 1;

    public FakeCluster(long seed) {
        this.random = new Random(seed);
    }

    /** Of a request on its way, and again of its answer. */
    public synchronized void loseMessages(double rate) {
        lossRate = rate;
    }

    public static String address(int rank) {
        return "127.0.0.1:" + (10001 + rank);
    }

    public ClientConfig config() {
        return ClientConfig.of(this, List.of(address(0), address(1)))
                .withLimits(Duration.ofSeconds(20), Duration.ofMillis(200));
    }

    private static PoolMap firstMap() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int rank = 0; rank < SERVERS; rank++) {
            for (int index = 0; index < 2; index++) {
                targets.add(new PoolTarget(targets.size(), rank, index, "/n" + rank, TargetState.UPIN, false, 1));
            }
        }
        return new PoolMap(POOL, 1, targets);
    }

    /** Its targets leave the map; the data, kept once for all replicas here, stays. */
    public synchronized void exclude(int rank) {
        Set<Integer> targets = new HashSet<>();
        map.ofRank(rank).forEach(t -> targets.add(t.id()));
        map = map.withStates(targets, TargetState.DOWN);
    }

    public synchronized void reintegrate(int rank) {
        Set<Integer> targets = new HashSet<>();
        map.ofRank(rank).forEach(t -> targets.add(t.id()));
        map = map.withStates(targets, TargetState.UP).afterRebuild();
    }

    public synchronized void kill(int rank) {
        down.add(rank);
    }

    public synchronized void revive(int rank) {
        down.remove(rank);
    }

    /** Pool handles that have not been given back. */
    public synchronized int connectedPools() {
        return handles.poolCount();
    }

    public synchronized int openContainers() {
        return handles.containerCount();
    }

    /** As an administrator does. */
    public synchronized void evict() {
        handles.evict();
    }

    private GroupMap groupMap() {
        List<Member> members = new ArrayList<>();
        for (int rank = 0; rank < SERVERS; rank++) {
            members.add(new Member(
                    rank, new UUID(0, rank), address(rank), "/n" + rank, MemberState.JOINED, 1, 2, 0, "", 0));
        }
        return new GroupMap("daos_server", 1, members);
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        Mono<T> silence = Mono.never();
        if (!isSilenceEndless || !isForAnybody(method))
            silence = silence.timeout(deadline, Mono.error(() -> fault(FaultCode.TIMEDOUT)));
        Mono<T> unanswered = silence;
        return Mono.defer(() -> frozen.contains(to.port() - 10001) ? unanswered : answer(to, method, request, decoder));
    }

    private <T> Mono<T> answer(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return Mono.fromCallable(() -> {
                    RpcMessage reply = serve(to, method, request);
                    return decoder.decode(
                            new RpcReply(reply.body().toByteString().asReadOnlyByteBuffer(), reply.data()));
                })
                .subscribeOn(network);
    }

    private synchronized RpcMessage serve(Endpoint to, RpcMethod method, RpcMessage request) throws Exception {
        int rank = to.port() - 10001;
        if (down.contains(rank)) throw fault(FaultCode.UNREACH);
        if (random.nextDouble() < lossRate) throw fault(random.nextBoolean() ? FaultCode.UNREACH : FaultCode.BUSY);
        served.merge(method, 1, Integer::sum);
        MessageLite body = request.body();
        if (isForEngine(method)) handles.checkObject(method, body);
        RpcMessage reply = isForEngine(method)
                ? engine.serve(rank, method, body, request.data().duplicate())
                : RpcMessage.of(manage(rank, method, body));
        if (random.nextDouble() < lossRate) throw fault(random.nextBoolean() ? FaultCode.TIMEDOUT : FaultCode.UNREACH);
        return reply;
    }

    private static boolean isForAnybody(RpcMethod method) {
        return method == RpcMethod.GROUP_MAP || method == RpcMethod.POOL_FIND;
    }

    static boolean isForEngine(RpcMethod method) {
        return method.name().startsWith("OBJECT_");
    }

    private MessageLite manage(int rank, RpcMethod method, MessageLite body) {
        return switch (method) {
            case GROUP_MAP -> groupMap().toWire();
            case POOL_LIST -> PoolListReply.newBuilder().addPools(entry()).build();
            case POOL_FIND -> {
                String wanted = ((PoolRef) body).getPool();
                if (!wanted.equals("tank") && !wanted.equals(POOL.toString())) throw fault(FaultCode.NONEXIST);
                yield PoolFindReply.newBuilder()
                        .setEntry(entry())
                        .setGroupMap(groupMap().toWire())
                        .build();
            }
            default -> {
                if (rank != serviceLeader) {
                    throw Fault.of(FaultCode.NOTLEADER)
                            .with("leader", address(serviceLeader))
                            .asException();
                }
                yield poolService(method, body);
            }
        };
    }

    private MessageLite poolService(RpcMethod method, MessageLite body) {
        if (body instanceof PoolRef r) handles.checkPool(r.getPoolHandle());
        if (body instanceof ContainerRef r) handles.checkPool(r.getPoolHandle());
        return switch (method) {
            case POOL_CONNECT -> handles.connect((PoolConnectRequest) body, map.toWire());
            case POOL_DISCONNECT -> handles.disconnect((PoolDisconnectRequest) body);
            case CONTAINER_OPEN ->
                handles.open((ContainerOpenRequest) body, find(((ContainerOpenRequest) body).getContainer()));
            case CONTAINER_CLOSE -> handles.close((ContainerCloseRequest) body);
            case POOL_QUERY ->
                PoolQueryReply.newBuilder()
                        .setEntry(entry())
                        .setMap(map.toWire())
                        .build();
            case POOL_MAP -> {
                reportedSilent.addAll(((PoolMapRequest) body).getSilentList());
                yield map.toWire();
            }
            case CONTAINER_CREATE -> create((ContainerCreateRequest) body);
            case CONTAINER_LIST ->
                ContainerListReply.newBuilder()
                        .addAllContainers(containers.values())
                        .build();
            case CONTAINER_QUERY -> find(((ContainerRef) body).getContainer());
            case CONTAINER_DESTROY -> {
                containers.remove(
                        Ids.uuid(find(((ContainerRef) body).getContainer()).getUuid()));
                yield Empty.getDefaultInstance();
            }
            case OID_RANGE -> {
                OidRangeRequest range = (OidRangeRequest) body;
                handles.checkContainer(range.getHandle(), UUID.fromString(range.getContainer()));
                long first = nextOid;
                nextOid += range.getCount();
                yield OidRangeReply.newBuilder().setFirst(first).build();
            }
            case CONTAINER_ACL -> {
                AclRequest r = (AclRequest) body;
                yield acls.serve(find(r.getContainer()).getUuid(), r);
            }
            case CONTAINER_OWNER -> {
                OwnerRequest r = (OwnerRequest) body;
                yield acls.serve(find(r.getContainer()).getUuid(), r);
            }
            default -> throw fault(FaultCode.NOSYS);
        };
    }

    private ContainerMessage create(ContainerCreateRequest request) {
        handles.checkPool(request.getPoolHandle());
        ContainerMessage before = createdBy.get(request.getRequestId());
        if (before != null) return before;
        boolean isTaken = containers.values().stream()
                .anyMatch(c -> c.getLabel().equals(request.getContainer().getLabel()));
        if (isTaken) throw fault(FaultCode.EXIST);
        acls.create(request);
        containers.put(Ids.uuid(request.getContainer().getUuid()), request.getContainer());
        createdBy.put(request.getRequestId(), request.getContainer());
        return request.getContainer();
    }

    private ContainerMessage find(String container) {
        return containers.values().stream()
                .filter(c -> c.getLabel().equals(container)
                        || Ids.uuid(c.getUuid()).toString().equals(container))
                .findFirst()
                .orElseThrow(() -> fault(FaultCode.NONEXIST));
    }

    private PoolEntryMessage entry() {
        return PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .setStateValue(1)
                .addAllRanks(List.of(0, 1, 2))
                .addAllServiceRanks(List.of(0, 1, 2))
                .build();
    }

    static FaultException fault(FaultCode code) {
        return Fault.of(code).asException();
    }

    static ByteString bytes(ByteBuffer data) {
        return ByteString.copyFrom(data);
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        return Mono.error(fault(FaultCode.NOSYS));
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return Flux.error(fault(FaultCode.NOSYS));
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return () -> {};
    }
}
