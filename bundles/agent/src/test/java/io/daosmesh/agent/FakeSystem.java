package io.daosmesh.agent;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolRef;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Three servers as the agent sees them, in memory. Any thread: one lock. */
final class FakeSystem implements Rpc {
    static final ByteString POOL = ByteString.copyFrom(new byte[] {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2});

    private static final int SERVERS = 3;
    private static final int LEADER = 2;

    private final List<PoolEvictRequest> evictions = new ArrayList<>();
    private final AtomicInteger findsHeld = new AtomicInteger();
    private final AtomicReference<Mono<Boolean>> isOpen = new AtomicReference<>(Mono.just(true));
    private final AtomicReference<Sinks.One<Boolean>> held = new AtomicReference<>();
    private int questions;
    private boolean isDown;
    private int refusals;
    private int silences;
    private FaultCode refusal = FaultCode.NO_SERVICE;

    static String address(int rank) {
        return "127.0.0.1:" + (10001 + rank);
    }

    synchronized void down(boolean now) {
        isDown = now;
    }

    /** The next evictions fail so. */
    synchronized void refuse(int times, FaultCode code) {
        refusals = times;
        refusal = code;
    }

    /** So many questions are not answered in time. */
    synchronized void beSilent(int questions) {
        silences = questions;
    }

    /** Questions for pools wait until it ends. */
    void hold(boolean now) {
        Sinks.One<Boolean> gate = Sinks.one();
        Sinks.One<Boolean> before = held.getAndSet(now ? gate : null);
        isOpen.set(now ? gate.asMono() : Mono.just(true));
        if (before != null) before.tryEmitValue(true);
    }

    int findsHeld() {
        return findsHeld.get();
    }

    synchronized int questions() {
        return questions;
    }

    /** All handles that were evicted, in order. */
    synchronized List<ByteString> evicted() {
        return evictions.stream().flatMap(e -> e.getHandlesList().stream()).toList();
    }

    synchronized List<PoolEvictRequest> evictions() {
        return List.copyOf(evictions);
    }

    @Override
    public <T> Mono<T> call(
            Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
        if (method == RpcMethod.POOL_FIND) findsHeld.incrementAndGet();
        Mono<Boolean> go = method == RpcMethod.POOL_FIND ? isOpen.get() : Mono.just(true);
        return go.flatMap(now -> Mono.fromCallable(() -> {
            findsHeld.updateAndGet(held -> method == RpcMethod.POOL_FIND ? held - 1 : held);
            ByteBuffer reply = serve(to, method, request.body()).toByteString().asReadOnlyByteBuffer();
            return decoder.decode(new RpcReply(reply, RpcMessage.NO_DATA));
        }));
    }

    private synchronized MessageLite serve(Endpoint to, RpcMethod method, MessageLite request) {
        if (isDown || to.port() == 10001) throw Fault.of(FaultCode.UNREACH).asException();
        if (silences > 0) {
            silences--;
            throw Fault.of(FaultCode.TIMEDOUT).asException();
        }
        return switch (method) {
            case LEADER_QUERY ->
                LeaderQueryReply.newBuilder()
                        .setLeader(address(1))
                        .addReplicas(address(0))
                        .addReplicas(address(1))
                        .build();
            case GROUP_MAP -> {
                questions++;
                yield groupMap();
            }
            case POOL_FIND -> {
                if (!((PoolRef) request).getPool().equals("00000000-0000-0001-0000-000000000002")) {
                    throw Fault.of(FaultCode.NONEXIST).asException();
                }
                yield PoolFindReply.newBuilder()
                        .setGroupMap(groupMap())
                        .setEntry(PoolEntryMessage.newBuilder().setPool(POOL).addAllServiceRanks(List.of(0, 1, 2)))
                        .build();
            }
            case POOL_EVICT -> evict(to, (PoolEvictRequest) request);
            default -> throw Fault.of(FaultCode.NOSYS).asException();
        };
    }

    private MessageLite evict(Endpoint to, PoolEvictRequest request) {
        if (!to.address().equals(address(LEADER))) {
            throw Fault.of(FaultCode.NOTLEADER).with("leader", address(LEADER)).asException();
        }
        if (refusals > 0) {
            refusals--;
            throw Fault.of(refusal).asException();
        }
        evictions.add(request);
        return PoolEvictReply.newBuilder().setCount(request.getHandlesCount()).build();
    }

    private static GroupMapMessage groupMap() {
        GroupMapMessage.Builder map = GroupMapMessage.newBuilder().setVersion(1).setSystem("daos_server");
        for (int rank = 0; rank < SERVERS; rank++) {
            map.addMembers(MemberMessage.newBuilder()
                    .setRank(rank)
                    .setUuid(POOL)
                    .setAddress(address(rank))
                    .setFaultDomain("/n" + rank)
                    .setTargetCount(1));
        }
        return map.build();
    }

    @Override
    public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
        return Mono.error(new IllegalStateException());
    }

    @Override
    public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
        return Flux.error(new IllegalStateException());
    }

    @Override
    public AutoCloseable onPeerClosed(PeerListener listener) {
        return () -> {};
    }

    /** Who the agent said somebody is, instead of a signature. */
    static final class OpenIdentity implements Agent.Identity {
        final AtomicReference<byte[]> authority = new AtomicReference<>(new byte[] {1, 2, 3});

        @Override
        public String system() {
            return "daos_server";
        }

        @Override
        public boolean clearData() {
            return false;
        }

        @Override
        public boolean allowInsecure() {
            return false;
        }

        @Override
        public java.util.Optional<byte[]> authority() {
            return java.util.Optional.of(authority.get());
        }

        @Override
        public byte[] credential(io.daosmesh.model.access.User user, long nowMs, Duration life) {
            return (user.user() + " " + user.group() + " " + user.groups() + " " + user.machine() + " " + nowMs)
                    .getBytes(java.nio.charset.StandardCharsets.UTF_8);
        }
    }
}
