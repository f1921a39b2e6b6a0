package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.migrate.YieldPace;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineMetricsTest {
    private static Map<String, StatsGauge.Snapshot> stats(EngineRuntime engine) {
        Map<String, StatsGauge.Snapshot> found = new TreeMap<>();
        engine.metrics().collect(new MetricSource.Sink() {
            @Override
            public void counter(String name, String help, Map<String, String> labels, double value) {}

            @Override
            public void gauge(String name, String help, Map<String, String> labels, double value) {}

            @Override
            public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {
                found.put(name + "/" + labels.getOrDefault("size", ""), value.snapshot());
            }
        });
        return found;
    }

    private static void awaitFetch(EngineRuntime engine) {
        long end = System.nanoTime() + 10_000_000_000L;
        while (stats(engine).get("engine_io_latency_vos_fetch/8KB").samples() == 0) {
            assertTrue(System.nanoTime() < end, "a fetch is measured in time");
            java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void shouldMeasureTheStoreOfEachMemberApartFromTheWholeRequest() {
        try (MiniMesh mesh = new MiniMesh(2, 1)) {
            ObjectId oid = mesh.oid(ObjectClass.RP_2, 1, 5);
            byte[] key = {'k'};
            mesh.put(oid, key, new byte[8000]);
            mesh.get(oid, key);
            int leader = mesh.leader(oid, key).rank();

            // the engine writes it down after it has answered
            awaitFetch(mesh.engines.get(leader));
            Map<String, StatsGauge.Snapshot> of = stats(mesh.engines.get(leader));
            Map<String, StatsGauge.Snapshot> other = stats(mesh.engines.get(1 - leader));

            assertEquals(1, of.get("engine_io_latency_vos_update/8KB").samples());
            assertEquals(1, of.get("engine_io_latency_vos_fetch/8KB").samples());
            assertEquals(1, other.get("engine_io_latency_vos_update/8KB").samples());
            assertEquals(1, other.get("engine_io_latency_tgt_update/8KB").samples());
            double part = of.get("engine_io_latency_vos_update/8KB").last();
            double whole = of.get("engine_io_latency_update/8KB").last();
            assertTrue(part > 0 && part <= whole, part + " of " + whole);
        }
    }

    /** Else a rule sees no increase at the first request, and a panel says "no data". */
    @Test
    void shouldShowLatenciesBeforeTheFirstRequest() {
        try (MiniMesh mesh = new MiniMesh(1, 1)) {
            Map<String, StatsGauge.Snapshot> stats = stats(mesh.engines.get(0));

            for (String name : List.of("update", "fetch", "tgt_update", "vos_update", "vos_fetch"))
                for (String size : List.of("256B", "4KB", "1MB", "GT4MB"))
                    assertEquals(
                            new StatsGauge.Snapshot(0, 0, 0, 0, 0, 0),
                            stats.get("engine_io_latency_" + name + "/" + size),
                            name + " " + size);
        }
    }

    private static Map<String, Double> numbers(EngineRuntime engine) {
        Map<String, Double> numbers = new TreeMap<>();
        engine.metrics().collect(new MetricSource.Sink() {
            @Override
            public void counter(String name, String help, Map<String, String> labels, double value) {
                numbers.put(name, value);
            }

            @Override
            public void gauge(String name, String help, Map<String, String> labels, double value) {
                numbers.put(name, value);
            }

            @Override
            public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {}
        });
        return numbers;
    }

    /** An answer that is late or lost, a member that was not ready: the client sends the same update again. */
    @Test
    void shouldCountAnUpdateOnceThatIsSentTwice() {
        try (MiniMesh mesh = new MiniMesh(1, 1)) {
            ObjectId oid = mesh.oid(ObjectClass.SINGLE, 1, 5);
            byte[] key = {'k'};
            byte[] bytes = new byte[8000];
            DtxId id = mesh.dtx();
            for (boolean isResent : new boolean[] {false, true, true})
                mesh.tryUpdate(oid, key, MiniMesh.value("v", 0, 0, bytes), bytes, new WriteOp.Dtx(id, 0, 0, isResent))
                        .block(MiniMesh.WAIT);
            Map<String, Double> numbers = numbers(mesh.engines.get(0));

            assertEquals(1, numbers.get("engine_pool_ops_update"));
            assertEquals(8000, numbers.get("engine_pool_xferred_update"));
            assertEquals(2, numbers.get("engine_pool_resent"));
        }
    }

    @Test
    void shouldTellThePaceOfRebuildsAndItsPauses() {
        try (MiniMesh mesh = new MiniMesh(1, 1)) {
            Map<String, Double> numbers = numbers(mesh.engines.get(0));

            assertEquals(YieldPace.FULL, numbers.get("engine_rebuild_pace_bytes_per_second"));
            assertEquals(0, numbers.get("engine_rebuild_paced_seconds_total"));
        }
    }

    @Test
    void shouldCountHandlesQuestionsAndRefusals() {
        try (MiniMesh mesh = new MiniMesh(1, 1)) {
            ObjectId oid = mesh.oid(ObjectClass.SINGLE, 1, 5);
            byte[] key = {'k'};
            mesh.put(oid, key, new byte[1]);
            mesh.wire.user = Optional.empty();
            assertThrows(FaultException.class, () -> mesh.get(oid, key));
            Map<String, Double> numbers = numbers(mesh.engines.get(0));

            assertEquals(1, numbers.get("engine_handles_held"));
            assertEquals(1, numbers.get("engine_handles_checks"));
            assertEquals(1, numbers.get("engine_handles_refusals"));
        }
    }
}
