package io.daosmesh.storage.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.metric.StatsGauge;
import io.daosmesh.nvmespdk.NvmeSpdkDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.engine.NodeFixture;
import io.daosmesh.storage.engine.StorageLife;
import io.daosmesh.storage.kv.KvBatch;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class StorageMetricsTest {
    @TempDir
    Path folder;

    private static Map<String, Double> collect(StorageLife node) {
        Map<String, Double> samples = new TreeMap<>();
        new StorageMetrics(List.of(node)).collect(new MetricSource.Sink() {
            @Override
            public void counter(String name, String help, Map<String, String> labels, double value) {
                samples.merge(name, value, Double::sum);
            }

            @Override
            public void gauge(String name, String help, Map<String, String> labels, double value) {
                samples.merge(name, value, Double::sum);
            }

            @Override
            public void stats(String name, String help, Map<String, String> labels, StatsGauge value) {
                samples.merge(
                        name + "/" + labels.get("size") + "/" + labels.get("target"),
                        (double) value.snapshot().samples(),
                        Double::sum);
            }
        });
        return samples;
    }

    @Test
    void shouldShowWhatHappened() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            NvmeSpdkDriver driver = f.addDriver("1");
            EngineStorage storage = f.formatted();
            f.node.assignRank(5).block(NodeFixture.DEADLINE);
            UUID pool = new UUID(3, 3);
            storage.reservePool(pool, 1 << 20, 16 << 20);
            Blob blob = storage.target(0).pool(pool).blob();
            try (BufferPool.Buffer b = storage.buffers().take(8192)) {
                NodeFixture.write(blob, 0, b.bytes());
                NodeFixture.read(blob, 0, b.bytes());
                NodeFixture.flush(blob);
            }
            f.removeDriver(driver);
            f.addDriver("2");
            storage.target(0).kv().write(new KvBatch().put(new byte[] {1}, new byte[100]), true);

            Map<String, Double> samples = collect(f.node);

            assertEquals(2, samples.get("engine_driver_swap_total"), "both devices");
            assertTrue(samples.get("engine_driver_swap_last_pause_seconds") > 0);
            assertEquals(2, samples.get("engine_nvme_device_state"), "both NORMAL");
            assertEquals(1, samples.get("engine_io_latency_bio_update/8KB/0"));
            assertEquals(1, samples.get("engine_io_latency_bio_fetch/8KB/0"));
            assertTrue(samples.get("engine_nvme_flushes_total") >= 1);
            assertEquals(1, samples.get("engine_log_persists_total"));
            assertEquals(1, samples.get("engine_log_batches_total"));
            assertTrue(samples.get("engine_log_appended_bytes") > 100);
            assertEquals(15, samples.get("engine_log_free_segments"));
            assertEquals(0, samples.get("engine_log_held_bytes"));
            assertEquals(2L * (16 << 20) / 4096, sumOfFree(storage, pool));
            assertEquals(Map.of("rank", "5"), f.node.labels());
        }
    }

    @Test
    void shouldShowLatenciesOfEachTargetBeforeTheFirstRequest() {
        try (NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000).start()) {
            f.addDriver("1");
            f.formatted();

            Map<String, Double> samples = collect(f.node);

            for (int target : List.of(0, 1))
                for (String size : List.of("256B", "4KB", "GT4MB")) {
                    assertEquals(0, samples.get("engine_io_latency_bio_update/" + size + "/" + target));
                    assertEquals(0, samples.get("engine_io_latency_bio_fetch/" + size + "/" + target));
                }
        }
    }

    private static long sumOfFree(EngineStorage storage, UUID pool) {
        long blocks = 0;
        for (int t = 0; t < storage.targetCount(); t++)
            blocks += storage.target(t).pool(pool).blob().allocator().counters().freeBlocks();
        return blocks;
    }
}
