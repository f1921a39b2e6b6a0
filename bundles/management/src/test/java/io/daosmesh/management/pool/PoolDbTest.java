package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerDroppedMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidTakeMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RebuildSession;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class PoolDbTest {
    private static final UUID POOL = new UUID(3, 3);

    private final PoolDb db = new PoolDb();

    /** One rank of two targets on each node. */
    private static PoolMap nodes(int count) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int i = 0; i < 2 * count; i++)
            targets.add(new PoolTarget(i, i / 2, i % 2, "/n" + i / 2, TargetState.UPIN, false, 1));
        return new PoolMap(POOL, 1, targets);
    }

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.build().toByteArray()));
    }

    private void init(int nodes, String... properties) {
        PoolEntryMessage.Builder e =
                PoolEntryMessage.newBuilder().setPool(Ids.bytes(POOL)).setLabel("tank");
        for (int i = 0; i < properties.length; i += 2) e.putProperties(properties[i], properties[i + 1]);
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder()
                        .setEntry(e)
                        .setMap(nodes(nodes).toWire())));
    }

    private LogReply targets(
            String request, PoolTargetsRequest.Op op, boolean automatic, boolean force, Integer... ranks) {
        TargetsChangeMessage.Builder change = TargetsChangeMessage.newBuilder()
                .setOp(op)
                .setAutomatic(automatic)
                .setForce(force)
                .addAllRanks(List.of(ranks));
        if (op == PoolTargetsRequest.Op.EXTEND)
            for (int rank : ranks)
                for (int i = 0; i < 2; i++)
                    change.addAdded(PoolTargetMessage.newBuilder()
                            .setRank(rank)
                            .setIndex(i)
                            .setFaultDomain("/n" + rank));
        return apply(LogCommand.newBuilder().setRequestId(request).setTargets(change));
    }

    @Test
    void shouldLetGoOfARankThatIsStillBeingFilledWhateverElseIsOut() {
        init(3);
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 1);
        targets("x1", PoolTargetsRequest.Op.EXTEND, false, false, 3);
        assertEquals("v3 up_in,down,up_in,up", states());

        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 3);

        assertEquals("v4 up_in,down,up_in,down", states(), "nobody misses what it has not got");
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 2);
        assertEquals("v4 up_in,down,up_in,down", states(), "a second holder is another matter");
        targets("i1", PoolTargetsRequest.Op.REINTEGRATE, false, false, 1);
        apply(LogCommand.newBuilder().setRebuildDone(5));
        targets("i2", PoolTargetsRequest.Op.REINTEGRATE, false, false, 3);
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 3);
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 2);
        assertEquals("v9 up_in,up_in,down,down", states(), "and it is no failure to be counted");
    }

    @Test
    void shouldNoteTheRanksItIsExtendedByForWhoeverDestroysIt() {
        init(2);
        targets("x1", PoolTargetsRequest.Op.EXTEND, false, false, 5, 3);

        assertEquals(List.of(0, 1, 3, 5), db.entry().getRanksList());
        assertEquals(1, db.entry().getServiceVersion());
        assertTrue(db.map().targets().stream().filter(t -> t.id() >= 4).allMatch(PoolTarget::isBeingAdded));
        assertTrue(db.mayRebuild(false), "a person has asked for it");
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        assertEquals(db.map(), other.map());
        assertEquals(db.entry(), other.entry());
    }

    private String states() {
        return "v" + db.map().version() + " "
                + db.map().targets().stream()
                        .filter(t -> t.index() == 0)
                        .map(t -> t.state().label())
                        .collect(Collectors.joining(","));
    }

    /** Lines {@code command | state after}; set -Dtranscripts.record=true to write them anew. */
    @Test
    void shouldFollowTheTranscriptOfMapOperations() throws IOException {
        String name = "/transcripts/pool-map.txt";
        List<String> lines;
        try (InputStream in = PoolDbTest.class.getResourceAsStream(name)) {
            lines = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
        List<String> now = new ArrayList<>();
        for (String line : lines) {
            String command = line.split("\\|")[0].trim();
            now.add(String.format("%-32s | %s", command, play(command.split(" "))));
        }
        if (Boolean.getBoolean("transcripts.record")) {
            Files.write(Path.of("src/test/resources" + name), now);
        }
        assertEquals(String.join("\n", lines), String.join("\n", now));
    }

    private String play(String[] words) {
        Integer[] ranks = words.length < 3
                ? new Integer[0]
                : List.of(words[2].split(",")).stream().map(Integer::parseInt).toArray(Integer[]::new);
        LogReply r = switch (words[0]) {
            case "init" -> {
                init(Integer.parseInt(words[1]));
                yield LogReply.getDefaultInstance();
            }
            case "rebuilt" -> apply(LogCommand.newBuilder().setRebuildDone(Integer.parseInt(words[1])));
            case "auto" -> targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, ranks);
            case "force" ->
                targets(
                        "",
                        PoolTargetsRequest.Op.valueOf(words[1].toUpperCase(java.util.Locale.ROOT)),
                        false,
                        true,
                        ranks);
            default ->
                targets(
                        words[0],
                        PoolTargetsRequest.Op.valueOf(words[1].toUpperCase(java.util.Locale.ROOT)),
                        false,
                        false,
                        ranks);
        };
        return (r.hasFault() ? Fault.fromWire(r.getFault()).code() + " " : "") + states();
    }

    @Test
    void shouldLeaveTheMapAloneWhenThePoolForbidsAutomaticExclusion() {
        init(3, "self_heal", "rebuild");

        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 1);

        assertEquals(1, db.map().version());
    }

    @Test
    void shouldNameUnknownTargetsAndRanksInsteadOfSayingAlready() {
        init(3);

        for (PoolTargetsRequest.Op op : List.of(
                PoolTargetsRequest.Op.EXCLUDE, PoolTargetsRequest.Op.REINTEGRATE, PoolTargetsRequest.Op.DRAIN)) {
            TargetsChangeMessage.Builder change =
                    TargetsChangeMessage.newBuilder().setOp(op).addRanks(1);
            Fault target = Fault.fromWire(apply(LogCommand.newBuilder()
                            .setTargets(change.addTargetIndexes(0).addTargetIndexes(99)))
                    .getFault());
            Fault rank = Fault.fromWire(apply(LogCommand.newBuilder().setTargets(change.setRanks(0, 42)))
                    .getFault());

            assertEquals(FaultCode.NONEXIST, target.code());
            assertEquals("rank 1 has no target 99 in this pool, only [0, 1]", target.text());
            assertEquals(FaultCode.NONEXIST, rank.code());
            assertEquals("rank 42 has no target in this pool", rank.text());
        }
        assertEquals(1, db.map().version(), "a known target beside an unknown one stays as it is");
    }

    private String setProperty(String key, String value) {
        LogReply r = apply(LogCommand.newBuilder()
                .setPoolProperties(PropertiesRequest.newBuilder().putSet(key, value)));
        return r.hasFault() ? Fault.fromWire(r.getFault()).code().name() : "done";
    }

    @Test
    void shouldRebuildAutomaticExclusionsAsThePolicySaysAndManualOnesAlways() {
        init(4, "rd_fac", "2");
        assertTrue(db.mayRebuild(false), "nothing to rebuild");

        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 1);
        assertTrue(db.mayRebuild(true));
        assertFalse(db.mayRebuild(false), "the system forbids it");
        setProperty("self_heal", "exclude;delay_rebuild");
        assertFalse(db.mayRebuild(true), "the pool delays it");
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 2);
        assertFalse(db.mayRebuild(true), "the next one is delayed as well");
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        assertFalse(other.mayRebuild(true));

        targets("m1", PoolTargetsRequest.Op.REINTEGRATE, false, false, 1);
        assertTrue(db.mayRebuild(false), "both go with what a person asked for");
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 1);
        assertTrue(db.mayRebuild(false), "which is still to be done");
        apply(LogCommand.newBuilder().setRebuildDone(db.map().version()));
        targets("", PoolTargetsRequest.Op.EXCLUDE, true, false, 3);
        assertFalse(db.mayRebuild(true));
    }

    @Test
    void shouldSetOnlyPropertiesThatSomethingObeys() {
        init(3, "self_heal", "rebuild,exclude", "rf", "1");

        assertEquals(
                Map.of(
                        "label",
                        "tank",
                        "self_heal",
                        "exclude;rebuild",
                        "rd_fac",
                        "1",
                        "data_thresh",
                        "4096",
                        "svc_rf",
                        "0",
                        "space_rb",
                        "0%",
                        "rebuild_rate",
                        "0",
                        "scrub",
                        "off",
                        "scrub_freq",
                        "604800",
                        "scrub_thresh",
                        "0"),
                db.properties());
        assertEquals(0, db.propertiesMessage().getVersion());
        assertEquals("done", setProperty("space_rb", "20%"));
        assertEquals("20%", db.properties().get("space_rb"));
        assertEquals("20", db.propertiesMessage().getValuesOrThrow("space_rb"), "what servers are told");
        assertEquals(1, db.propertiesMessage().getVersion());
        for (String odd : List.of("101", "-1", "5%%", "%", "", "half"))
            assertEquals("INVAL", setProperty("space_rb", odd), odd);
        assertEquals("done", setProperty("rebuild_rate", "50"));
        assertEquals("50", db.propertiesMessage().getValuesOrThrow("rebuild_rate"));
        for (String odd : List.of("100001", "-1", "fast", "1.5"))
            assertEquals("INVAL", setProperty("rebuild_rate", odd), odd);
        assertEquals("done", setProperty("rd_fac", "2"));
        assertEquals(2, db.rdFac());
        assertEquals("INVAL", setProperty("rd_fac", "9"));
        assertEquals("INVAL", setProperty("self_heal", "rebuild;delay_rebuild"));
        assertEquals("INVAL", setProperty("self_heal", "manual"));
        assertEquals("INVAL", setProperty("label", "other"));
        assertEquals("INVAL", setProperty("frobnicate", "1"));
        assertEquals("NOSYS", setProperty("reclaim", "time"));
        assertEquals("done", setProperty("reclaim", "lazy"));
        assertEquals("exclude;rebuild", db.properties().get("self_heal"));
    }

    @Test
    void shouldTakeWhatTheScrubberShallDo() {
        init(3);

        for (String mode : List.of("lazy", "timed", "off", "timed")) assertEquals("done", setProperty("scrub", mode));
        assertEquals("done", setProperty("scrub_freq", "31449600"));
        assertEquals("done", setProperty("scrub_thresh", "3"));
        for (String odd : List.of("", "on", "TIMED", "lazy,timed")) assertEquals("INVAL", setProperty("scrub", odd));
        for (String odd : List.of("0", "-1", "31449601", "1.5", "1s", ""))
            assertEquals("INVAL", setProperty("scrub_freq", odd));
        for (String odd : List.of("-1", "2147483648", "many")) assertEquals("INVAL", setProperty("scrub_thresh", odd));

        assertEquals("timed", db.properties().get("scrub"));
        assertEquals("31449600", db.properties().get("scrub_freq"));
        assertEquals("3", db.properties().get("scrub_thresh"));
    }

    @Test
    void shouldFollowTheSystemOnceAndThenItsOwnWord() {
        init(3, "scrub", "lazy");
        Map<String, String> system = Map.of("pool_scrub_mode", "timed", "self_heal", "none");
        assertEquals(Map.of(), db.news(Map.of("self_heal", "none")), "nothing is said to pools");
        assertEquals(Map.of("scrub", "timed"), db.news(system));

        apply(LogCommand.newBuilder()
                .setPoolProperties(
                        PropertiesRequest.newBuilder().putSet("scrub", "timed").putFollowed("scrub", "timed")));
        assertEquals("timed", db.properties().get("scrub"));
        assertEquals(Map.of(), db.news(system));
        assertEquals("done", setProperty("scrub", "off"));
        assertEquals(Map.of(), db.news(system), "the later word counts");
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        assertEquals(Map.of(), other.news(system));
        assertEquals(
                Map.of("scrub", "off", "scrub_thresh", "2"),
                other.news(Map.of("pool_scrub_mode", "off", "pool_scrub_thresh", "2")));
    }

    @Test
    void shouldGuardTheLastDomainAndTheRedundancyFactor() {
        PoolMap three = nodes(3);
        PoolMap oneDown = three.withStates(Set.of(0, 1), TargetState.DOWN);

        assertTrue(Redundancy.mayExclude(three, Set.of(0), 1));
        assertFalse(Redundancy.mayExclude(three, Set.of(0), 0), "single copies");
        assertFalse(Redundancy.mayExclude(oneDown, Set.of(2), 1), "a second domain at once");
        assertTrue(Redundancy.mayExclude(oneDown, Set.of(2), 2));
        assertFalse(Redundancy.mayExclude(oneDown, Set.of(2, 4), 4), "nobody would be left");
        assertTrue(Redundancy.mayExclude(oneDown.afterRebuild(), Set.of(2), 1), "the first is protected again");
        assertTrue(Redundancy.mayExclude(nodes(1), Set.of(0), 1), "one domain: each target for itself");
        assertFalse(Redundancy.mayExclude(nodes(1), Set.of(0, 1), 4));
    }

    @Test
    void shouldCreateContainerOnceWhenTheRequestIsResent() {
        init(3);
        LogCommand.Builder create = LogCommand.newBuilder()
                .setRequestId("k1")
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(1, 1)))
                        .setLabel("c1"));

        LogReply first = apply(create);
        LogReply resent = apply(create);

        assertEquals(first, resent);
        assertEquals(1, db.containers().size());
        LogReply other = apply(create.clone().setRequestId("k2"));
        assertEquals(FaultCode.EXIST, Fault.fromWire(other.getFault()).code());
    }

    @Test
    void shouldWantAsManyCopiesAsTheMostDemandingContainer() {
        init(3);
        assertEquals(1, db.copiesWanted());

        createContainer("one", ContainerMessage.newBuilder().setObjectClass("S1"));
        createContainer("three", ContainerMessage.newBuilder().setObjectClass("RP_3GX"));
        createContainer("two", ContainerMessage.newBuilder().setRdFac(1));

        assertEquals(3, db.copiesWanted());
    }

    private void createContainer(String label, ContainerMessage.Builder container) {
        LogReply reply = apply(LogCommand.newBuilder()
                .setContainerCreate(container.setLabel(label).setUuid(Ids.bytes(new UUID(1, label.hashCode())))));
        assertFalse(reply.hasFault(), reply.toString());
    }

    @Test
    void shouldNeverHandOutAnObjectIdTwice() throws IOException {
        init(3);
        UUID c = new UUID(1, 1);
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder().setUuid(Ids.bytes(c))));
        LogCommand.Builder take = LogCommand.newBuilder()
                .setOidTake(
                        OidTakeMessage.newBuilder().setContainer(Ids.bytes(c)).setCount(100));

        long first = OidRangeReply.parseFrom(apply(take).getBody()).getFirst();
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        long second = OidRangeReply.parseFrom(
                        Replies.parse(other.apply(take.build().toByteArray())).getBody())
                .getFirst();

        assertEquals(1, first);
        assertEquals(101, second);
        assertEquals(
                FaultCode.INVAL,
                Fault.fromWire(apply(LogCommand.newBuilder()
                                        .setOidTake(OidTakeMessage.newBuilder()
                                                .setContainer(Ids.bytes(c))
                                                .setCount(Containers.OID_RANGE_MAX + 1)))
                                .getFault())
                        .code());
    }

    @Test
    void shouldKeepDoomedContainerUntilItIsGone() {
        init(3);
        UUID c = new UUID(1, 1);
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder().setUuid(Ids.bytes(c))));

        apply(LogCommand.newBuilder().setContainerDestroy(Ids.bytes(c)));
        assertTrue(db.containers().isEmpty());
        assertEquals(List.of(c), db.doomedContainers());
        apply(dropped(c, 0, 2));
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        assertEquals(Map.of(c, Set.of(1)), other.heldContainers());
        apply(dropped(c, 1));

        assertTrue(db.doomedContainers().isEmpty());
    }

    private static LogCommand.Builder dropped(UUID container, Integer... ranks) {
        return LogCommand.newBuilder()
                .setContainerDropped(ContainerDroppedMessage.newBuilder()
                        .setContainer(Ids.bytes(container))
                        .addAllRanks(List.of(ranks)));
    }

    @Test
    void shouldForgetTheOldestDestroyedContainerWhenTooManyWait() {
        init(3);
        for (int i = 0; i <= Containers.DOOMED_MAX; i++) {
            UUID c = new UUID(1, i);
            apply(LogCommand.newBuilder()
                    .setContainerCreate(ContainerMessage.newBuilder().setUuid(Ids.bytes(c))));
            apply(LogCommand.newBuilder().setContainerDestroy(Ids.bytes(c)));
        }

        assertEquals(Containers.DOOMED_MAX, db.doomedContainers().size());
        assertFalse(db.doomedContainers().contains(new UUID(1, 0)));
    }

    @Test
    void shouldCountGenerationsOnAfterSnapshotAndRestore() throws IOException {
        init(3);
        apply(LogCommand.newBuilder().setNextGeneration(true));
        PoolDb other = new PoolDb();

        other.restore(db.snapshot());

        assertArrayEquals(db.snapshot(), other.snapshot());
        LogReply r = Replies.parse(other.apply(
                LogCommand.newBuilder().setNextGeneration(true).build().toByteArray()));
        assertEquals(2, RebuildSession.parseFrom(r.getBody()).getGeneration());
    }
}
