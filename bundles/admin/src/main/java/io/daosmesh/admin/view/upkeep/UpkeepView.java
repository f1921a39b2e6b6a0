package io.daosmesh.admin.view.upkeep;

import io.daosmesh.admin.UpkeepCalls.OfPool;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.admin.view.Words;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.wire.PoolUpgradeReply;
import io.daosmesh.model.wire.SystemEraseReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** Views of {@code system rebuild}, {@code cleanup} and {@code erase}, and of {@code pool upgrade}. Source: daos-admin facts 2.2. */
public final class UpkeepView {
    private static final String DONE = "Command completed successfully.\n";
    /** As wide as the longest title. */
    private static final int TITLE = "With active or finishing rebuild:".length();

    private UpkeepView() {}

    /** @param verbose with the names of the pools */
    public static String rebuild(String verb, List<OfPool> results, boolean verbose) {
        StringBuilder out = new StringBuilder();
        if (results.isEmpty())
            return out.append("No pools in system.\n").append(DONE).toString();
        out.append("System-rebuild ")
                .append(verb)
                .append(" requested for ")
                .append(Words.count(results.size(), "pool"))
                .append('\n');
        List<String> failed = names(results, p -> p.error().isPresent());
        if (verb.equals("start")) {
            line(out, "Successfully requested:", names(results, UpkeepView::isFine), verbose);
        } else {
            line(out, "With active or finishing rebuild:", names(results, p -> isFine(p) && p.count() > 0), verbose);
            line(out, "Without active rebuild:", names(results, p -> isFine(p) && p.count() == 0), verbose);
        }
        if (!failed.isEmpty()) line(out, "Errors:", failed, verbose);
        return failed.isEmpty() ? out.append(DONE).toString() : out.toString();
    }

    private static boolean isFine(OfPool p) {
        return p.error().isEmpty();
    }

    private static List<String> names(List<OfPool> results, Predicate<OfPool> which) {
        return results.stream().filter(which).map(OfPool::pool).toList();
    }

    private static void line(StringBuilder out, String title, List<String> pools, boolean verbose) {
        out.append("- ")
                .append(title)
                .append(" ".repeat(TITLE - title.length() + 2))
                .append(Words.count(pools.size(), "pool"));
        if (verbose && !pools.isEmpty())
            out.append(" (").append(String.join(", ", pools)).append(')');
        out.append('\n');
    }

    /** Also a stop that found nothing to stop is no error: then {@code active} is false. */
    public static Map<String, ?> rebuildJson(String verb, List<OfPool> results) {
        List<Map<String, ?>> rows = new ArrayList<>();
        for (OfPool p : results) {
            rows.add(Json.object(
                    "pool", p.pool(),
                    "active", p.count() > 0,
                    "errored", p.error().isPresent(),
                    "msg", p.error().map(UpkeepView::reason).orElse("")));
        }
        return Json.object("operation", verb, "results", rows);
    }

    public static String cleanup(List<OfPool> results, boolean verbose) {
        List<OfPool> cleaned = results.stream().filter(p -> p.count() > 0).toList();
        if (cleaned.isEmpty()) return "No handles cleaned up\n";
        if (!verbose) return "System Cleanup Success\n";
        TextTable table = new TextTable("Pool", "Handles Revoked");
        for (OfPool p : cleaned) table.row(p.pool(), p.count());
        return table.render() + "\n";
    }

    public static Map<String, ?> cleanupJson(String machine, List<OfPool> results) {
        List<Map<String, ?>> rows = new ArrayList<>();
        for (OfPool p : results) {
            rows.add(Json.object(
                    "pool", p.pool(),
                    "count", p.count(),
                    "errored", p.error().isPresent(),
                    "msg", p.error().map(UpkeepView::reason).orElse("")));
        }
        return Json.object("machine", machine, "results", rows);
    }

    public static String upgrade(PoolUpgradeReply reply) {
        return "Pool-upgrade command succeeded\nPool layout: " + reply.getLayout() + ", the newest is "
                + reply.getNewest() + "\n";
    }

    public static Map<String, ?> upgradeJson(PoolUpgradeReply reply) {
        return Json.object("pool_layout_ver", reply.getLayout(), "upgrade_layout_ver", reply.getNewest());
    }

    public static String erased(SystemEraseReply reply) {
        StringBuilder out = new StringBuilder("System erased: ")
                .append(HostList.fold(reply.getNodesList()))
                .append(" await format, see dmg storage format\n");
        if (reply.getAbsentNodesCount() > 0)
            out.append("Not reached, with excluded ranks only: ")
                    .append(HostList.fold(reply.getAbsentNodesList()))
                    .append(" (before they serve again: dmg storage format --force)\n");
        return out.toString();
    }

    public static Map<String, ?> erasedJson(SystemEraseReply reply) {
        return Json.object("nodes", reply.getNodesList(), "absent_nodes", reply.getAbsentNodesList());
    }

    /**
     * What the command as a whole answers when pools have failed: the code of the first, the reasons of all.
     *
     * @param what e.g. {@code pool-rebuild stop}
     */
    public static Optional<Fault> failure(String what, List<OfPool> results) {
        List<OfPool> failed =
                results.stream().filter(p -> p.error().isPresent()).toList();
        if (failed.isEmpty()) return Optional.empty();
        Fault first = failed.get(0).error().orElseThrow();
        String text = failed.stream()
                .map(p -> what + " failed on pool " + p.pool() + ": "
                        + p.error().map(UpkeepView::reason).orElse(""))
                .collect(Collectors.joining(", "));
        return Optional.of(Fault.of(first.code(), "%s", text).remedy(first.remedy()));
    }

    private static String reason(Fault f) {
        return f.text().isEmpty() ? f.code().meaning() : f.text();
    }
}
