package io.daosmesh.storage.runtime;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.spi.DeviceHealth;
import io.daosmesh.storage.PoolSpace;
import io.daosmesh.storage.bio.Allocator;
import io.daosmesh.storage.engine.EngineStore;
import io.daosmesh.storage.engine.StorageLife;
import io.daosmesh.storage.engine.TargetStore;
import io.daosmesh.storage.health.DeviceLife;
import io.daosmesh.storage.health.SwapStats;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.log.runtime.LogStats;
import io.daosmesh.storage.scm.ScmRoom;
import io.daosmesh.storage.slot.DeviceSlot;
import io.daosmesh.storage.slot.Lease;
import io.daosmesh.storage.smd.Smd;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Storage's numbers under DAOS's names. Any thread: reads counters only. */
final class StorageMetrics implements MetricSource {
    private final List<StorageLife> nodes;

    StorageMetrics(List<StorageLife> nodes) {
        this.nodes = nodes;
    }

    @Override
    public void collect(Sink sink) {
        for (StorageLife node : nodes) {
            EngineStore open = node.engine();
            if (open == null) continue;
            Map<String, String> rank = node.labels();
            for (Smd.Device device : open.smd().devices()) {
                DeviceSlot slot = open.slots().known(device.uuid());
                if (open.slots().isDisplaced(slot)) continue; // that place has a device
                Map<String, String> labels = with(rank, "device", slot.spec().address());
                collectSlot(sink, slot, labels);
                Lease lease = slot.current();
                if (lease != null) collectHealth(sink, lease.device.health(), labels);
                collectErrors(sink, slot.life().errors(), labels);
                open.slots().latency(device.uuid()).collect(sink, slot.spec().address(), rank, device.targets());
            }
            sink.gauge(
                    "engine_dmabuff_used_bytes",
                    "Aligned I/O buffers in use",
                    rank,
                    open.buffers().usedBytes());
            collectRoom(sink, open.room().seen(), rank);
            EngineLog log = open.log();
            sink.gauge(
                    "engine_log_held_bytes",
                    "Values in the engine log and memory that are not yet on their devices",
                    rank,
                    open.held().heldBytes());
            if (log != null) {
                collectLog(sink, log.stats(), rank);
                collectSwaps(sink, "engine_log_driver_swap_", log.swaps(), rank);
            }
            for (TargetStore target : open.targets())
                for (PoolSpace space : target.open().values()) collectPool(sink, space, rank);
        }
    }

    private static void collectRoom(Sink sink, ScmRoom.Seen room, Map<String, String> rank) {
        String p = "engine_scm_";
        sink.gauge(p + "usable_bytes", "Bytes that the file system of the SCM has left", rank, room.usableBytes());
        sink.gauge(
                p + "read_only",
                "0 all is taken, 1 reads and deletes only, 2 reads only: the file system of the SCM is full",
                rank,
                room.state().code());
        sink.gauge(p + "missing_bytes", "Bytes that have to become free until all is taken", rank, room.missingBytes());
    }

    private static void collectLog(Sink sink, LogStats log, Map<String, String> rank) {
        String p = "engine_log_";
        sink.counter(p + "appended_bytes", "Bytes appended to the engine log", rank, log.appendedBytes());
        sink.counter(p + "batches_total", "Batches of targets appended to the engine log", rank, log.batches());
        sink.counter(p + "persists_total", "Times the engine log was made durable", rank, log.persists());
        sink.counter(p + "persist_seconds_total", "Time spent in it, seconds", rank, log.persistNs() / 1e9);
        sink.counter(p + "wait_seconds_total", "Time writes waited for a free segment", rank, log.waitNs() / 1e9);
        sink.counter(p + "checkpoints_total", "Times the engine log was trimmed", rank, log.checkpoints());
        sink.counter(p + "checkpoint_seconds_total", "Time spent in it, seconds", rank, log.checkpointNs() / 1e9);
        sink.gauge(p + "free_segments", "Segments of the engine log that can be begun", rank, log.freeSegments());
    }

    private static Map<String, String> with(Map<String, String> labels, String key, String value) {
        Map<String, String> more = new HashMap<>(labels);
        more.put(key, value);
        return more;
    }

    private static void collectSlot(Sink sink, DeviceSlot slot, Map<String, String> labels) {
        sink.gauge(
                "engine_nvme_device_state",
                "Device state: 0 NEW, 1 NORMAL, 2 FAULTY, 3 TEARDOWN, 4 OUT, 5 UNPLUGGED",
                labels,
                slot.life().state().code());
        collectSwaps(sink, "engine_driver_swap_", slot.swaps(), labels);
        sink.counter(
                "engine_driver_swap_parked_total", "Requests that waited for a driver", labels, slot.parkedTotal());
    }

    private static void collectSwaps(Sink sink, String p, SwapStats swaps, Map<String, String> labels) {
        sink.counter(p + "total", "Changes of the driver", labels, swaps.count());
        sink.gauge(
                p + "last_pause_seconds",
                "Pause of the last driver change in seconds",
                labels,
                swaps.lastPauseNs() / 1e9);
        sink.gauge(
                p + "last_pause_ms",
                "Pause of the last driver change in milliseconds, for people",
                labels,
                swaps.lastPauseNs() / 1e6);
        sink.gauge(
                p + "max_pause_seconds",
                "Longest pause of a driver change in seconds",
                labels,
                swaps.maxPauseNs() / 1e9);
    }

    private static void collectErrors(Sink sink, DeviceLife.Errors e, Map<String, String> labels) {
        sink.counter(
                "engine_nvme_commands_read_errs", "Number of errors reported to the engine on read", labels, e.reads());
        sink.counter(
                "engine_nvme_commands_write_errs",
                "Number of errors reported to the engine on write",
                labels,
                e.writes());
        sink.counter(
                "engine_nvme_commands_unmap_errs",
                "Number of errors reported to the engine on unmap",
                labels,
                e.unmaps());
        sink.counter("engine_nvme_commands_checksum_mismatch", "Number of checksum mismatches", labels, e.checksums());
    }

    private static void collectHealth(Sink sink, DeviceHealth h, Map<String, String> labels) {
        String p = "engine_nvme_";
        sink.counter(
                p + "commands_data_units_written",
                "512 byte data units written, in thousands",
                labels,
                h.dataUnitsWritten());
        sink.counter(
                p + "commands_data_units_read", "512 byte data units read, in thousands", labels, h.dataUnitsRead());
        sink.counter(p + "commands_host_write_cmds", "Write commands completed", labels, h.hostWriteCommands());
        sink.counter(p + "commands_host_read_cmds", "Read commands completed", labels, h.hostReadCommands());
        sink.counter(
                p + "commands_ctrl_busy_time",
                "Time the controller was busy, minutes",
                labels,
                h.controllerBusyMinutes());
        sink.counter(p + "commands_media_errs", "Unrecovered data integrity errors", labels, h.mediaErrors());
        sink.counter(p + "power_cycles", "Power cycles", labels, h.powerCycles());
        sink.counter(p + "power_on_hours", "Power-on hours", labels, h.powerOnHours());
        sink.counter(p + "unsafe_shutdowns", "Unsafe shutdowns", labels, h.unsafeShutdowns());
        sink.gauge(p + "temp_current", "Current temperature, kelvin", labels, h.temperatureKelvin());
        sink.gauge(p + "temp_warn", "1 above the warning temperature", labels, bit(h, 1));
        sink.counter(
                p + "temp_warn_time", "Minutes above the warning temperature", labels, h.warningTemperatureMinutes());
        sink.counter(
                p + "temp_crit_time", "Minutes above the critical temperature", labels, h.criticalTemperatureMinutes());
        sink.gauge(p + "reliability_avail_spare", "Remaining spare, percent", labels, h.availableSparePercent());
        sink.gauge(
                p + "reliability_avail_spare_threshold",
                "Spare threshold, percent",
                labels,
                h.availableSpareThresholdPercent());
        sink.gauge(p + "reliability_percentage_used", "Wear, percent of the rated writes", labels, h.percentageUsed());
        sink.gauge(
                p + "vendor_media_wear_raw",
                "Wear, 1024ths of a percent of the rated writes",
                labels,
                1024L * h.percentageUsed());
        sink.gauge(p + "reliability_avail_spare_warn", "1 below the spare threshold", labels, bit(h, 0));
        sink.gauge(p + "reliability_reliability_warn", "1 when reliability is degraded", labels, bit(h, 2));
        sink.gauge(p + "read_only_warn", "1 when the medium is read-only", labels, bit(h, 3));
        sink.gauge(p + "volatile_mem_warn", "1 when the volatile memory backup failed", labels, bit(h, 4));
    }

    private static int bit(DeviceHealth h, int bit) {
        return h.criticalWarningBits() >> bit & 1;
    }

    private static void collectPool(Sink sink, PoolSpace space, Map<String, String> rank) {
        Map<String, String> labels = with(with(rank, "pool", space.pool().toString()), "target", "" + space.target());
        Allocator.Counters c = space.blob().allocator().counters();
        String p = "engine_pool_";
        sink.gauge(
                p + "vos_space_scm_used",
                "SCM space used, bytes",
                labels,
                space.scm().usedBytes());
        sink.gauge(
                p + "vos_space_nvme_used",
                "NVMe space used, bytes",
                labels,
                space.blob().allocator().usedBytes());
        sink.counter(p + "block_allocator_alloc_hint", "Allocations behind the last one", labels, c.hintCount());
        sink.counter(p + "block_allocator_alloc_large", "Allocations from large fragments", labels, c.largeCount());
        sink.counter(p + "block_allocator_alloc_small", "Allocations from small fragments", labels, c.smallCount());
        sink.gauge(p + "block_allocator_frags_aging", "Blocks that wait before reuse", labels, c.agingBlocks());
        sink.gauge(p + "block_allocator_free_blks", "Free blocks", labels, c.freeBlocks());
    }
}
