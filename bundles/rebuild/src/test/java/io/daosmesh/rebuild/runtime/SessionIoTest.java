package io.daosmesh.rebuild.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.model.port.EngineMigration.StoredObject;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.MigratedRecordMessage;
import io.daosmesh.model.wire.MigrationBatchMessage;
import io.daosmesh.model.wire.RebuildObjectsRequest;
import io.daosmesh.rebuild.plan.RankStatus;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import io.daosmesh.rebuild.session.RankSession;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The shipped session over an engine and a network that the test holds. */
class SessionIoTest {
    private static final UUID POOL = new UUID(1, 1);
    private static final UUID CONTAINER = new UUID(3, 4);
    private static final int RANKS = 5;
    private static final int OBJECTS = 3 * RankSession.BATCH_MAX;
    private static final long WAIT_MAX_NS = 20_000_000_000L;

    private final PoolMap map = degraded();
    private final Loop loop = new Loop("rebuild-test");
    private final List<RebuildObjectsRequest> received = new CopyOnWriteArrayList<>();
    private final AtomicInteger failures = new AtomicInteger();
    private final AtomicInteger cleared = new AtomicInteger();
    private final AtomicInteger filled = new AtomicInteger();
    private final AtomicInteger stored = new AtomicInteger();
    private final AtomicBoolean isCancelled = new AtomicBoolean();
    private boolean isSilent;
    private volatile int batchBytes = 10;
    private final Rates rates = new Rates(loop);
    private final Session wanted = new Session(POOL, map.version(), 1, 1, "leader", "Rebuild");
    private final RankSession session = SessionIo.open(
            wanted,
            fake(EngineMigration.class, (self, method, args) -> switch (method.getName()) {
                case "rank" -> 0;
                case "scan" -> Flux.fromIterable(objects());
                case "held" -> Mono.just(Collections.nCopies(((List<?>) args[2]).size(), new Held(0, List.of())));
                case "clear" -> Mono.fromRunnable(cleared::incrementAndGet);
                case "filled" -> Mono.fromRunnable(filled::incrementAndGet);
                case "importBatch" -> Mono.fromRunnable(stored::incrementAndGet);
                default -> throw new IllegalStateException(method.getName());
            }),
            new SessionIo.Parts(
                    loop,
                    fake(Rpc.class, (self, method, args) -> switch (method.getName()) {
                        case "call" -> received((RpcMessage) args[2]);
                        case "stream" -> records((RpcReply.Decoder<?>) args[3]);
                        default -> throw new IllegalStateException(method.getName());
                    }),
                    fake(Maps.class, (self, method, args) -> group()),
                    rates));

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static GroupMap group() {
        return new GroupMap(
                "test",
                1,
                IntStream.range(0, RANKS)
                        .mapToObj(r -> new Member(
                                r, new UUID(9, r), "host:" + r, "/r" + r, MemberState.JOINED, 1, 1, 0, "", 0))
                        .toList());
    }

    private static PoolMap degraded() {
        List<PoolTarget> all = new ArrayList<>();
        for (int i = 0; i < RANKS; i++) all.add(new PoolTarget(i, i, 0, "/r" + i, TargetState.UPIN, false, 1));
        return new PoolMap(POOL, 1, all).withStates(Set.of(RANKS - 1), TargetState.DOWN);
    }

    private static List<StoredObject> where(int count, Predicate<ObjectId> of) {
        return LongStream.iterate(0, i -> i + 1)
                .mapToObj(i -> ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_3, 1, 0, i))
                .filter(of)
                .limit(count)
                .map(o -> new StoredObject(CONTAINER, o))
                .toList();
    }

    private List<StoredObject> objects() {
        return where(OBJECTS, o -> !Scan.works(map, 0, CONTAINER, o).isEmpty());
    }

    private List<Work> pulls(int count) {
        return where(count, o -> Placement.group(map, o, 0).missing().contains(0)).stream()
                .map(o -> {
                    ShardGroup g = Placement.group(map, o.oid(), 0);
                    return new Work(CONTAINER, o.oid(), 0, g.leader(), 0);
                })
                .toList();
    }

    /** The first message of all gets lost. */
    private Mono<Boolean> received(RpcMessage request) {
        RebuildObjectsRequest r = (RebuildObjectsRequest) request.body();
        if (failures.getAndIncrement() == 0)
            return Mono.error(Fault.of(FaultCode.UNREACH).asException());
        received.add(r);
        return Mono.just(true);
    }

    private Flux<Object> records(RpcReply.Decoder<?> decoder) {
        if (isSilent) return Flux.never().doOnCancel(() -> isCancelled.set(true));
        MigrationBatchMessage m = MigrationBatchMessage.newBuilder()
                .addRecords(MigratedRecordMessage.newBuilder().setLength(10))
                .build();
        return Flux.range(0, 3).map(i -> {
            try {
                return decoder.decode(
                        new RpcReply(m.toByteString().asReadOnlyByteBuffer(), ByteBuffer.allocate(batchBytes)));
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private RankStatus status() {
        RankStatus s = loop.call(session::status).block();
        assertEquals("", s.detail());
        return s;
    }

    private void await(Predicate<RankStatus> isReached) {
        long endNs = System.nanoTime() + WAIT_MAX_NS;
        while (!isReached.test(status())) {
            assertTrue(System.nanoTime() < endNs, () -> status().toString());
            LockSupport.parkNanos(5_000_000L);
        }
    }

    @AfterEach
    void close() {
        loop.run(session::close);
        loop.close();
    }

    @Test
    void shouldSendEachObjectOnceInNumberedMessages() {
        loop.run(() -> session.startScan(map, 7, System.nanoTime()));

        await(RankStatus::isScanDone);

        List<Integer> ranks = received.stream()
                .flatMap(r -> r.getObjectsList().stream())
                .map(o -> map.target(o.getDestinationTarget()).rank())
                .distinct()
                .toList();
        assertEquals(
                OBJECTS, received.stream().mapToInt(r -> r.getObjectsCount()).sum());
        assertEquals(OBJECTS, status().objectsFound());
        for (int rank : ranks) {
            List<Long> numbers = received.stream()
                    .filter(r ->
                            map.target(r.getObjects(0).getDestinationTarget()).rank() == rank)
                    .map(RebuildObjectsRequest::getBatch)
                    .toList();
            assertEquals(LongStream.rangeClosed(1, numbers.size()).boxed().toList(), numbers);
        }
    }

    @Test
    void shouldPullAllThatItIsGiven() {
        loop.run(() -> session.startScan(map, 7, System.nanoTime()));
        loop.run(() -> session.accept(3, 1, pulls(20), System.nanoTime()));

        await(s -> s.objectsPulled() == 20);

        assertTrue(status().isPullDone());
        assertEquals(20, cleared.get());
        assertEquals(20, filled.get());
        assertEquals(60, stored.get());
        assertEquals(60, status().records());
        assertEquals(600, status().bytes());
    }

    @Test
    void shouldTakeItsTimeWhereTheRateIsLow() {
        batchBytes = 600_000;
        rates.onPoolProperties(POOL, Map.of(Rates.PROPERTY, "2"));
        long beganNs = System.nanoTime();
        loop.run(() -> session.startScan(map, 7, System.nanoTime()));
        loop.run(() -> session.accept(3, 1, pulls(2), System.nanoTime()));
        await(s -> s.objectsPulled() == 2);

        assertTrue(System.nanoTime() - beganNs >= 1_700_000_000L, "3.6 MB at 2 MB/s");
        rates.onPoolProperties(POOL, Map.of());
        loop.run(() -> session.accept(3, 2, pulls(20), System.nanoTime()));
        await(s -> s.objectsPulled() == 22);
        assertTrue(System.nanoTime() - beganNs < 15_000_000_000L, "36 MB more would have taken 18 s");
    }

    @Test
    void shouldCancelAPullWhenTheSessionEnds() {
        isSilent = true;
        loop.run(() -> session.startScan(map, 7, System.nanoTime()));
        loop.run(() -> session.accept(3, 1, pulls(1), System.nanoTime()));
        await(s -> cleared.get() == 1);

        loop.run(session::close);

        await(s -> isCancelled.get());
        assertFalse(status().isPullDone());
    }
}
