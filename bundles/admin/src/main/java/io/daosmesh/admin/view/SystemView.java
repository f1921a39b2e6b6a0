package io.daosmesh.admin.view;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Views of members, leaders, start and stop, events. Source: daos-admin facts 2.2 and 3. */
public final class SystemView {
    private static final Comparator<MemberMessage> BY_RANK = (a, b) -> Integer.compare(a.getRank(), b.getRank());

    private SystemView() {}

    /**
     * What a query shows. Immutable.
     *
     * @param members those asked for, by rank
     * @param absentRanks asked for but not in the system
     * @param absentHosts the same for hosts
     * @param nodes what those that were asked and answered say of themselves, by control address
     */
    public record Members(
            String system,
            int mapVersion,
            List<MemberMessage> members,
            List<Integer> absentRanks,
            List<String> absentHosts,
            Map<String, NodeStatusReply> nodes) {
        public Members {
            List<MemberMessage> byRank = new ArrayList<>(members);
            byRank.sort(BY_RANK);
            members = List.copyOf(byRank);
            absentRanks = List.copyOf(absentRanks);
            absentHosts = List.copyOf(absentHosts);
            nodes = Map.copyOf(nodes);
        }

        /** No node was asked. */
        public Members(
                String system,
                int mapVersion,
                List<MemberMessage> members,
                List<Integer> absentRanks,
                List<String> absentHosts) {
            this(system, mapVersion, members, absentRanks, absentHosts, Map.of());
        }

        public Members with(Map<String, NodeStatusReply> answers) {
            return new Members(system, mapVersion, members, absentRanks, absentHosts, answers);
        }

        /** Addresses of the nodes that members live on and that are likely to answer. */
        public List<String> livelyNodes() {
            return members.stream()
                    .filter(m -> state(m) == MemberState.JOINED)
                    .map(MemberMessage::getAddress)
                    .distinct()
                    .toList();
        }

        /** ISO 8601; empty when not known. */
        private String certificateEnd(MemberMessage m) {
            long end = node(m).getCertificateExpiresS();
            return end == 0 ? "" : Words.time(Instant.ofEpochSecond(end).atOffset(ZoneOffset.UTC));
        }

        /** What the node runs now; empty when not known. */
        private String release(MemberMessage m) {
            return node(m).getRelease();
        }

        private NodeStatusReply node(MemberMessage m) {
            return nodes.getOrDefault(m.getAddress(), NodeStatusReply.getDefaultInstance());
        }

        private boolean hasCertificates() {
            return nodes.values().stream().anyMatch(n -> n.getCertificateExpiresS() != 0);
        }
    }

    public static String query(Members found) {
        if (found.members.isEmpty() && found.absentRanks.isEmpty() && found.absentHosts.isEmpty()) {
            return "Query matches no ranks in system\n";
        }
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (MemberMessage m : found.members) {
            groups.computeIfAbsent(state(m).label(), s -> new ArrayList<>()).add(m.getRank());
        }
        if (!found.absentRanks.isEmpty()) groups.put("Unknown Rank", found.absentRanks);
        TextTable table = new TextTable("Rank", "State");
        sorted(groups).forEach((ranks, state) -> table.row(ranks, state));
        return table.render() + "\n" + absentHosts(found);
    }

    public static String queryVerbose(Members found) {
        List<String> head = new ArrayList<>(List.of("Rank", "UUID", "Control Address", "Fault Domain", "State"));
        if (!found.nodes.isEmpty()) head.add("Release");
        if (found.hasCertificates()) head.add("Certificate Until");
        head.add("Reason");
        TextTable table = new TextTable(head.toArray(new String[0]));
        for (MemberMessage m : found.members) {
            List<Object> row = new ArrayList<>(
                    List.of(m.getRank(), Ids.uuid(m.getUuid()), m.getAddress(), m.getFaultDomain(), state(m).label()));
            if (!found.nodes.isEmpty()) row.add(found.release(m));
            if (found.hasCertificates()) row.add(found.certificateEnd(m));
            row.add(m.getInfo());
            table.row(row.toArray());
        }
        StringBuilder out = new StringBuilder();
        if (table.isEmpty()) out.append("Query matches no ranks in system\n");
        else out.append(table.render()).append('\n');
        out.append(absentHosts(found));
        if (!found.absentRanks.isEmpty()) {
            out.append("Unknown ")
                    .append(Words.count(found.absentRanks.size(), "rank"))
                    .append(": ")
                    .append(RankSet.plain(found.absentRanks))
                    .append('\n');
        }
        return out.toString();
    }

    public static Map<String, ?> queryJson(Members found) {
        List<Map<String, ?>> members = new ArrayList<>();
        for (MemberMessage m : found.members) {
            members.add(Json.object(
                    "rank", m.getRank(),
                    "uuid", Ids.uuid(m.getUuid()),
                    "addr", m.getAddress(),
                    "fault_domain", m.getFaultDomain(),
                    "state", state(m).label().toLowerCase(Locale.ROOT),
                    "info", m.getInfo(),
                    "incarnation", Long.toHexString(m.getIncarnation()),
                    "target_count", m.getTargetCount(),
                    "engine_index", m.getEngineIndex(),
                    "last_update", time(m.getUpdatedHlc()),
                    "certificate_expires", found.certificateEnd(m),
                    "release", found.release(m)));
        }
        return Json.object(
                "system", found.system,
                "map_version", found.mapVersion,
                "members", members,
                "absent_ranks", found.absentRanks,
                "absent_hosts", found.absentHosts);
    }

    /** Result of start, stop, exclude: rows by equal outcome. */
    public static String results(List<RankResultMessage> results, List<Integer> absentRanks) {
        if (results.isEmpty() && absentRanks.isEmpty()) return "No results returned\n";
        Map<String, List<Integer>> groups = new LinkedHashMap<>();
        for (RankResultMessage r : results) {
            String outcome = r.getErrored() ? (r.getMessage().isEmpty() ? "failed" : r.getMessage()) : "OK";
            groups.computeIfAbsent(r.getAction() + "\0" + outcome, k -> new ArrayList<>())
                    .add(r.getRank());
        }
        if (!absentRanks.isEmpty()) groups.put("----\0Unknown Rank", absentRanks);
        TextTable table = new TextTable("Rank", "Operation", "Result");
        sorted(groups).forEach((ranks, outcome) -> {
            int cut = outcome.indexOf('\0');
            table.row(ranks, outcome.substring(0, cut), outcome.substring(cut + 1));
        });
        return table.render() + "\n";
    }

    public static Map<String, ?> resultsJson(List<RankResultMessage> results) {
        List<Map<String, ?>> rows = new ArrayList<>();
        for (RankResultMessage r : results) {
            rows.add(Json.object(
                    "rank", r.getRank(),
                    "addr", r.getAddress(),
                    "action", r.getAction(),
                    "state", MemberState.of(r.getState()).label().toLowerCase(Locale.ROOT),
                    "errored", r.getErrored(),
                    "msg", r.getMessage()));
        }
        return Json.object("results", rows);
    }

    public static String leader(LeaderQueryReply reply) {
        return "Current Leader: " + Printable.of(reply.getLeader()) + "\n   Replica Set: "
                + joined(reply.getReplicasList()) + "\n  Unresponsive Replicas: "
                + joined(reply.getDownReplicasList()) + "\n";
    }

    private static String joined(List<String> names) {
        return names.stream().map(Printable::of).collect(Collectors.joining(", "));
    }

    public static String downReplicas(LeaderQueryReply reply) {
        return "Unresponsive Replicas: " + joined(reply.getDownReplicasList()) + "\n";
    }

    public static Map<String, ?> leaderJson(LeaderQueryReply reply) {
        return Json.object(
                "current_leader", reply.getLeader(),
                "replicas", reply.getReplicasList(),
                "down_replicas", reply.getDownReplicasList());
    }

    public static Map<String, ?> eventJson(RasEventMessage event) {
        return Json.object(
                "id", event.getId(),
                "timestamp", Words.time(RasLine.time(event, ZoneOffset.UTC)),
                "host", event.getHost(),
                "type", RasLine.type(event),
                "severity", RasLine.severity(event),
                "msg", event.getMessage(),
                "fields", new java.util.TreeMap<>(event.getFieldsMap()),
                "sequence", event.getSequence());
    }

    static MemberState state(MemberMessage m) {
        return MemberState.of(m.getState());
    }

    /** ISO 8601; empty when it never happened. */
    static String time(long hlc) {
        return hlc == 0
                ? ""
                : Words.time(Instant.ofEpochMilli(Hlc.toUnixMillis(hlc)).atOffset(ZoneOffset.UTC));
    }

    /** The largest group first; by the text of its ranks among equals. */
    private record Group(int size, String ranks, String label) implements Comparable<Group> {
        @Override
        public int compareTo(Group other) {
            int bySize = Integer.compare(other.size, size);
            return bySize == 0 ? ranks.compareTo(other.ranks) : bySize;
        }
    }

    private static Map<String, String> sorted(Map<String, List<Integer>> groups) {
        List<Group> order = new ArrayList<>();
        groups.forEach((label, ranks) -> order.add(new Group(ranks.size(), RankSet.bracketed(ranks), label)));
        Collections.sort(order);
        Map<String, String> rows = new LinkedHashMap<>();
        for (Group g : order) rows.put(g.ranks, g.label);
        return rows;
    }

    private static String absentHosts(Members found) {
        if (found.absentHosts.isEmpty()) return "";
        return "Unknown " + Words.count(found.absentHosts.size(), "host") + ": " + HostList.display(found.absentHosts)
                + "\n";
    }
}
