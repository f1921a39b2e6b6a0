package io.daosmesh.admin.view;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.RebuildStatusMessage;
import io.daosmesh.model.wire.TierSpaceMessage;
import io.daosmesh.model.wire.UnreadableObjectMessage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Views of pools. Source: daos-admin facts 2.4 and 3. */
public final class PoolView {
    private static final List<String> TIERS = List.of("SCM", "NVMe");

    /** In a text; JSON has all that the pool service names. */
    private static final int UNREADABLE_SHOWN_MAX = 10;

    private PoolView() {}

    /** One pool of a list. Immutable. @param query what its service says, or why it says nothing */
    public record Row(PoolEntryMessage entry, Optional<PoolQueryReply> query, Optional<Fault> error) {
        String name() {
            return entry.getLabel().isEmpty() ? uuid(entry).substring(0, 8) : entry.getLabel();
        }
    }

    /** All pools with what their services say, by label. @param noQuery leaves the services alone */
    public static List<Row> rows(AdminCalls calls, boolean noQuery) {
        List<Row> rows = new ArrayList<>();
        for (PoolEntryMessage entry : calls.poolList().getPoolsList()) {
            if (noQuery || !state(entry).equals("Ready")) {
                rows.add(new Row(entry, Optional.empty(), Optional.empty()));
                continue;
            }
            try {
                rows.add(new Row(entry, Optional.of(calls.poolQuery(uuid(entry))), Optional.empty()));
            } catch (FaultException e) {
                rows.add(new Row(entry, Optional.empty(), Optional.of(e.fault())));
            }
        }
        rows.sort(Comparator.comparing(Row::name));
        return rows;
    }

    public static String list(List<Row> pools) {
        if (pools.isEmpty()) return "no pools in system\n";
        TextTable table = new TextTable("Pool", "Size", "State", "Used", "Imbalance", "Disabled");
        for (Row row : pools) {
            Optional<TierSpaceMessage> tier = row.query.flatMap(PoolView::dataTier);
            table.row(
                    row.name(),
                    tier.map(t -> ByteSize.format(t.getTotal())).orElse(null),
                    state(row.entry),
                    tier.map(t -> used(t) + "%").orElse(null),
                    tier.map(t -> imbalance(t, row) + "%").orElse(null),
                    row.query.map(PoolView::disabled).orElse(null));
        }
        return table.render() + "\n";
    }

    public static String listVerbose(List<Row> pools) {
        if (pools.isEmpty()) return "no pools in system\n";
        TextTable table = new TextTable(
                "Label",
                "UUID",
                "State",
                "SvcReps",
                "SCM Size",
                "SCM Used",
                "SCM Imbalance",
                "NVME Size",
                "NVME Used",
                "NVME Imbalance",
                "Disabled",
                "Rebuild State");
        for (Row row : pools) {
            List<@Nullable Object> cells = new ArrayList<>();
            cells.add(row.entry.getLabel().isEmpty() ? "-" : row.entry.getLabel());
            cells.add(uuid(row.entry));
            cells.add(state(row.entry));
            cells.add(
                    row.entry.getServiceRanksCount() == 0 ? "N/A" : RankSet.bracketed(row.entry.getServiceRanksList()));
            for (int tier = 0; tier < 2; tier++) addTier(cells, row, tier);
            cells.add(row.query.map(PoolView::disabled).orElse(null));
            cells.add(row.query
                    .map(q -> RebuildStatus.State.of(q.getRebuild().getState())
                            .name()
                            .toLowerCase(Locale.ROOT))
                    .orElse(null));
            table.row(cells.toArray());
        }
        return table.render() + "\n";
    }

    private static void addTier(List<@Nullable Object> cells, Row row, int tier) {
        Optional<TierSpaceMessage> space =
                row.query.filter(q -> q.getTiersCount() > tier).map(q -> q.getTiers(tier));
        cells.add(space.map(t -> ByteSize.format(t.getTotal())).orElse(null));
        cells.add(space.map(t -> used(t) + "%").orElse(null));
        cells.add(space.map(t -> imbalance(t, row) + "%").orElse(null));
    }

    /** Lines for pools whose service did not answer; empty when all did. */
    public static String listErrors(List<Row> pools) {
        StringBuilder out = new StringBuilder();
        for (Row row : pools) {
            row.error.ifPresent(f -> out.append("Query on pool \"")
                    .append(Printable.of(row.name()))
                    .append("\" unsuccessful, error: \"")
                    .append(Printable.line(f.message()))
                    .append("\"\n"));
        }
        return out.toString();
    }

    public static Map<String, ?> listJson(List<Row> pools) {
        List<Map<String, ?>> list = new ArrayList<>();
        for (Row row : pools) {
            list.add(Json.object(
                    "uuid", uuid(row.entry),
                    "label", row.entry.getLabel(),
                    "state", state(row.entry),
                    "svc_reps", row.entry.getServiceRanksList(),
                    "ranks", row.entry.getRanksList(),
                    "query", row.query.map(PoolView::queryJson).orElse(null),
                    "query_error", row.error.map(Fault::message).orElse(null)));
        }
        return Json.object("pools", list);
    }

    // ---------------------------------------------------------------- query

    public static String query(PoolQueryReply reply, boolean enabledRanks) {
        PoolMap map = PoolMap.fromWire(reply.getMap());
        int total = map.targets().size();
        StringBuilder out = new StringBuilder();
        out.append(String.format(
                Locale.ROOT,
                "Pool %s, ntarget=%d, disabled=%d, leader=%d, version=%d, state=%s%n",
                uuid(reply.getEntry()),
                total,
                map.disabledCount(),
                reply.getLeader(),
                map.version(),
                health(reply, map)));
        out.append("Pool health info:\n");
        if (enabledRanks)
            out.append("- Enabled ranks: ").append(RankSet.plain(enabled(map))).append('\n');
        if (!map.disabledRanks().isEmpty()) {
            out.append("- Disabled ranks: ")
                    .append(RankSet.plain(map.disabledRanks()))
                    .append('\n');
        }
        if (reply.getDeadRanksCount() > 0) {
            out.append("- Dead ranks: ")
                    .append(RankSet.plain(reply.getDeadRanksList()))
                    .append('\n');
        }
        out.append("- ").append(rebuild(reply.getRebuild())).append('\n');
        out.append("- Data redundancy: ")
                .append(isDegraded(reply, map) ? "degraded" : "normal")
                .append(unreadable(reply))
                .append('\n');
        unreadableObjects(reply, out);
        unhealthy(reply, out);
        if (domains(map) < reply.getCopiesWanted()) {
            out.append(String.format(
                    Locale.ROOT,
                    "- Too few fault domains: %d serve, objects want %d copies%n",
                    domains(map),
                    reply.getCopiesWanted()));
        }
        out.append("Pool space info:\n- Target count:")
                .append(total - map.disabledCount())
                .append('\n');
        for (int i = 0; i < reply.getTiersCount(); i++) {
            TierSpaceMessage t = reply.getTiers(i);
            out.append("- Storage tier ")
                    .append(i)
                    .append(" (")
                    .append(tierName(i))
                    .append("):\n");
            out.append("  Total size: ").append(ByteSize.format(t.getTotal())).append('\n');
            out.append("  Free: ").append(ByteSize.format(t.getFree()));
            out.append(", min:").append(ByteSize.format(t.getMinFree()));
            out.append(", max:").append(ByteSize.format(t.getMaxFree()));
            out.append(", mean:").append(ByteSize.format(t.getMeanFree())).append('\n');
        }
        return out.toString().replace("\r\n", "\n");
    }

    private static String unreadable(PoolQueryReply reply) {
        long n = reply.getUnreadableRecords();
        return n == 0 ? "" : ", " + n + (n == 1 ? " record" : " records") + " unreadable";
    }

    /** Whoever reads these records hears DER_CSUM. */
    private static void unreadableObjects(PoolQueryReply reply, StringBuilder out) {
        List<UnreadableObjectMessage> objects = reply.getUnreadableObjectsList();
        for (UnreadableObjectMessage o : objects.subList(0, Math.min(UNREADABLE_SHOWN_MAX, objects.size())))
            out.append(String.format(
                    Locale.ROOT,
                    "  Container %s, object %s: %d%n",
                    Ids.uuid(o.getContainer()),
                    new ObjectId(o.getOidHigh(), o.getOidLow()),
                    o.getRecords()));
        int more = objects.size() - UNREADABLE_SHOWN_MAX;
        if (more > 0) out.append(String.format(Locale.ROOT, "  and %d more objects%n", more));
    }

    private static List<Map<String, ?>> unreadableJson(PoolQueryReply reply) {
        List<Map<String, ?>> all = new ArrayList<>();
        for (UnreadableObjectMessage o : reply.getUnreadableObjectsList())
            all.add(Json.object(
                    "container", Ids.uuid(o.getContainer()).toString(),
                    "oid", new ObjectId(o.getOidHigh(), o.getOidLow()).toString(),
                    "records", o.getRecords()));
        return all;
    }

    /** Containers with data that nobody can give out now, and those that may not be written to. */
    private static void unhealthy(PoolQueryReply reply, StringBuilder out) {
        for (ContainerHealthMessage h : reply.getUnhealthyContainersList()) {
            ContainerMessage c = h.getContainer();
            out.append("- Container ").append(Printable.of(c.getLabel())).append(": ");
            if (h.getUnavailableShare() > 0) out.append(unavailable(h));
            if (h.getUnavailableShare() > 0 && c.getStatus() != 0) out.append("; ");
            if (c.getStatus() != 0) out.append("UNCLEAN since map version ").append(c.getUncleanVersion());
            out.append('\n');
        }
        int more = reply.getUnhealthyContainerCount() - reply.getUnhealthyContainersCount();
        if (more > 0) out.append("- and ").append(more).append(" more containers\n");
    }

    /** How much of a container, and whom it waits for. */
    public static String unavailable(ContainerHealthMessage h) {
        return String.format(
                Locale.ROOT,
                "about %d%% of its data is unavailable without rank%s %s",
                Math.max(1, Math.round(100 * h.getUnavailableShare())),
                h.getMissingRanksCount() == 1 ? "" : "s",
                RankSet.plain(h.getMissingRanksList()));
    }

    private static List<Map<String, ?>> unhealthyJson(PoolQueryReply reply) {
        List<Map<String, ?>> all = new ArrayList<>();
        for (ContainerHealthMessage h : reply.getUnhealthyContainersList()) {
            ContainerMessage c = h.getContainer();
            all.add(Json.object(
                    "uuid", Ids.uuid(c.getUuid()).toString(),
                    "label", c.getLabel(),
                    "status", c.getStatus() == 0 ? "HEALTHY" : "UNCLEAN",
                    "unclean_version", c.getUncleanVersion(),
                    "unavailable_share", h.getUnavailableShare(),
                    "missing_ranks", h.getMissingRanksList()));
        }
        return all;
    }

    public static Map<String, ?> queryJson(PoolQueryReply reply) {
        PoolMap map = PoolMap.fromWire(reply.getMap());
        RebuildStatusMessage r = reply.getRebuild();
        List<Map<String, ?>> tiers = new ArrayList<>();
        for (int i = 0; i < reply.getTiersCount(); i++) {
            TierSpaceMessage t = reply.getTiers(i);
            tiers.add(Json.object(
                    "total",
                    t.getTotal(),
                    "free",
                    t.getFree(),
                    "min",
                    t.getMinFree(),
                    "max",
                    t.getMaxFree(),
                    "mean",
                    t.getMeanFree(),
                    "media_type",
                    tierName(i).toLowerCase(Locale.ROOT)));
        }
        return Json.object(
                "uuid", uuid(reply.getEntry()),
                "label", reply.getEntry().getLabel(),
                "state", health(reply, map),
                "total_targets", map.targets().size(),
                "active_targets", map.targets().size() - map.disabledCount(),
                "disabled_targets", map.disabledCount(),
                "total_engines", map.ranks().size(),
                "version", map.version(),
                "svc_ldr", reply.getLeader(),
                "svc_reps", reply.getEntry().getServiceRanksList(),
                "enabled_ranks", List.copyOf(enabled(map)),
                "disabled_ranks", List.copyOf(map.disabledRanks()),
                "dead_ranks", reply.getDeadRanksList(),
                "unreadable_records", reply.getUnreadableRecords(),
                "unreadable_objects", unreadableJson(reply),
                "unhealthy_containers", unhealthyJson(reply),
                "rebuild",
                        Json.object(
                                "state",
                                        RebuildStatus.State.of(r.getState())
                                                .name()
                                                .toLowerCase(Locale.ROOT),
                                "status", -Math.abs(r.getStatus()),
                                "version", r.getVersion(),
                                "operation", r.getOperation(),
                                "objects_total", r.getObjectsTotal(),
                                "objects", r.getObjects(),
                                "records", r.getRecords(),
                                "bytes", r.getBytes(),
                                "objects_blocked", r.getObjectsBlocked(),
                                "started", SystemView.time(r.getStartedHlc()),
                                "duration_ms", r.getDurationMs()),
                "tier_stats", tiers,
                "properties", new java.util.TreeMap<>(reply.getEntry().getPropertiesMap()));
    }

    private static String rebuild(RebuildStatusMessage r) {
        if (Math.abs(r.getStatus()) == FaultCode.OP_CANCELED.number())
            return "Rebuild stopped (state="
                    + RebuildStatus.State.of(r.getState()).name().toLowerCase(Locale.ROOT) + ", status=-"
                    + FaultCode.OP_CANCELED.number() + ") after " + r.getObjects() + " of " + r.getObjectsTotal()
                    + " objs, "
                    + r.getRecords() + " recs: dmg pool rebuild start lets it go on";
        if (r.getStatus() != 0) {
            int number = Math.abs(r.getStatus());
            String name = FaultCode.of(number).map(c -> "DER_" + c.name()).orElse("DER_UNKNOWN");
            return "Rebuild failed, rc=0, status=-" + number + " (" + name + ")";
        }
        return "Rebuild " + RebuildStatus.State.of(r.getState()).name().toLowerCase(Locale.ROOT) + ", " + r.getObjects()
                + " objs, " + r.getRecords() + " recs"
                + (r.getObjectsBlocked() == 0 ? "" : ", " + r.getObjectsBlocked() + " objs wait for space");
    }

    private static String health(PoolQueryReply reply, PoolMap map) {
        String state = state(reply.getEntry());
        return state.equals("Ready") && map.disabledCount() > 0 ? "TargetsExcluded" : state;
    }

    /** True while a failed target's data has not been rebuilt elsewhere, or cannot be for want of fault domains or holders. */
    private static boolean isDegraded(PoolQueryReply reply, PoolMap map) {
        return reply.getDeadRanksCount() > 0
                || map.targets().stream().anyMatch(t -> t.state() == TargetState.DOWN)
                || reply.getUnhealthyContainersList().stream().anyMatch(h -> h.getUnavailableShare() > 0)
                || reply.getUnreadableRecords() > 0
                || domains(map) < reply.getCopiesWanted();
    }

    /** Fault domains that hold data. */
    private static long domains(PoolMap map) {
        return map.targets().stream()
                .filter(t -> t.state() == TargetState.UPIN || t.state() == TargetState.DRAIN)
                .map(PoolTarget::faultDomain)
                .distinct()
                .count();
    }

    private static TreeSet<Integer> enabled(PoolMap map) {
        TreeSet<Integer> ranks = new TreeSet<>(map.ranks());
        ranks.removeAll(map.disabledRanks());
        return ranks;
    }

    // ---------------------------------------------------------------- create

    public static String created(PoolCreateReply reply) {
        int ranks = reply.getRanksCount();
        long scm = reply.getScmBytesPerRank();
        long nvme = reply.getNvmeBytesPerRank();
        double sum = Math.max(1, scm + nvme);
        String title = String.format(
                Locale.ROOT, "Pool created with %.2f%%,%.2f%% storage tier ratio", 100 * scm / sum, 100 * nvme / sum);
        List<String[]> rows = new ArrayList<>();
        rows.add(new String[] {"UUID", Ids.uuid(reply.getPool()).toString()});
        rows.add(new String[] {"Service Leader", String.valueOf(reply.getServiceLeader())});
        rows.add(new String[] {"Service Ranks", RankSet.bracketed(reply.getServiceRanksList())});
        rows.add(new String[] {"Storage Ranks", RankSet.bracketed(reply.getRanksList())});
        rows.add(new String[] {"Total Size", ByteSize.format((scm + nvme) * ranks)});
        rows.add(new String[] {"Storage tier 0 (SCM)", tier(scm, ranks)});
        rows.add(new String[] {"Storage tier 1 (NVMe)", tier(nvme, ranks)});
        int names = rows.stream().mapToInt(r -> r[0].length()).max().orElse(0);
        int values = rows.stream().mapToInt(r -> r[1].length()).max().orElse(0);
        StringBuilder out = new StringBuilder(title)
                .append('\n')
                .append("-".repeat(title.length()))
                .append('\n');
        for (String[] row : rows) {
            out.append("  ")
                    .append(row[0])
                    .append(" ".repeat(names - row[0].length()))
                    .append(": ");
            out.append(row[1]).append(" ".repeat(values - row[1].length())).append('\n');
        }
        return out.append('\n').toString();
    }

    public static Map<String, ?> createdJson(PoolCreateReply reply, String label) {
        return Json.object(
                "uuid", Ids.uuid(reply.getPool()),
                "label", label,
                "svc_ldr", reply.getServiceLeader(),
                "svc_reps", reply.getServiceRanksList(),
                "tgt_ranks", reply.getRanksList(),
                "tier_bytes", List.of(reply.getScmBytesPerRank(), reply.getNvmeBytesPerRank()));
    }

    private static String tier(long perRank, int ranks) {
        return ByteSize.format(perRank * ranks) + " (" + ByteSize.format(perRank) + " / rank)";
    }

    // ---------------------------------------------------------------- parts

    private static String state(PoolEntryMessage entry) {
        return switch (entry.getState()) {
            case CREATING -> "Creating";
            case READY -> "Ready";
            case DESTROYING -> "Destroying";
            case UNRECOGNIZED -> "Unknown";
        };
    }

    private static String uuid(PoolEntryMessage entry) {
        return Ids.uuid(entry.getPool()).toString();
    }

    private static String tierName(int tier) {
        return tier < TIERS.size() ? TIERS.get(tier) : "tier" + tier;
    }

    private static Optional<TierSpaceMessage> dataTier(PoolQueryReply q) {
        return q.getTiersList().stream().filter(t -> t.getTotal() > 0).reduce((first, second) -> second);
    }

    private static String used(TierSpaceMessage t) {
        return t.getTotal() == 0 ? "0" : Words.percent(100.0 * (t.getTotal() - t.getFree()) / t.getTotal());
    }

    private static String imbalance(TierSpaceMessage t, Row row) {
        int active = row.query
                .map(q -> PoolMap.fromWire(q.getMap()))
                .map(m -> m.targets().size() - m.disabledCount())
                .orElse(0);
        if (active == 0 || t.getTotal() == 0) return "0";
        return Words.percent(100.0 * (t.getMaxFree() - t.getMinFree()) / (1.0 * t.getTotal() / active));
    }

    private static String disabled(PoolQueryReply q) {
        PoolMap map = PoolMap.fromWire(q.getMap());
        return map.disabledCount() + "/" + map.targets().size();
    }
}
