package io.daosmesh.admin.view;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.RankPools;
import io.daosmesh.admin.UpkeepCalls;
import io.daosmesh.admin.machine.MachineSamples;
import io.daosmesh.admin.machine.NetworkView;
import io.daosmesh.admin.view.upkeep.UpkeepView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.PoolTargetSpaceMessage;
import io.daosmesh.model.wire.PoolUpgradeReply;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.StorageUsageReply;
import io.daosmesh.model.wire.SystemEraseReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Every layout an administrator reads or a program parses. */
class ViewsTest {
    private static final SystemView.Members NONE =
            new SystemView.Members("daos_server", 1, List.of(), List.of(), List.of());

    @Test
    void shouldKeepTheLayoutsOfSystemCommands() throws IOException {
        Golden.check("system-query.txt", SystemView.query(Samples.members()));
        Golden.check("system-query-verbose.txt", SystemView.queryVerbose(Samples.members()));
        Golden.check(
                "system-query-certificates.txt",
                SystemView.queryVerbose(Samples.members()
                        .with(Map.of(
                                "10.7.0.3:10001",
                                NodeStatusReply.newBuilder()
                                        .setRelease("0.1.1")
                                        .setCertificateExpiresS(1_900_000_000L)
                                        .build()))));
        Golden.check("system-stop.txt", SystemView.results(results(), List.of(9, 10)));
        Golden.check("leader-query.txt", SystemView.leader(leader()));
        assertEquals("Query matches no ranks in system\n", SystemView.query(NONE));
        assertEquals("No results returned\n", SystemView.results(List.of(), List.of()));
        assertEquals("Unresponsive Replicas: 10.7.0.5:10001\n", SystemView.downReplicas(leader()));
    }

    @Test
    void shouldKeepTheLayoutsOfStorageCommands() throws IOException {
        Golden.check("host-errors.txt", HostBlocks.errors(Samples.scan()));
        Golden.check("storage-scan.txt", StorageView.scan(Samples.scan()));
        Golden.check("storage-scan-verbose.txt", StorageView.scanVerbose(Samples.scan()));
        Golden.check("storage-scan-health.txt", StorageView.scanHealth(Samples.scan()));
        Golden.check("storage-scan-meta.txt", StorageView.scanMeta(Samples.scan()));
        Golden.check("storage-format.txt", StorageView.format(Samples.format()));
        Golden.check("storage-format-verbose.txt", StorageView.formatVerbose(Samples.format()));
        Golden.check("storage-query-usage.txt", StorageView.usage(Samples.usage()));
        assertEquals(1, StorageView.formatFailures(Samples.format()).size());
    }

    /** The seeds: only what is formatted and assigned to a running rank, which is what can host pools. */
    @Test
    void shouldCountOnlyWhatCanHoldPools() {
        StorageUsageReply empty = StorageUsageReply.newBuilder()
                .addScm(Samples.scm(0).toBuilder().setRank(-1))
                .addNvme(Samples.device(1, "NEW", List.of()))
                .build();
        HostReplies<StorageUsageReply> all = new HostReplies<>(Map.of("wolf-71:10001", empty), Map.of());

        String row = StorageView.usage(all).lines().toList().get(2);

        assertEquals("wolf-71 0 B 0 B 0 % 0 B 0 B 0 %", row.trim().replaceAll(" +", " "));
        assertTrue(StorageView.usage(all).contains("Not counted on wolf-71: 1 NEW (3.2 TB)"));
        assertTrue(Json.success(StorageView.usageJson(all)).contains("\"nvme_total\": 0"));
    }

    @Test
    void shouldKeepTheLayoutsOfDeviceCommands() throws IOException {
        Golden.check("list-devices.txt", DeviceView.list(Samples.devices(), false));
        Golden.check("list-devices-health.txt", DeviceView.list(Samples.devices(), true));
        Golden.check("set-nvme-faulty.txt", DeviceView.changed(Samples.devices()));
        Golden.check("led.txt", DeviceView.lights(Samples.devices()));
        Golden.check("list-pools.txt", DeviceView.pools(Samples.smdPools(), false));
        Golden.check("list-pools-verbose.txt", DeviceView.pools(Samples.smdPools(), true));
        Golden.check("network-scan.txt", NetworkView.text(MachineSamples.replies()));
        Golden.check("drivers.txt", DeviceView.drivers(Samples.drivers()));
    }

    @Test
    void shouldKeepTheLayoutsOfPoolCommands() throws IOException {
        Golden.check("pool-create.txt", PoolView.created(Samples.created()));
        Golden.check("pool-list.txt", PoolView.list(rows()));
        Golden.check("pool-list-verbose.txt", PoolView.listVerbose(rows()));
        Golden.check("pool-list-errors.txt", PoolView.listErrors(rows()));
        Golden.check("pool-query.txt", PoolView.query(Samples.poolQuery(1, "tank"), true));
        assertEquals("no pools in system\n", PoolView.list(List.of()));
        Golden.check("pool-query-targets.txt", TargetView.text(targets()));
        Golden.check("system-drain.txt", TargetView.results(drained()));
        Golden.check("system-rebuild-stop.txt", UpkeepView.rebuild("stop", upkeep(), true));
        Golden.check("system-rebuild-start.txt", UpkeepView.rebuild("start", upkeep().subList(0, 2), false));
        Golden.check("system-cleanup.txt", UpkeepView.cleanup(upkeep(), true));
        Golden.check("pool-get-acl.txt", AclView.text(acl(), false));
        Golden.check("pool-get-acl-verbose.txt", AclView.text(acl(), true));
        assertEquals("# Entries:\n#   None\n", AclView.text(AclReply.getDefaultInstance(), true));
    }

    private static List<TargetView.Target> targets() {
        PoolTargetSpaceMessage space = PoolTargetSpaceMessage.newBuilder()
                .setRank(2)
                .setIndex(1)
                .setScmTotal(6_000_000_000L)
                .setScmFree(5_000_000_000L)
                .setNvmeTotal(100_000_000_000L)
                .setNvmeFree(99_000_000_000L)
                .build();
        return TargetView.of(
                Samples.poolQuery(1, "tank").toBuilder().addTargets(space).build(), 2, List.of());
    }

    private static List<UpkeepCalls.OfPool> upkeep() {
        return List.of(
                new UpkeepCalls.OfPool("tank", 3, Optional.empty()),
                new UpkeepCalls.OfPool("vat", 0, Optional.empty()),
                new UpkeepCalls.OfPool("well", 0, Optional.of(Fault.of(FaultCode.TIMEDOUT))));
    }

    private static List<RankPools.Result> drained() {
        return List.of(
                new RankPools.Result("tank", Set.of(2, 3), Optional.empty()),
                new RankPools.Result(
                        "vat", Set.of(2), Optional.of(Fault.of(FaultCode.BUSY, "the pool is being extended"))),
                new RankPools.Result("well", Set.of(), Optional.of(Fault.of(FaultCode.TIMEDOUT))));
    }

    @Test
    void shouldRefuseTargetsThatThePoolHasNot() {
        PoolQueryReply reply = Samples.poolQuery(1, "tank");

        assertThrows(FaultException.class, () -> TargetView.of(reply, 4, List.of()));
        assertThrows(FaultException.class, () -> TargetView.of(reply, 0, List.of(2)));
        assertEquals(1, TargetView.of(reply, 0, List.of(1)).size());
    }

    private static AclReply acl() {
        return AclReply.newBuilder()
                .setOwner("ada@")
                .setGroup("labs@")
                .addEntries("A::OWNER@:rw")
                .addEntries("A::bob@:")
                .addEntries("A:G:GROUP@:rw")
                .addEntries("A:G:ops@:rcdt")
                .build();
    }

    @Test
    void shouldCallDataDegradedThatHasNoDomainForItsLastCopy() {
        PoolQueryReply three = Samples.poolQuery(1, "tank").toBuilder()
                .setCopiesWanted(3)
                .clearDeadRanks()
                .clearUnhealthyContainers()
                .clearUnhealthyContainerCount()
                .clearUnreadableRecords()
                .clearUnreadableObjects()
                .build();
        PoolMapMessage.Builder map = three.getMap().toBuilder();
        for (PoolTargetMessage.Builder t : map.getTargetsBuilderList())
            if (t.getRank() == 3) t.setState(PoolTargetMessage.State.DOWNOUT);
        PoolQueryReply moved = three.toBuilder().setMap(map).build();
        for (PoolTargetMessage.Builder t : map.getTargetsBuilderList())
            if (t.getRank() == 2) t.setState(PoolTargetMessage.State.DOWNOUT);
        PoolQueryReply left = three.toBuilder().setMap(map).build();

        String enough = PoolView.query(moved, false);
        String tooFew = PoolView.query(left, false);

        assertTrue(enough.contains("- Data redundancy: normal\nPool space info:"), enough);
        assertTrue(
                tooFew.contains(
                        "- Data redundancy: degraded\n- Too few fault domains: 2 serve, objects want 3 copies\n"),
                tooFew);
    }

    @Test
    void shouldKeepTheLayoutsOfMetrics() throws IOException {
        List<MetricsView.MetricSet> sets = MetricsView.parse(page());
        Golden.check("metrics-list.txt", MetricsView.list(sets));
        Golden.check("metrics-query.txt", MetricsView.query(sets));
        assertEquals("No metrics found\n", MetricsView.list(List.of()));
    }

    @Test
    void shouldShowPropertiesByKey() {
        Map<String, String> values = Map.of("label", "tank", "rd_fac", "1", "self_heal", "exclude;rebuild");

        assertEquals(
                "Name                            Value           \n"
                        + "----                            -----           \n"
                        + "Pool label (label)              tank            \n"
                        + "Pool redundancy factor (rd_fac) 1               \n"
                        + "Self-healing policy (self_heal) exclude;rebuild \n",
                PropertyView.ofPool(values, List.of()).text());
        FaultException e = assertThrows(FaultException.class, () -> PropertyView.ofPool(values, List.of("x")));
        assertEquals("unknown property \"x\"", e.fault().text());
    }

    @Test
    void shouldKeepTheJsonOfEveryCommand() throws IOException {
        for (Map.Entry<String, Object> answer : answers().entrySet()) {
            Golden.check(answer.getKey() + ".json", Json.success(answer.getValue()));
        }
        Golden.check("failure.json", Json.failure(null, Fault.of(FaultCode.NONEXIST, "pool 'tank' does not exist")));
        Golden.check("wrong-usage.json", Json.failure("unknown flag `x'"));
    }

    /** docs/json.md lists every field; write it anew with -Dgolden.record=true. */
    @Test
    void shouldListEveryFieldInTheDocumentation() throws IOException {
        StringBuilder table = new StringBuilder();
        answers().forEach((command, response) -> {
            TreeSet<String> fields = new TreeSet<>();
            collect("", response, fields);
            table.append("\n### ").append(command.replace('-', ' ')).append("\n\n");
            fields.forEach(f -> table.append("- `").append(f).append("`\n"));
        });
        Path file = Path.of("../../docs/json.md");
        String begin = "<!-- fields: checked by ViewsTest -->\n";
        String text = Files.readString(file);
        int cut = text.indexOf(begin) + begin.length();
        if (Boolean.getBoolean("golden.record")) Files.writeString(file, text.substring(0, cut) + table);
        assertEquals(table.toString(), Files.readString(file).substring(cut));
    }

    private static void collect(String path, Object value, TreeSet<String> fields) {
        if (value instanceof Map<?, ?> map) {
            if (path.endsWith("labels") || path.endsWith("properties") || path.endsWith("fields")) {
                fields.add(path + ".*");
                return;
            }
            map.forEach((key, child) -> {
                String deeper = path.isEmpty() ? key.toString() : path + "." + key;
                if (!(child instanceof Map || child instanceof List)) fields.add(deeper);
                collect(deeper, child, fields);
            });
        } else if (value instanceof List<?> list) {
            if (list.stream().noneMatch(i -> i instanceof Map)) fields.add(path + "[]");
            list.forEach(i -> collect(path + "[]", i, fields));
        }
    }

    private static Map<String, Object> answers() {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("system-query", SystemView.queryJson(Samples.members()));
        all.put("system-stop", SystemView.resultsJson(results()));
        all.put("system-leader-query", SystemView.leaderJson(leader()));
        all.put(
                "system-get-prop",
                PropertyView.ofSystem(Map.of("daos_system", "daos_server", "self_heal", "exclude"), List.of())
                        .json());
        all.put("system-events", Json.object("events", List.of(SystemView.eventJson(event()))));
        all.put("storage-scan", StorageView.scanJson(Samples.scan()));
        all.put("storage-format", StorageView.formatJson(Samples.format()));
        all.put("storage-query-usage", StorageView.usageJson(Samples.usage()));
        all.put("storage-query-list-devices", DeviceView.listJson(Samples.devices()));
        all.put("storage-query-list-pools", DeviceView.poolsJson(Samples.smdPools()));
        all.put("drivers", DeviceView.driversJson(Samples.drivers()));
        all.put("network-scan", NetworkView.json(MachineSamples.replies()));
        all.put("pool-create", PoolView.createdJson(Samples.created(), "tank"));
        all.put("pool-list", PoolView.listJson(rows()));
        all.put("pool-query", PoolView.queryJson(Samples.poolQuery(1, "tank")));
        all.put(
                "pool-get-prop",
                PropertyView.ofPool(Map.of("label", "tank", "rd_fac", "1", "self_heal", "none"), List.of("rd_fac"))
                        .json());
        all.put("pool-query-targets", TargetView.json(targets()));
        all.put("system-drain", TargetView.resultsJson(drained()));
        all.put("system-rebuild", UpkeepView.rebuildJson("stop", upkeep()));
        all.put(
                "system-erase",
                UpkeepView.erasedJson(SystemEraseReply.newBuilder()
                        .addNodes("st01:10001")
                        .addAbsentNodes("st02:10001")
                        .build()));
        all.put(
                "pool-upgrade",
                UpkeepView.upgradeJson(
                        PoolUpgradeReply.newBuilder().setLayout(1).setNewest(1).build()));
        all.put("system-cleanup", UpkeepView.cleanupJson("cn07", upkeep()));
        all.put(
                "system-get-attr",
                PropertyView.attributes(Map.of("site", "north"), List.of()).json());
        all.put("pool-get-acl", AclView.json(acl()));
        all.put("telemetry-metrics-list", MetricsView.listJson(MetricsView.parse(page())));
        all.put("telemetry-metrics-query", MetricsView.queryJson(MetricsView.parse(page())));
        return all;
    }

    private static List<PoolView.Row> rows() {
        List<PoolView.Row> rows = new ArrayList<>();
        rows.add(new PoolView.Row(
                Samples.entry(1, "tank", 1), Optional.of(Samples.poolQuery(1, "tank")), Optional.empty()));
        rows.add(new PoolView.Row(
                Samples.entry(2, "", 1), Optional.empty(), Optional.of(Fault.of(FaultCode.UNINIT, "not yet"))));
        rows.add(new PoolView.Row(Samples.entry(3, "new", 0), Optional.empty(), Optional.empty()));
        return rows;
    }

    private static List<RankResultMessage> results() {
        List<RankResultMessage> all = new ArrayList<>();
        for (int rank : List.of(0, 1, 2, 3, 6)) {
            all.add(RankResultMessage.newBuilder()
                    .setRank(rank)
                    .setAction("stop")
                    .setStateValue(6)
                    .build());
        }
        all.add(RankResultMessage.newBuilder()
                .setRank(4)
                .setAction("stop")
                .setErrored(true)
                .setMessage("want Stopped, got Joined")
                .build());
        return all;
    }

    private static LeaderQueryReply leader() {
        return LeaderQueryReply.newBuilder()
                .setLeader("10.7.0.3:10001")
                .addReplicas("10.7.0.3:10001")
                .addReplicas("10.7.0.4:10001")
                .addReplicas("10.7.0.5:10001")
                .addDownReplicas("10.7.0.5:10001")
                .build();
    }

    private static RasEventMessage event() {
        return RasEventMessage.newBuilder()
                .setId("swim_rank_dead")
                .setSeverityValue(2)
                .setTimestampUs(1_637_501_551_747_408L)
                .setHost("wolf-112")
                .setMessage("SWIM marked rank as dead.")
                .putFields("rank", "6")
                .setSequence(7)
                .build();
    }

    private static String page() {
        return """
            # HELP engine_rank Rank of the engine
            # TYPE engine_rank gauge
            engine_rank{rank="0"} 0.0
            # HELP engine_pool_ops Operations
            # TYPE engine_pool_ops counter
            engine_pool_ops{pool="a b",rank="0"} 12.0
            engine_pool_ops{pool="c\\"d",rank="0"} 1.5E7
            # HELP http_seconds Time
            # TYPE http_seconds summary
            http_seconds{quantile="0.5",} 0.25
            http_seconds_count 4.0
            http_seconds_sum 1.0
            # TYPE hist histogram
            hist_bucket{le="+Inf",} 3.0
            hist_count 3.0
            hist_sum 2.0
            lonely 1
            """;
    }
}
