package io.daosmesh.admin.view;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.DeviceHealthMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.DriversReply;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListPoolsReply;
import io.daosmesh.model.wire.SmdPoolMessage;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Views of devices, the pools on them, their lights and their drivers. Source: the seeds; daos-admin facts 2.3. */
public final class DeviceView {
    private DeviceView() {}

    public static String list(HostReplies<ListDevicesReply> all, boolean health) {
        return HostBlocks.blocks(all, reply -> {
            if (reply.getDevicesCount() == 0) return "  No devices found\n";
            StringBuilder out = new StringBuilder("  Devices\n");
            for (DeviceInfoMessage d : reply.getDevicesList()) {
                out.append(deep(lines(d), 2));
                if (health) out.append(deep(HealthView.text(d.getHealth()), 3));
            }
            return out.toString();
        });
    }

    /** {@code UUID:.. [TrAddr:..]} and below it targets, rank and state. */
    static String lines(DeviceInfoMessage d) {
        return "UUID:" + StorageView.uuid(d.getUuid()) + " [TrAddr:" + Printable.of(d.getAddress()) + "]\n  Targets:"
                + numbers(d.getTargetsList()) + " Rank:" + rank(d) + " State:" + Printable.of(d.getState()) + "\n";
    }

    /** Reply of a state change: one line a device. */
    public static String changed(HostReplies<ListDevicesReply> all) {
        return HostBlocks.blocks(all, reply -> {
            StringBuilder out = new StringBuilder("  Devices\n");
            for (DeviceInfoMessage d : reply.getDevicesList()) {
                out.append("    UUID:").append(StorageView.uuid(d.getUuid()));
                out.append(" Targets:").append(numbers(d.getTargetsList()));
                out.append(" Rank:")
                        .append(rank(d))
                        .append(" State:")
                        .append(Printable.of(d.getState()))
                        .append('\n');
            }
            return out.toString();
        });
    }

    public static String lights(HostReplies<ListDevicesReply> all) {
        return HostBlocks.blocks(all, reply -> {
            if (reply.getDevicesCount() == 0) return "  No devices found\n";
            StringBuilder out = new StringBuilder("  Devices\n");
            for (DeviceInfoMessage d : reply.getDevicesList()) {
                out.append("    TrAddr:").append(Printable.of(d.getAddress()));
                out.append(" [UUID:").append(StorageView.uuid(d.getUuid())).append("] LED:");
                out.append(d.getLed().isEmpty() ? "NA" : Printable.of(d.getLed()))
                        .append('\n');
            }
            return out.toString();
        });
    }

    public static Map<String, ?> listJson(HostReplies<ListDevicesReply> all) {
        return HostBlocks.json(
                all,
                reply -> Json.object(
                        "devices",
                        reply.getDevicesList().stream().map(DeviceView::json).toList()));
    }

    static Map<String, ?> json(DeviceInfoMessage d) {
        boolean known = !d.getHealth().equals(DeviceHealthMessage.getDefaultInstance());
        return Json.object(
                "uuid", StorageView.uuid(d.getUuid()),
                "class", d.getDeviceClass(),
                "tr_addr", d.getAddress(),
                "model", d.getModel(),
                "serial", d.getSerial(),
                "fw_rev", d.getFirmware(),
                "socket_id", d.getNumaNode(),
                "total_bytes", d.getSizeBytes(),
                "free_bytes", d.getFreeBytes(),
                "state", d.getState(),
                "led", d.getLed(),
                "tgt_ids", d.getTargetsList(),
                "rank", d.getRank(),
                "engine_index", d.getEngineIndex(),
                "driver", d.getDriver(),
                "driver_version", d.getDriverVersion(),
                "health", known ? HealthView.json(d.getHealth()) : null);
    }

    public static String pools(HostReplies<ListPoolsReply> all, boolean blobs) {
        return HostBlocks.blocks(all, reply -> {
            if (reply.getPoolsCount() == 0) return "  No pools found\n";
            StringBuilder out = new StringBuilder("  Pools\n");
            byPool(reply).forEach((uuid, entries) -> {
                out.append("    UUID:").append(uuid).append('\n');
                for (SmdPoolMessage p : entries) {
                    out.append("      Rank:").append(Integer.toUnsignedString(p.getRank()));
                    out.append(" Targets:").append(numbers(p.getTargetsList()));
                    if (blobs) out.append(" Blobs:").append(numbers(p.getBlobsList()));
                    out.append('\n');
                }
                out.append('\n');
            });
            return out.toString();
        });
    }

    public static Map<String, ?> poolsJson(HostReplies<ListPoolsReply> all) {
        return HostBlocks.json(all, reply -> {
            List<Map<String, ?>> list = new ArrayList<>();
            byPool(reply)
                    .forEach((uuid, entries) -> entries.forEach(p -> list.add(Json.object(
                            "uuid",
                            uuid,
                            "rank",
                            p.getRank(),
                            "tgt_ids",
                            p.getTargetsList(),
                            "blobs",
                            p.getBlobsList()))));
            return Json.object("pools", list);
        });
    }

    public static String drivers(HostReplies<DriversReply> all) {
        return HostBlocks.blocks(all, reply -> {
            TextTable table =
                    new TextTable("Driver", "Kind", "Version", "Bundle ID", "State", "Devices", "Swaps", "Last Pause");
            for (DriverMessage d : reply.getDriversList()) {
                table.row(
                        d.getBundle(),
                        d.getKind(),
                        d.getVersion(),
                        d.getBundleId(),
                        d.getState(),
                        d.getDevicesCount(),
                        d.getSwaps(),
                        d.getSwaps() == 0 ? "-" : d.getLastPauseUs() / 1000 + " ms");
            }
            if (table.isEmpty()) return "No drivers found\n";
            StringBuilder out = new StringBuilder(table.render()).append('\n');
            for (DriverMessage d : reply.getDriversList()) {
                d.getDevicesList()
                        .forEach(a -> out.append("  ")
                                .append(Printable.of(d.getBundle()))
                                .append(": ")
                                .append(Printable.of(a))
                                .append('\n'));
            }
            return out.toString();
        });
    }

    public static Map<String, ?> driversJson(HostReplies<DriversReply> all) {
        return HostBlocks.json(all, reply -> {
            List<Map<String, ?>> list = new ArrayList<>();
            for (DriverMessage d : reply.getDriversList()) {
                list.add(Json.object(
                        "bundle", d.getBundle(),
                        "kind", d.getKind(),
                        "version", d.getVersion(),
                        "bundle_id", d.getBundleId(),
                        "state", d.getState(),
                        "devices", d.getDevicesList(),
                        "swaps", d.getSwaps(),
                        "last_pause_us", d.getLastPauseUs()));
            }
            return Json.object("drivers", list);
        });
    }

    private static Map<String, List<SmdPoolMessage>> byPool(ListPoolsReply reply) {
        return reply.getPoolsList().stream()
                .sorted(Comparator.comparingInt(SmdPoolMessage::getRank))
                .collect(Collectors.groupingBy(p -> StorageView.uuid(p.getPool()), TreeMap::new, Collectors.toList()));
    }

    private static String rank(DeviceInfoMessage d) {
        return d.getRank() < 0 ? "None" : String.valueOf(d.getRank());
    }

    /** {@code [0 2]}. */
    private static String numbers(Collection<? extends Number> numbers) {
        return numbers.stream()
                .map(n -> n instanceof Long l ? Long.toUnsignedString(l) : n.toString())
                .collect(Collectors.joining(" ", "[", "]"));
    }

    private static String deep(String text, int levels) {
        String moved = text;
        for (int i = 0; i < levels; i++) moved = HostBlocks.indent(moved);
        return moved;
    }
}
