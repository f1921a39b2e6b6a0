package io.daosmesh.rebuild.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.RebuildPrepareReply;
import io.daosmesh.rebuild.plan.RankStatus;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** The jobs of a leader over ranks that the test plays: they move and never end. */
class LeaderJobsTest {
    private static final UUID POOL = new UUID(1, 1);
    private static final int RANKS = 3;
    private static final long WAIT_MAX_NS = 20_000_000_000L;
    private static final RankStatus HALF = new RankStatus(true, false, 10, 10, 4, 40, 4000, 0, 0, "");

    private final Loop loop = new Loop("rebuild-test");
    private final PoolMap map = degraded();
    private final LeaderJobs jobs = new LeaderJobs(new LeaderJobs.Parts(
            loop,
            fake(Rpc.class, (self, method, args) -> answer((RpcMethod) args[1])),
            fake(Maps.class, (self, method, args) -> group()),
            fake(PoolServices.class, (self, method, args) -> Mono.just(1L)),
            new Hlc(() -> System.currentTimeMillis() * 1_000_000),
            "leader:1",
            new RasRelay()));

    @AfterEach
    void close() {
        loop.close();
    }

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private static GroupMap group() {
        return new GroupMap(
                "test",
                1,
                IntStream.range(0, RANKS)
                        .mapToObj(r -> new Member(
                                r, new UUID(9, r), "host:" + (1 + r), "/r" + r, MemberState.JOINED, 1, 1, 0, "", 0))
                        .toList());
    }

    private static PoolMap degraded() {
        List<PoolTarget> all = IntStream.range(0, RANKS)
                .mapToObj(i -> new PoolTarget(i, i, 0, "/r" + i, TargetState.UPIN, false, 1))
                .toList();
        return new PoolMap(POOL, 1, all).withStates(Set.of(RANKS - 1), TargetState.DOWN);
    }

    private static Mono<Object> answer(RpcMethod method) {
        return switch (method) {
            case REBUILD_PREPARE ->
                Mono.just(RebuildPrepareReply.newBuilder().setHlc(1).build());
            case REBUILD_STATUS -> Mono.just(HALF);
            default -> Mono.just(true);
        };
    }

    private RebuildStatus await(Predicate<RebuildStatus> wanted) {
        long end = System.nanoTime() + WAIT_MAX_NS;
        while (!wanted.test(jobs.status(POOL))) {
            assertTrue(System.nanoTime() < end, "still " + jobs.status(POOL));
            LockSupport.parkNanos(1_000_000);
        }
        return jobs.status(POOL);
    }

    @Test
    void shouldKeepHowFarAStoppedRebuildHasCome() {
        jobs.onLeading(map, 1);
        await(s -> s.state() == RebuildStatus.State.BUSY && s.objects() == 8);

        jobs.onNotLeading(POOL);
        RebuildStatus left = await(s -> s.state() == RebuildStatus.State.IDLE);

        assertEquals(8, left.objects());
        assertEquals(20, left.objectsTotal());
        assertEquals(80, left.records());
        assertEquals(8000, left.bytes());
        assertEquals(0, left.status());
    }

    @Test
    void shouldShowNothingOfItToWhoLeadsAPoolThatIsWholeAgain() {
        jobs.onLeading(map, 1);
        await(s -> s.objects() == 8);
        jobs.onNotLeading(POOL);
        await(s -> s.state() == RebuildStatus.State.IDLE);

        jobs.onLeading(map.withStates(Set.of(RANKS - 1), TargetState.DOWNOUT), 2);

        assertEquals(RebuildStatus.NEVER, await(s -> s.objects() == 0));
    }
}
