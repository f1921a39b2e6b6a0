package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.shard.ShardAddress;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.HandlesGoneRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Requests of clients that have not been allowed what they ask for. */
@Timeout(60)
class HandlesTest {
    /** Fewer than the reads that may wait for a lease. */
    private static final int MANY = 200;

    private static final byte[] KEY = {'k'};
    private static final byte[] OLD = {1, 2, 3};
    private static final List<RpcMethod> WRITES =
            List.of(RpcMethod.OBJECT_UPDATE, RpcMethod.OBJECT_PUNCH, RpcMethod.OBJECT_CHANGE);
    private static final List<RpcMethod> READS = List.of(RpcMethod.OBJECT_FETCH, RpcMethod.OBJECT_ENUMERATE);

    private final MiniMesh mesh = new MiniMesh(2, 1);
    private final ObjectId oid = mesh.oid(ObjectClass.RP_2, 1, 5);
    private final PoolTarget leader = mesh.leader(oid, KEY);
    private final User alice = mesh.wire.user.orElseThrow();

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private ObjectAddress address(UUID container, ByteString handle) {
        return new ShardAddress(mesh.pool, container, oid, 0, mesh.map.version())
                .toWire(leader.index()).toBuilder().setHandle(handle).build();
    }

    private static MessageLite request(RpcMethod method, ObjectAddress address, ValueMessage value, WriteOp.Dtx dtx) {
        ByteString key = ByteString.copyFrom(KEY);
        return switch (method) {
            case OBJECT_UPDATE ->
                UpdateRequest.newBuilder()
                        .setAddress(address)
                        .setDkey(key)
                        .addValues(value)
                        .setDtx(WriteOp.dtxMessage(dtx.id()))
                        .build();
            case OBJECT_PUNCH ->
                PunchRequest.newBuilder()
                        .setAddress(address)
                        .setLevel(1)
                        .setDkey(key)
                        .setDtx(WriteOp.dtxMessage(dtx.id()))
                        .build();
            case OBJECT_CHANGE ->
                ChangeRequest.newBuilder()
                        .setAddress(address)
                        .addChanges(KeyChangeMessage.newBuilder().setDkey(key).addValues(value))
                        .setDtx(WriteOp.dtxMessage(dtx.id()))
                        .build();
            case OBJECT_FETCH ->
                FetchRequest.newBuilder()
                        .setAddress(address)
                        .setDkey(key)
                        .addValues(ValueMessage.newBuilder().setAkey(ByteString.copyFromUtf8("v")))
                        .build();
            default ->
                EnumerateRequest.newBuilder()
                        .setAddress(address)
                        .setCountMax(10)
                        .build();
        };
    }

    private Mono<Boolean> send(RpcMethod method, ObjectAddress address) {
        byte[] bytes = {9, 9};
        boolean hasData = method == RpcMethod.OBJECT_UPDATE || method == RpcMethod.OBJECT_CHANGE;
        return mesh.call(
                leader.rank(),
                method,
                request(method, address, MiniMesh.value("v", 0, 0, bytes), new WriteOp.Dtx(mesh.dtx(), 0, 0, false)),
                hasData ? ByteBuffer.wrap(bytes) : RpcMessage.NO_DATA,
                reply -> true);
    }

    private Fault refusal(RpcMethod method, ObjectAddress address) {
        return assertThrows(FaultException.class, () -> send(method, address).block(MiniMesh.WAIT), method.name())
                .fault();
    }

    private void refuseAll(FaultCode code, List<RpcMethod> methods, ObjectAddress address) {
        for (RpcMethod method : methods)
            assertEquals(code, refusal(method, address).code(), method.name());
    }

    private void refuseAll(FaultCode code, ObjectAddress address) {
        refuseAll(code, READS, address);
        refuseAll(code, WRITES, address);
    }

    private void tellGone(HandlesGoneRequest.Builder gone) {
        mesh.wire
                .from(1)
                .call(
                        new io.daosmesh.model.rpc.Endpoint("host", 1, leader.rank()),
                        RpcMethod.HANDLES_GONE,
                        RpcMessage.of(gone.setPool(Ids.bytes(mesh.pool)).build()),
                        MiniMesh.WAIT,
                        reply -> true)
                .block(MiniMesh.WAIT);
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, "in time");
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void shouldRefuseWhateverIsNotTheHandleOfThisContainerAndUser() {
        mesh.put(oid, KEY, OLD);
        UUID other = new UUID(77, 77);
        ByteString ofOther = mesh.handles.open(other, 3, alice);
        ByteString bobs = mesh.handles.open(mesh.container, 3, new User("bob@", "staff@", List.of(), "host-a"));
        ByteString elsewhere = mesh.handles.open(mesh.container, 3, new User("alice@", "staff@", List.of(), "host-b"));

        refuseAll(FaultCode.NO_HDL, address(mesh.container, ByteString.EMPTY));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, ByteString.copyFromUtf8("short")));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, ByteString.copyFrom(new byte[64])));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, Ids.bytes(UUID.randomUUID())));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, ofOther));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, bobs));
        refuseAll(FaultCode.NO_HDL, address(mesh.container, elsewhere));
        refuseAll(FaultCode.NO_HDL, address(other, mesh.handle));

        assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());
        assertTrue(
                refusal(RpcMethod.OBJECT_FETCH, address(mesh.container, bobs))
                        .equals(refusal(RpcMethod.OBJECT_FETCH, address(mesh.container, Ids.bytes(UUID.randomUUID())))),
                "nobody learns whether somebody else has a handle");
    }

    @Test
    void shouldRefuseWhoeverHasNoUserWithoutAsking() {
        int asked = mesh.handles.questions.size();
        mesh.wire.user = Optional.empty();

        refuseAll(FaultCode.NO_HDL, address(mesh.container, mesh.handle));

        assertEquals(asked, mesh.handles.questions.size());
    }

    @Test
    void shouldKeepToTheRightsOfTheHandle() {
        mesh.put(oid, KEY, OLD);
        ByteString toRead = mesh.handles.open(mesh.container, 1, alice);
        ByteString toWrite = mesh.handles.open(mesh.container, 2, alice);

        refuseAll(FaultCode.NO_PERM, WRITES, address(mesh.container, toRead));
        refuseAll(FaultCode.NO_PERM, READS, address(mesh.container, toWrite));

        assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());
        for (RpcMethod read : READS) send(read, address(mesh.container, toRead)).block(MiniMesh.WAIT);
        for (RpcMethod write : WRITES)
            send(write, address(mesh.container, toWrite)).block(MiniMesh.WAIT);
    }

    @Test
    void shouldMakeNoContainerOfItself() {
        UUID nowhere = new UUID(66, 66);

        refuseAll(FaultCode.NO_HDL, address(nowhere, mesh.handle));
        refuseAll(FaultCode.NO_HDL, address(nowhere, Ids.bytes(nowhere)));

        ByteString later = mesh.handles.open(nowhere, 3, alice);
        List<?> keys = mesh.call(
                        leader.rank(),
                        RpcMethod.OBJECT_ENUMERATE,
                        request(
                                RpcMethod.OBJECT_ENUMERATE,
                                address(nowhere, later),
                                ValueMessage.getDefaultInstance(),
                                new WriteOp.Dtx(mesh.dtx(), 0, 0, false)),
                        RpcMessage.NO_DATA,
                        r -> io.daosmesh.model.wire.EnumerateReply.parseFrom(r.body())
                                .getKeysList())
                .block(MiniMesh.WAIT);
        assertEquals(List.of(), keys);
    }

    @Test
    void shouldNotAskAboutAPoolThatIsNotHere() {
        int asked = mesh.handles.questions.size();
        ObjectAddress elsewhere = address(mesh.container, Ids.bytes(UUID.randomUUID())).toBuilder()
                .setPool(Ids.bytes(new UUID(5, 5)))
                .build();

        refuseAll(FaultCode.NONEXIST, elsewhere);
        refuseAll(
                FaultCode.NONEXIST,
                elsewhere.toBuilder()
                        .setPool(ByteString.copyFromUtf8("no pool"))
                        .build());

        assertEquals(asked, mesh.handles.questions.size());
        ObjectAddress known = address(mesh.container, mesh.handle);
        send(RpcMethod.OBJECT_FETCH, known).block(MiniMesh.WAIT);
        refuseAll(
                FaultCode.NO_HDL,
                known.toBuilder().setPool(Ids.bytes(new UUID(5, 5))).build());
    }

    @Test
    void shouldRefuseAHandleThatHasEnded() {
        ObjectAddress mine = address(mesh.container, mesh.handle);
        send(RpcMethod.OBJECT_UPDATE, mine).block(MiniMesh.WAIT);
        mesh.handles.close(mesh.handle);
        tellGone(HandlesGoneRequest.newBuilder().addHandles(mesh.handle));

        refuseAll(FaultCode.NO_HDL, mine);
    }

    @Test
    void shouldAskAgainWhenAllMayHaveEnded() {
        ByteString second = mesh.handles.open(mesh.container, 3, alice);
        for (ByteString h : List.of(mesh.handle, second))
            send(RpcMethod.OBJECT_UPDATE, address(mesh.container, h)).block(MiniMesh.WAIT);
        mesh.handles.close(second);
        tellGone(HandlesGoneRequest.newBuilder().setAll(true));

        send(RpcMethod.OBJECT_UPDATE, address(mesh.container, mesh.handle)).block(MiniMesh.WAIT);
        refuseAll(FaultCode.NO_HDL, address(mesh.container, second));
    }

    @Test
    void shouldNotBeDeceivedByAnAnswerThatIsOlderThanTheEndOfTheHandle() {
        Sinks.One<Boolean> gate = Sinks.one();
        mesh.handles.way = answer -> gate.asMono().then(answer);
        ObjectAddress mine = address(mesh.container, mesh.handle);
        Mono<Boolean> early = send(RpcMethod.OBJECT_UPDATE, mine).cache();
        early.subscribe(ok -> {}, e -> {});
        await(() -> !mesh.handles.questions.isEmpty());
        mesh.handles.close(mesh.handle);
        tellGone(HandlesGoneRequest.newBuilder().addHandles(mesh.handle));
        gate.tryEmitValue(true);

        assertEquals(
                FaultCode.NO_HDL,
                assertThrows(FaultException.class, () -> early.block(MiniMesh.WAIT))
                        .code());
        mesh.handles.way = answer -> answer;
        refuseAll(FaultCode.NO_HDL, mine);
    }

    @Test
    void shouldAskOnceForManyRequestsAndAgainAfterARestart() {
        Sinks.One<Boolean> gate = Sinks.one();
        mesh.handles.way = answer -> gate.asMono().then(answer);
        List<Boolean> done = new java.util.concurrent.CopyOnWriteArrayList<>();
        for (int i = 0; i < MANY; i++)
            send(RpcMethod.OBJECT_FETCH, address(mesh.container, mesh.handle)).subscribe(done::add);
        await(() -> !mesh.handles.questions.isEmpty());
        gate.tryEmitValue(true);
        await(() -> done.size() == MANY);
        for (int i = 0; i < 10; i++) mesh.put(oid, KEY, OLD);
        assertEquals(List.of(1), mesh.handles.questions, "one rank was asked for, one handle");

        mesh.stop(leader.rank(), false);
        mesh.start(leader.rank());
        mesh.maps.get(leader.rank()).push(mesh.map);

        assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());
        assertEquals(List.of(1, 1), mesh.handles.questions);
    }

    @Test
    void shouldNotFloodThePoolServiceWithInventedHandlesNorMakeOthersWait() {
        Map<FaultCode, AtomicInteger> told = new ConcurrentHashMap<>();
        AtomicInteger toldCount = new AtomicInteger();
        int flood = 3000;
        mesh.wire.user = Optional.of(new User("mallory@", "staff@", List.of(), "host-m"));
        Mono<Boolean> shown = Flux.range(0, flood)
                .flatMap(
                        i -> send(RpcMethod.OBJECT_FETCH, address(mesh.container, Ids.bytes(UUID.randomUUID())))
                                .onErrorResume(e -> {
                                    told.computeIfAbsent(
                                                    FaultException.faultOf(e).code(), c -> new AtomicInteger())
                                            .incrementAndGet();
                                    toldCount.incrementAndGet();
                                    return Mono.empty();
                                }),
                        1000)
                .then(Mono.just(true));
        long begunNs = System.nanoTime();
        shown.block(MiniMesh.WAIT);
        long tookMs = (System.nanoTime() - begunNs) / 1_000_000;

        assertEquals(flood, toldCount.get(), told.toString());
        assertTrue(List.of(FaultCode.NO_HDL, FaultCode.BUSY).containsAll(told.keySet()), told.toString());
        assertTrue(mesh.handles.questions.size() <= 10 + tookMs / 100, mesh.handles.questions + " in " + tookMs);
        mesh.wire.user = Optional.of(alice);
        begunNs = System.nanoTime();
        send(RpcMethod.OBJECT_FETCH, address(mesh.container, mesh.handle)).block(MiniMesh.WAIT);
        assertTrue(System.nanoTime() - begunNs < 1_000_000_000L, "a second");
    }

    @Test
    void shouldSayBusyWhileThePoolServiceElectsAndServeAfterwards() {
        mesh.handles.isSilent = true;
        ObjectAddress mine = address(mesh.container, mesh.handle);
        refuseAll(FaultCode.BUSY, mine);

        mesh.handles.isSilent = false;

        mesh.put(oid, KEY, OLD);
        assertArrayEquals(OLD, mesh.get(oid, KEY).orElseThrow());
    }

    @Test
    void shouldNotWaitForAPoolServiceThatNeverAnswers() {
        mesh.handles.way = answer -> Mono.never();

        Fault told = assertThrows(
                        FaultException.class,
                        () -> send(RpcMethod.OBJECT_UPDATE, address(mesh.container, mesh.handle))
                                .block(Duration.ofSeconds(3)))
                .fault();

        assertEquals(FaultCode.BUSY, told.code());
    }

    @Test
    void shouldAnswerThoseWhoWaitWhenTheEngineStops() {
        mesh.handles.way = answer -> Mono.never();
        List<FaultCode> told = new ArrayList<>();
        send(RpcMethod.OBJECT_UPDATE, address(mesh.container, mesh.handle))
                .subscribe(ok -> {}, e -> told.add(FaultException.faultOf(e).code()));
        await(() -> !mesh.handles.questions.isEmpty());

        mesh.stop(leader.rank(), false);

        await(() -> told.equals(List.of(FaultCode.BUSY)));
        mesh.start(leader.rank());
    }
}
