package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.fake.FixedMaps;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.ObjectAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;

@Timeout(60)
class MapPullsTest {
    private static final int LIE = Integer.MAX_VALUE;

    private final MiniMesh mesh = new MiniMesh(1, 1);
    private final FixedMaps maps = mesh.maps.get(0);
    private final ObjectId oid = mesh.oid(ObjectClass.SINGLE, 1, 5);

    private CompletableFuture<FaultCode> ask(int version) {
        ObjectAddress a = ObjectAddress.newBuilder()
                .setPool(Ids.bytes(mesh.pool))
                .setContainer(Ids.bytes(mesh.container))
                .setOidHigh(oid.high())
                .setOidLow(oid.low())
                .setMapVersion(version)
                .setHandle(mesh.handle)
                .build();
        EnumerateRequest r =
                EnumerateRequest.newBuilder().setAddress(a).setCountMax(1).build();
        // ALREADY stands for an answer
        return mesh.call(0, RpcMethod.OBJECT_ENUMERATE, r, RpcMessage.NO_DATA, x -> FaultCode.ALREADY)
                .onErrorResume(e -> Mono.just(FaultException.faultOf(e).code()))
                .toFuture();
    }

    private PoolMap next() {
        return new PoolMap(mesh.pool, mesh.map.version() + 1, mesh.map.targets());
    }

    @Test
    void shouldRefuseALieAsSoonAsThePoolServiceHasAnswered() throws Exception {
        assertEquals(FaultCode.STALE, ask(LIE).get(20, TimeUnit.SECONDS));
        assertEquals(FaultCode.ALREADY, ask(1).get(20, TimeUnit.SECONDS));
        mesh.close();
    }

    @Test
    void shouldFetchAMapWhenLiesAreUnderWay() throws Exception {
        List<CompletableFuture<Void>> questions = new CopyOnWriteArrayList<>();
        maps.pulled = () -> {
            CompletableFuture<Void> answered = new CompletableFuture<>();
            questions.add(answered);
            return Mono.fromFuture(answered);
        };
        List<CompletableFuture<FaultCode>> lies = new ArrayList<>();
        for (int i = 0; i < 20; i++) lies.add(ask(LIE));
        while (questions.isEmpty()) Thread.onSpinWait();
        maps.newest = next();
        CompletableFuture<FaultCode> honest = ask(2);

        questions.get(0).complete(null);

        assertEquals(FaultCode.ALREADY, honest.get(20, TimeUnit.SECONDS));
        while (!lies.stream().allMatch(CompletableFuture::isDone)) questions.forEach(q -> q.complete(null));
        for (CompletableFuture<FaultCode> lie : lies)
            assertTrue(List.of(FaultCode.STALE, FaultCode.AGAIN).contains(lie.get()));
        mesh.close();
    }

    @Test
    void shouldAskOneQuestionAtATimeWhenManySpeakOfNewerMaps() {
        List<CompletableFuture<Void>> questions = new CopyOnWriteArrayList<>();
        List<Integer> answers = new CopyOnWriteArrayList<>();
        maps.pulled = () -> {
            CompletableFuture<Void> answered = new CompletableFuture<>();
            questions.add(answered);
            return Mono.fromFuture(answered);
        };
        MapPulls pulls = new MapPulls(maps, new MapPulls.Answers() {
            @Override
            public void onKnown(PoolMap map) {
                answers.add(0);
            }

            @Override
            public void onNewest(PoolMap map, long askedNs) {
                answers.add(map.version());
            }
        });

        for (int i = 0; i < 100; i++) pulls.want(mesh.pool, LIE - i);
        int before = questions.size();
        questions.get(0).complete(null);
        for (int i = 0; i < 100; i++) pulls.want(mesh.pool, LIE - i);
        while (questions.size() < 2) Thread.onSpinWait();
        for (int i = 0; i < 100; i++) pulls.want(mesh.pool, LIE - i);

        assertEquals(1, before);
        assertEquals(2, questions.size());
        assertEquals(List.of(1), answers);
        mesh.close();
    }
}
