package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Mono;

/** Engines ask what a pool wants of the scrubber; the test plays the pool service. */
@Tag("slow")
@Timeout(90)
class ScrubWatchTest {
    private static final int BYTES = 8192;
    private static final long WAIT_NS = 40_000_000_000L;

    private final MiniMesh mesh = new MiniMesh(3, 1);
    private final List<PoolTargetsRequest> asked = new CopyOnWriteArrayList<>();

    @BeforeEach
    void serve() {
        mesh.wire.server().register(Endpoint.NODE, RpcMethod.POOL_TARGETS, this::change);
    }

    @AfterEach
    void close() {
        mesh.close();
        mesh.storages.forEach(s -> assertEquals(0, s.buffers().usedBytes()));
    }

    private synchronized Mono<RpcMessage> change(RpcCall call) {
        try {
            PoolTargetsRequest r = PoolTargetsRequest.parseFrom(call.body());
            asked.add(r);
            mesh.push(mesh.map.withStates(Set.of(r.getRanks(0)), TargetState.DRAIN));
            return Mono.just(RpcMessage.of(PoolTargetsReply.newBuilder()
                    .setMapVersion(mesh.map.version())
                    .build()));
        } catch (InvalidProtocolBufferException e) {
            return Mono.error(e);
        }
    }

    private static void await(BooleanSupplier condition, String what) {
        long end = System.nanoTime() + WAIT_NS;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, what);
            LockSupport.parkNanos(20_000_000);
        }
    }

    private Map<String, Double> numbers(int rank) {
        Map<String, Double> found = new TreeMap<>();
        mesh.engines.get(rank).metrics().collect(new MetricSource.Sink() {
            @Override
            public void counter(String name, String help, Map<String, String> labels, double value) {
                if (name.contains("scrubber") || name.contains("repaired")) found.put(name, value);
            }

            @Override
            public void gauge(String name, String help, Map<String, String> labels, double value) {
                counter(name, help, labels, value);
            }

            @Override
            public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {}
        });
        return found;
    }

    private double number(int rank, String name) {
        return numbers(rank).getOrDefault("engine_pool_" + name, -1.0);
    }

    private static byte[] bytes(int i) {
        byte[] b = new byte[BYTES];
        Arrays.fill(b, (byte) (i + 1));
        return b;
    }

    private static byte[] key(int i) {
        return ("k" + i).getBytes();
    }

    private void damage(int rank, int value) {
        ((MemoryBlob) mesh.storages.get(rank).target(0).pool(mesh.pool).blob()).damage(value * BYTES + 100);
    }

    private ObjectId written() {
        ObjectId oid = mesh.oid(ObjectClass.RP_2, 1, 5);
        for (int i = 0; i < 8; i++) mesh.put(oid, key(i), bytes(i));
        return oid;
    }

    private List<Integer> holders(ObjectId oid) {
        return Placement.group(mesh.map, oid, 0).settled().stream()
                .map(t -> mesh.map.target(t).rank())
                .toList();
    }

    @Test
    void shouldRepairWhatNobodyHasReadAndDrainATargetWithTooMuchOfIt() {
        ObjectId oid = written();
        int member = holders(oid).get(1);
        damage(member, 2);
        assertEquals(0, number(member, "scrubber_csums_total"), "off until it is switched on");
        Map<String, String> lazy = Map.of("scrub", "lazy", "scrub_freq", "2", "scrub_thresh", "3");
        mesh.maps.forEach(m -> m.properties(mesh.pool, lazy));

        await(() -> number(member, "repaired_records") == 1, "repaired before anybody reads");
        await(() -> number(member, "scrubber_scrubs_completed") >= 2, "and passed again");
        assertEquals(1, number(member, "scrubber_corruption_total"));
        assertEquals(0, number(member, "scrubber_corruption_current"));
        assertTrue(number(member, "scrubber_csums_total") >= 16);
        assertTrue(number(member, "scrubber_bytes_scrubbed_prev") == 8 * BYTES);
        double now = System.currentTimeMillis() / 1000.0;
        assertTrue(Math.abs(now - number(member, "scrubber_scrubber_started")) < 30);
        assertEquals(List.of(), asked, "one is not too much");

        // the repaired one lies elsewhere
        damage(member, 4);
        damage(member, 5);
        await(() -> !asked.isEmpty(), "the third one is");
        assertEquals(PoolTargetsRequest.Op.DRAIN, asked.get(0).getOp());
        assertEquals(List.of(member), asked.get(0).getRanksList());
        assertEquals(List.of(0), asked.get(0).getTargetIndexesList());
        assertEquals(mesh.pool.toString(), asked.get(0).getPool());
        for (int i = 0; i < 8; i++)
            assertArrayEquals(bytes(i), mesh.get(oid, key(i)).orElseThrow());
        assertEquals(1, asked.size(), "once");
    }
}
