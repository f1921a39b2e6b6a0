package io.daosmesh.rebuild.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.EngineMigration.StoredObject;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.RebuildFinishRequest;
import io.daosmesh.model.wire.RebuildPrepareRequest;
import io.daosmesh.model.wire.RebuildStatusRequest;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.scan.Scan;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A rank whose leader may fall silent at any moment. */
class RankRebuildTest {
    private static final UUID POOL = new UUID(1, 1);
    private static final StoredObject FOREIGN = foreign();

    private final Map<RpcMethod, RpcServer.Handler> calls = new EnumMap<>(RpcMethod.class);
    private final Loop loop = new Loop("rebuild-test");
    private final BlockingQueue<Integer> reclaimed = new LinkedBlockingQueue<>();
    private volatile PoolMap newest = degraded(5);
    private volatile int refusals;
    private volatile boolean isStale;
    private final Session session = new Session(POOL, newest.version(), 1, 1, "leader", "Rebuild");
    private final RankRebuild rank = new RankRebuild(
            fake(EngineMigration.class, (self, method, args) -> switch (method.getName()) {
                case "rank" -> 0;
                case "fence" -> isStale ? Mono.error(Fault.of(FaultCode.STALE).asException()) : Mono.just(1L);
                case "scan" -> Flux.just(FOREIGN);
                case "reclaim" -> reclaim((int) args[5]);
                default -> throw new IllegalStateException(method.getName());
            }),
            new SessionIo.Parts(
                    loop,
                    fake(io.daosmesh.model.rpc.Rpc.class, (self, method, args) -> Mono.never()),
                    fake(Maps.class, (self, method, args) -> Mono.just(newest)),
                    new Rates(loop)),
            new RpcServer() {
                @Override
                public Registration register(int of, RpcMethod method, Handler handler) {
                    calls.put(method, handler);
                    return () -> {};
                }

                @Override
                public Registration registerStream(int of, RpcMethod method, StreamHandler handler) {
                    return () -> {};
                }

                @Override
                public String address() {
                    return "host:1";
                }
            });

    private static <T> T fake(Class<T> type, InvocationHandler handler) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
    }

    private Mono<Void> reclaim(int version) {
        return Mono.fromRunnable(() -> {
            if (refusals-- > 0) throw Fault.of(FaultCode.AGAIN).asException();
            reclaimed.add(version);
        });
    }

    private static PoolMap map(int version) {
        List<PoolTarget> all = new ArrayList<>();
        for (int i = 0; i < 5; i++) all.add(new PoolTarget(i, i, 0, "/r" + i, TargetState.UPIN, false, 1));
        return new PoolMap(POOL, version, all);
    }

    private static PoolMap degraded(int version) {
        return map(version).withStates(Set.of(4), TargetState.DOWN);
    }

    private static StoredObject foreign() {
        for (long i = 0; ; i++) {
            ObjectId oid = ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_3, 1, 0, i);
            boolean isForeign = Stream.of(map(7), degraded(7))
                    .noneMatch(m -> Scan.foreignGroups(m, 0, oid).isEmpty());
            if (isForeign) return new StoredObject(new UUID(3, 4), oid);
        }
    }

    private void ask(RpcMethod method, Message body) {
        calls.get(method)
                .handle(new RpcCall(
                        method,
                        new RpcCall.Peer(Role.SERVER, 1, 1, "", ""),
                        0,
                        0,
                        ByteBuffer.wrap(body.toByteArray()),
                        ByteBuffer.allocate(0)))
                .block();
    }

    private void prepare() {
        ask(
                RpcMethod.REBUILD_PREPARE,
                RebuildPrepareRequest.newBuilder().setSession(session.toWire()).build());
    }

    private int sessions() {
        return loop.call(() -> {
                    RebuildCounters c = new RebuildCounters();
                    rank.count(c);
                    return c.sessions();
                })
                .block();
    }

    @BeforeEach
    void open() {
        rank.register();
        prepare();
        assertEquals(1, sessions());
    }

    @AfterEach
    void close() {
        rank.close();
        loop.close();
    }

    @Test
    void shouldEndAndReclaimWhenNobodySaysThatItIsOver() throws InterruptedException {
        newest = map(7);
        rank.onPoolMap(newest);

        assertEquals(7, reclaimed.poll(20, TimeUnit.SECONDS));
        assertEquals(0, sessions());
    }

    @Test
    void shouldReclaimOnceWhenTheLeaderSaysItAsWell() throws InterruptedException {
        newest = map(7);
        RebuildFinishRequest end = RebuildFinishRequest.newBuilder()
                .setSession(session.toWire())
                .setNewMapVersion(7)
                .build();
        ask(RpcMethod.REBUILD_FINISH, end);
        rank.onPoolMap(newest);
        ask(RpcMethod.REBUILD_FINISH, end);

        assertEquals(7, reclaimed.poll(20, TimeUnit.SECONDS));
        assertEquals(0, sessions());
        loop.run(() -> rank.onTick(System.nanoTime() + TimeUnit.MINUTES.toNanos(5)));
        assertEquals(0, sessions());
        assertTrue(reclaimed.isEmpty());
    }

    @Test
    void shouldReclaimAgainWhatATargetHasRefused() throws InterruptedException {
        refusals = 1;
        newest = map(7);
        rank.onPoolMap(newest);
        while (reclaimed.isEmpty()) {
            loop.run(() -> rank.onTick(System.nanoTime() + TimeUnit.MINUTES.toNanos(1)));
            sessions();
        }

        assertEquals(7, reclaimed.take());
    }

    /** It may have been called off, and what was pulled may be wanted again. Or not: then the next rebuild needs the room. */
    @Test
    void shouldReclaimByAMapThatAsksForARebuildWhenTheLeaderSaysSo() throws InterruptedException {
        newest = degraded(7);
        rank.onPoolMap(newest);

        assertEquals(0, sessions());
        assertTrue(reclaimed.isEmpty());
        ask(
                RpcMethod.REBUILD_FINISH,
                RebuildFinishRequest.newBuilder()
                        .setSession(session.toWire())
                        .setNewMapVersion(7)
                        .build());
        assertEquals(8, reclaimed.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void shouldNotKeepASessionWhoseMapIsSuperseded() {
        rank.onPoolGone(POOL);
        assertEquals(0, sessions());
        isStale = true;

        FaultException e = assertThrows(FaultException.class, this::prepare);

        assertEquals(FaultCode.STALE, e.code());
        assertEquals(0, sessions());
    }

    @Test
    void shouldRefuseToTellOfASessionThatHasEnded() {
        rank.onPoolGone(POOL);

        FaultException e = assertThrows(
                FaultException.class,
                () -> ask(
                        RpcMethod.REBUILD_STATUS,
                        RebuildStatusRequest.newBuilder()
                                .setSession(session.toWire())
                                .build()));

        assertEquals(FaultCode.NONEXIST, e.code());
    }
}
