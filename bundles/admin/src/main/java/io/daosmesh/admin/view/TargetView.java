package io.daosmesh.admin.view;

import io.daosmesh.admin.RankPools;
import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolTargetSpaceMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Views of the targets of pools: {@code query-targets}, and what became of operations on ranks. Source: daos-admin facts 2.4. */
public final class TargetView {
    private TargetView() {}

    /** One target; no space where its rank does not answer. Immutable. */
    public record Target(int index, String state, Optional<PoolTargetSpaceMessage> space) {}

    /** @param indexes empty = all of the rank; NONEXIST for a rank or an index that the pool has not */
    public static List<Target> of(PoolQueryReply reply, int rank, List<Integer> indexes) {
        List<PoolTarget> own = PoolMap.fromWire(reply.getMap()).ofRank(rank);
        if (own.isEmpty()) {
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no target of this pool", rank)
                    .remedy("dmg pool query -e shows its ranks")
                    .asException();
        }
        for (int index : indexes) {
            if (own.stream().anyMatch(t -> t.index() == index)) continue;
            throw Fault.of(FaultCode.NONEXIST, "rank %d has no target %d", rank, index)
                    .remedy("it has targets 0 to " + (own.size() - 1))
                    .asException();
        }
        return own.stream()
                .filter(t -> indexes.isEmpty() || indexes.contains(t.index()))
                .map(t -> new Target(
                        t.index(),
                        t.state().label(),
                        reply.getTargetsList().stream()
                                .filter(s -> s.getRank() == rank && s.getIndex() == t.index())
                                .findFirst()))
                .toList();
    }

    public static String text(List<Target> targets) {
        StringBuilder out = new StringBuilder();
        for (Target t : targets) {
            out.append("Target: type unknown, state ").append(t.state).append('\n');
            t.space.ifPresent(s -> {
                tier(out, 0, "SCM", s.getScmTotal(), s.getScmFree());
                tier(out, 1, "NVMe", s.getNvmeTotal(), s.getNvmeFree());
            });
        }
        return out.toString();
    }

    private static void tier(StringBuilder out, int number, String media, long total, long free) {
        out.append("- Storage tier ").append(number).append(" (").append(media).append("):\n");
        out.append("  Total size: ").append(ByteSize.format(total)).append('\n');
        out.append("  Free: ").append(ByteSize.format(free)).append('\n');
    }

    public static Map<String, ?> json(List<Target> targets) {
        List<Map<String, ?>> infos = new ArrayList<>();
        for (Target t : targets) {
            List<Map<String, ?>> space = new ArrayList<>();
            t.space.ifPresent(s -> {
                space.add(Json.object("media_type", "scm", "total", s.getScmTotal(), "free", s.getScmFree()));
                space.add(Json.object("media_type", "nvme", "total", s.getNvmeTotal(), "free", s.getNvmeFree()));
            });
            infos.add(Json.object(
                    "target_index", t.index, "target_type", "unknown", "target_state", t.state, "space", space));
        }
        return Json.object("infos", infos);
    }

    /** Of {@code system drain} and {@code reintegrate}: one row a pool. */
    public static String results(List<RankPools.Result> results) {
        TextTable table = new TextTable("Pool", "Ranks", "Result", "Reason");
        for (RankPools.Result r : results) {
            table.row(
                    r.pool(),
                    r.ranks().isEmpty() ? "None" : RankSet.bracketed(sorted(r)),
                    r.error().isEmpty() ? "OK" : "FAIL",
                    r.error().map(TargetView::reason).orElse("-"));
        }
        return table.render() + "\n";
    }

    public static Map<String, ?> resultsJson(List<RankPools.Result> results) {
        List<Map<String, ?>> rows = new ArrayList<>();
        for (RankPools.Result r : results) {
            rows.add(Json.object(
                    "pool", r.pool(),
                    "ranks", sorted(r),
                    "errored", r.error().isPresent(),
                    "msg", r.error().map(TargetView::reason).orElse("")));
        }
        return Json.object("results", rows);
    }

    private static List<Integer> sorted(RankPools.Result r) {
        return r.ranks().stream().sorted().toList();
    }

    private static String reason(Fault f) {
        return f.text().isEmpty() ? f.code().meaning() : f.text();
    }
}
