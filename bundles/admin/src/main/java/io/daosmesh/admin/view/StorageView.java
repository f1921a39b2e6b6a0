package io.daosmesh.admin.view;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageUsageReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Views of storage as a whole: scan, format, usage. Source: the seeds; daos-admin facts 2.3. */
public final class StorageView {
    private static final int UUID_BYTES = 16;

    private StorageView() {}

    // ---------------------------------------------------------------- scan

    private record ScanRow(long scm, int spaces, long nvme, int controllers) {}

    public static String scan(HostReplies<StorageScanReply> all) {
        TextTable table = new TextTable("Hosts", "SCM Total", "NVMe Total");
        HostBlocks.group(
                        all,
                        r -> new ScanRow(
                                scmTotal(r.getScmList()),
                                r.getScmCount(),
                                nvmeTotal(r.getNvmeList()),
                                r.getNvmeCount()))
                .forEach((hosts, row) -> table.row(
                        hosts,
                        ByteSize.format(row.scm) + " (" + Words.count(row.spaces, "namespace") + ")",
                        ByteSize.format(row.nvme) + " (" + Words.count(row.controllers, "controller") + ")"));
        return table.isEmpty() ? "" : table.render();
    }

    public static String scanVerbose(HostReplies<StorageScanReply> all) {
        return HostBlocks.blocks(all, reply -> {
            TextTable scm = new TextTable("SCM Namespace", "Socket ID", "Capacity");
            reply.getScmList().forEach(s -> scm.row(s.getMount(), 0, ByteSize.format(s.getTotalBytes())));
            TextTable nvme = new TextTable("NVMe PCI", "Model", "FW Revision", "Socket ID", "Capacity");
            for (DeviceInfoMessage d : reply.getNvmeList()) {
                nvme.row(
                        d.getAddress(),
                        d.getModel(),
                        d.getFirmware(),
                        Math.max(0, d.getNumaNode()),
                        ByteSize.format(d.getSizeBytes()));
            }
            return (scm.isEmpty() ? "\tNo SCM modules found\n" : scm.render())
                    + "\n"
                    + (nvme.isEmpty() ? "\tNo NVMe devices found\n" : nvme.render())
                    + "\n";
        });
    }

    public static String scanHealth(HostReplies<StorageScanReply> all) {
        return HostBlocks.blocks(all, reply -> {
            if (reply.getNvmeCount() == 0) return "  No NVMe devices detected\n";
            StringBuilder out = new StringBuilder();
            for (DeviceInfoMessage d : reply.getNvmeList()) {
                out.append(controller(d))
                        .append(HostBlocks.indent(HealthView.text(d.getHealth())))
                        .append('\n');
            }
            return out.toString();
        });
    }

    public static String scanMeta(HostReplies<StorageScanReply> all) {
        return HostBlocks.blocks(all, reply -> {
            if (reply.getNvmeCount() == 0) return "  No NVMe devices detected\n";
            StringBuilder out = new StringBuilder();
            for (DeviceInfoMessage d : reply.getNvmeList()) {
                out.append(controller(d));
                if (d.getUuid().size() != UUID_BYTES) out.append("  No SMD devices found\n");
                else out.append("  SMD Devices\n").append(HostBlocks.indent(HostBlocks.indent(DeviceView.lines(d))));
                out.append('\n');
            }
            return out.toString();
        });
    }

    public static Map<String, ?> scanJson(HostReplies<StorageScanReply> all) {
        return HostBlocks.json(all, r -> storageJson(r.getScmList(), r.getNvmeList()));
    }

    private static String controller(DeviceInfoMessage d) {
        return "PCI:" + Printable.of(d.getAddress()) + " Model:" + Printable.of(d.getModel()) + " FW:"
                + Printable.of(d.getFirmware()) + " Socket:" + Math.max(0, d.getNumaNode()) + " Capacity:"
                + ByteSize.format(d.getSizeBytes()) + "\n";
    }

    // ---------------------------------------------------------------- format

    private record FormatRow(int scm, int nvme) {}

    public static String format(HostReplies<StorageFormatReply> all) {
        TextTable table = new TextTable("Hosts", "SCM Devices", "NVMe Devices");
        HostBlocks.group(all, r -> new FormatRow(good(r, true), good(r, false))).forEach((hosts, row) -> {
            if (row.scm + row.nvme > 0) table.row(hosts, row.scm, row.nvme);
        });
        return table.isEmpty() ? "" : "Format Summary:\n" + HostBlocks.indent(table.render());
    }

    public static String formatVerbose(HostReplies<StorageFormatReply> all) {
        return HostBlocks.blocks(all, reply -> {
            TextTable scm = new TextTable("SCM Mount", "Format Result");
            TextTable nvme = new TextTable("NVMe PCI", "Format Result");
            for (FormatResultMessage r : reply.getResultsList()) {
                (isScm(r) ? scm : nvme).row(r.getAddress(), r.getOk() ? "CRET_SUCCESS" : r.getMessage());
            }
            String text = scm.isEmpty() ? "" : scm.render() + "\n";
            return nvme.isEmpty() ? text : text + nvme.render() + "\n";
        });
    }

    /** What went wrong inside the answers, by host: {@code 127.0.0.1:10001} to the texts. */
    public static Map<String, List<FormatResultMessage>> formatFailures(HostReplies<StorageFormatReply> all) {
        Map<String, List<FormatResultMessage>> failures = new java.util.LinkedHashMap<>();
        all.replies().forEach((host, reply) -> {
            List<FormatResultMessage> bad =
                    reply.getResultsList().stream().filter(r -> !r.getOk()).toList();
            if (!bad.isEmpty()) failures.put(host, bad);
        });
        return failures;
    }

    public static Map<String, ?> formatJson(HostReplies<StorageFormatReply> all) {
        return HostBlocks.json(all, reply -> {
            List<Map<String, ?>> results = new ArrayList<>();
            for (FormatResultMessage r : reply.getResultsList()) {
                results.add(Json.object(
                        "engine_index", r.getEngineIndex(),
                        "kind", isScm(r) ? "scm" : "nvme",
                        "address", r.getAddress(),
                        "ok", r.getOk(),
                        "message", r.getMessage(),
                        "status", r.getStatus()));
            }
            return Json.object("results", results);
        });
    }

    private static int good(StorageFormatReply reply, boolean scm) {
        return (int) reply.getResultsList().stream()
                .filter(r -> r.getOk() && isScm(r) == scm)
                .count();
    }

    private static boolean isScm(FormatResultMessage r) {
        return r.getKind().equalsIgnoreCase("scm");
    }

    // ---------------------------------------------------------------- usage

    /** What can hold pools: formatted, in use, and whole. Spares and devices that are out are no capacity, as in DAOS. */
    private record UsageRow(long scm, long scmFree, long nvme, long nvmeFree) {
        static UsageRow of(StorageUsageReply r) {
            List<ScmInfoMessage> scm =
                    r.getScmList().stream().filter(s -> s.getRank() >= 0).toList();
            List<DeviceInfoMessage> nvme =
                    r.getNvmeList().stream().filter(StorageView::isInUse).toList();
            return new UsageRow(scmTotal(scm), StorageView.scmFree(scm), nvmeTotal(nvme), StorageView.nvmeFree(nvme));
        }
    }

    private static boolean isInUse(DeviceInfoMessage d) {
        return d.getState().equals("NORMAL") && d.getRank() >= 0;
    }

    public static String usage(HostReplies<StorageUsageReply> all) {
        TextTable table =
                new TextTable("Hosts", "SCM-Total", "SCM-Free", "SCM-Used", "NVMe-Total", "NVMe-Free", "NVMe-Used");
        HostBlocks.group(all, UsageRow::of)
                .forEach((hosts, u) -> table.row(
                        hosts,
                        ByteSize.format(u.scm),
                        ByteSize.format(u.scmFree),
                        used(u.scm, u.scmFree),
                        ByteSize.format(u.nvme),
                        ByteSize.format(u.nvmeFree),
                        used(u.nvme, u.nvmeFree)));
        if (table.isEmpty()) return "";
        StringBuilder out = new StringBuilder(table.render());
        HostBlocks.group(all, StorageView::uncounted).forEach((hosts, text) -> {
            if (!text.isEmpty())
                out.append("Not counted on ")
                        .append(hosts)
                        .append(": ")
                        .append(text)
                        .append('\n');
        });
        return out.toString();
    }

    /** {@code 2 NEW (16 GB), 1 EVICTED (8.0 GB)}, or empty. */
    private static String uncounted(StorageUsageReply r) {
        return r.getNvmeList().stream()
                .filter(d -> !isInUse(d))
                .collect(Collectors.groupingBy(DeviceInfoMessage::getState, TreeMap::new, Collectors.toList()))
                .entrySet()
                .stream()
                .map(e -> e.getValue().size() + " " + Printable.of(e.getKey()) + " ("
                        + ByteSize.format(nvmeTotal(e.getValue())) + ")")
                .collect(Collectors.joining(", "));
    }

    public static Map<String, ?> usageJson(HostReplies<StorageUsageReply> all) {
        return HostBlocks.json(all, r -> {
            UsageRow row = UsageRow.of(r);
            Map<String, Object> fields = new java.util.LinkedHashMap<>();
            fields.put("scm_total", row.scm);
            fields.put("scm_free", row.scmFree);
            fields.put("nvme_total", row.nvme);
            fields.put("nvme_free", row.nvmeFree);
            fields.put("nvme_not_counted", nvmeTotal(r.getNvmeList()) - row.nvme);
            fields.putAll(storageJson(r.getScmList(), r.getNvmeList()));
            return fields;
        });
    }

    private static String used(long total, long free) {
        return total == 0 ? "0 %" : Words.percent(100.0 * (total - free) / total) + " %";
    }

    // ---------------------------------------------------------------- both

    private static Map<String, Object> storageJson(List<ScmInfoMessage> scm, List<DeviceInfoMessage> nvme) {
        List<Map<String, ?>> spaces = new ArrayList<>();
        for (ScmInfoMessage s : scm) {
            spaces.add(Json.object(
                    "class", s.getScmClass(),
                    "mount", s.getMount(),
                    "total_bytes", s.getTotalBytes(),
                    "free_bytes", s.getFreeBytes(),
                    "engine_index", s.getEngineIndex(),
                    "rank", s.getRank(),
                    "state", s.getState()));
        }
        Map<String, Object> fields = new java.util.LinkedHashMap<>();
        fields.put("scm", spaces);
        fields.put("nvme", nvme.stream().map(DeviceView::json).toList());
        return fields;
    }

    private static long scmTotal(List<ScmInfoMessage> scm) {
        return scm.stream().mapToLong(ScmInfoMessage::getTotalBytes).sum();
    }

    private static long scmFree(List<ScmInfoMessage> scm) {
        return scm.stream().mapToLong(ScmInfoMessage::getFreeBytes).sum();
    }

    private static long nvmeTotal(List<DeviceInfoMessage> nvme) {
        return nvme.stream().mapToLong(DeviceInfoMessage::getSizeBytes).sum();
    }

    private static long nvmeFree(List<DeviceInfoMessage> nvme) {
        return nvme.stream().mapToLong(DeviceInfoMessage::getFreeBytes).sum();
    }

    static String uuid(com.google.protobuf.ByteString bytes) {
        return bytes.size() == UUID_BYTES ? Ids.uuid(bytes).toString() : "";
    }
}
