package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Outcomes;
import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.MemberChangeMessage;
import io.daosmesh.model.wire.MemberChangesMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolOutcomeMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.PropertyMessage;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SystemDbTest {
    private static final UUID E0 = new UUID(0, 1);

    private final SystemDb db = new SystemDb("sys");
    private long hlc = 100;

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.setHlc(hlc++).build().toByteArray()));
    }

    private LogReply join(UUID uuid, int wanted, long incarnation) {
        return apply(LogCommand.newBuilder()
                .setJoin(JoinRequest.newBuilder()
                        .setSystem("sys")
                        .setUuid(Ids.bytes(uuid))
                        .setWantedRank(wanted)
                        .setAddress("h:1")
                        .setFaultDomain("/h")
                        .setIncarnation(incarnation)
                        .setTargetCount(2)));
    }

    private JoinRequest.Builder replacing(UUID uuid) {
        return JoinRequest.newBuilder()
                .setSystem("sys")
                .setUuid(Ids.bytes(uuid))
                .setWantedRank(-1)
                .setAddress("h:1")
                .setFaultDomain("/h")
                .setIncarnation(50)
                .setTargetCount(2)
                .setReplace(true);
    }

    private FaultCode refused(JoinRequest.Builder r) {
        return code(apply(LogCommand.newBuilder().setJoin(r)));
    }

    @Test
    void shouldGiveTheRankOfALostEngineToTheOneInItsPlace() {
        join(E0, -1, 10);
        move(0, MemberState.EXCLUDED, 0, false);
        UUID next = new UUID(0, 9);

        apply(LogCommand.newBuilder().setJoin(replacing(next)));
        int version = db.mapVersion();
        apply(LogCommand.newBuilder().setJoin(replacing(next)));

        assertEquals(version, db.mapVersion(), "a repeated join changes nothing");
        assertEquals(1, db.groupMap().members().size());
        assertEquals(next, db.groupMap().member(0).orElseThrow().uuid());
        assertEquals(MemberState.JOINED, db.groupMap().member(0).orElseThrow().state());
        assertEquals(FaultCode.ID_MISMATCH, code(join(E0, 0, 60)), "the lost one, found again");
    }

    @Test
    void shouldRefuseAnEngineThatCannotTakeThePlaceOfAnother() {
        join(E0, -1, 10);
        UUID next = new UUID(0, 9);

        assertEquals(FaultCode.NONEXIST, refused(replacing(next).setAddress("h:2")));
        assertEquals(FaultCode.NONEXIST, refused(replacing(next).setFaultDomain("/g")));
        assertEquals(FaultCode.NONEXIST, refused(replacing(next).setEngineIndex(1)));
        assertEquals(FaultCode.MISMATCH, refused(replacing(next).setTargetCount(4)));
        assertEquals(FaultCode.INVAL, refused(replacing(next).setWantedRank(0)));
        move(0, MemberState.EXCLUDED, 0, false);
        move(0, MemberState.ADMIN_EXCLUDED, 0, false);
        assertEquals(FaultCode.EXCLUDED, refused(replacing(next)));
    }

    private LogReply move(int rank, MemberState to, long incarnation, boolean ifInGroup) {
        return apply(LogCommand.newBuilder()
                .setMembers(MemberChangesMessage.newBuilder()
                        .addChanges(MemberChangeMessage.newBuilder()
                                .setRank(rank)
                                .setState(to.toWire())
                                .setIncarnation(incarnation)
                                .setIfInGroup(ifInGroup))));
    }

    private MemberState state() {
        return db.groupMap().member(0).orElseThrow().state();
    }

    private static FaultCode code(LogReply r) {
        return Fault.fromWire(r.getFault()).code();
    }

    @Test
    void shouldKeepRankWhenEngineJoinsAgainWithNewerIncarnation() {
        join(E0, -1, 10);
        join(new UUID(0, 2), -1, 11);
        int version = db.mapVersion();

        LogReply lostAnswer = join(E0, -1, 10);
        assertTrue(!lostAnswer.hasFault());
        assertEquals(version, db.mapVersion(), "a repeated join changes nothing");
        join(E0, 0, 20);

        assertEquals(version + 1, db.mapVersion());
        assertEquals(20, db.groupMap().member(0).orElseThrow().incarnation());
        assertEquals(2, db.groupMap().members().size());
    }

    @Test
    void shouldRefuseJoinWhenIdentityDoesNotFit() {
        join(E0, -1, 10);

        assertEquals(FaultCode.ID_MISMATCH, code(join(E0, 3, 20)));
        assertEquals(FaultCode.ID_MISMATCH, code(join(new UUID(0, 9), 7, 20)));
        assertEquals(FaultCode.STALE, code(join(E0, 0, 5)));
        assertEquals(
                FaultCode.MISMATCH,
                code(apply(LogCommand.newBuilder()
                        .setJoin(JoinRequest.newBuilder().setSystem("other").setUuid(Ids.bytes(E0))))));
        move(0, MemberState.ADMIN_EXCLUDED, 0, false);
        assertEquals(FaultCode.EXCLUDED, code(join(E0, 0, 30)));
        move(0, MemberState.EXCLUDED, 0, false);
        join(E0, 0, 30);
        assertEquals(MemberState.JOINED, state());
    }

    @Test
    void shouldIgnoreDeathWhenItSpeaksOfAnOlderLifeOrAPlannedStop() {
        join(E0, -1, 10);
        join(E0, 0, 20);

        move(0, MemberState.EXCLUDED, 10, true);
        assertEquals(MemberState.JOINED, state());
        move(0, MemberState.STOPPING, 0, false);
        move(0, MemberState.EXCLUDED, 20, true);
        assertEquals(MemberState.STOPPING, state());
        join(E0, 0, 30);
        move(0, MemberState.EXCLUDED, 30, true);
        assertEquals(MemberState.EXCLUDED, state());
    }

    @ParameterizedTest
    @EnumSource(MemberState.class)
    void shouldMoveMemberOnlyWhereTheTableAllows(MemberState to) {
        join(E0, -1, 10);
        int version = db.mapVersion();

        move(0, to, 0, false);

        boolean moves = MemberState.JOINED.mayBecome(to) && to != MemberState.JOINED;
        assertEquals(moves ? to : MemberState.JOINED, state());
        assertEquals(moves ? version + 1 : version, db.mapVersion());
    }

    private static PoolEntryMessage pool(int n, String label, String request) {
        return PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(new UUID(7, n)))
                .setLabel(label)
                .setRequestId(request)
                .build();
    }

    @Test
    void shouldLearnFromThePoolWhichRanksHaveAPartOfIt() {
        begin(1, "tank", "r1");
        PoolServiceRanksMessage news = PoolServiceRanksMessage.newBuilder()
                .setPool(Ids.bytes(new UUID(7, 1)))
                .addRanks(2)
                .addAllPoolRanks(List.of(0, 1, 2))
                .setVersion(1)
                .build();
        apply(LogCommand.newBuilder().setPoolServiceRanks(news));
        assertEquals(List.of(0, 1, 2), db.pool("tank").orElseThrow().getRanksList());

        // of a release that does not tell them
        apply(LogCommand.newBuilder()
                .setPoolServiceRanks(news.toBuilder().clearPoolRanks().setVersion(2)));

        assertEquals(List.of(0, 1, 2), db.pool("tank").orElseThrow().getRanksList());
    }

    private LogReply begin(int n, String label, String request) {
        return apply(LogCommand.newBuilder().setPoolBegin(pool(n, label, request)));
    }

    @Test
    void shouldAnswerResentCreateWithItsFirstOutcome() {
        begin(1, "tank", "r1");
        assertEquals(FaultCode.AGAIN, code(begin(2, "tank", "r1")), "still under way");
        apply(LogCommand.newBuilder()
                .setPoolReady(PoolOutcomeMessage.newBuilder()
                        .setPool(Ids.bytes(new UUID(7, 1)))
                        .setRequestId("r1")
                        .setReply(com.google.protobuf.ByteString.copyFromUtf8("made"))));

        LogReply again = begin(3, "tank", "r1");

        assertTrue(again.getFinished());
        assertEquals("made", again.getBody().toStringUtf8());
        assertEquals(1, db.pools().size());
        assertEquals(FaultCode.EXIST, code(begin(4, "tank", "r2")));
        assertEquals(PoolEntryMessage.State.READY, db.pool("tank").orElseThrow().getState());
    }

    @Test
    void shouldMakePoolAfterAllWhenItsCreateWasUndoneWithoutOutcome() {
        begin(1, "tank", "r1");
        apply(LogCommand.newBuilder()
                .setPoolRemoved(PoolOutcomeMessage.newBuilder().setPool(Ids.bytes(new UUID(7, 1)))));

        LogReply again = begin(2, "tank", "r1");

        assertTrue(!again.hasFault() && !again.getFinished());
    }

    @Test
    void shouldKeepTheOutcomeOfBothDestroysWhenTheSecondFinishesTheFirst() {
        begin(1, "tank", "r1");
        PoolOutcomeMessage.Builder pool = PoolOutcomeMessage.newBuilder().setPool(Ids.bytes(new UUID(7, 1)));
        apply(LogCommand.newBuilder().setPoolReady(pool.clone().setRequestId("r1")));

        apply(LogCommand.newBuilder().setPoolDestroying(pool.clone().setRequestId("d1")));
        apply(LogCommand.newBuilder().setPoolDestroying(pool.clone().setRequestId("d2")));
        apply(LogCommand.newBuilder().setPoolRemoved(pool.clone().setRequestId("d2")));

        assertTrue(db.pools().isEmpty());
        assertTrue(db.outcome("d1").isPresent());
        assertTrue(db.outcome("d2").isPresent());
    }

    @Test
    void shouldBeTheSameAfterSnapshotAndRestore() {
        join(E0, -1, 10);
        begin(1, "tank", "r1");
        apply(LogCommand.newBuilder()
                .setProperty(PropertyMessage.newBuilder().setKey("self_heal").setValue("none")));
        SystemDb other = new SystemDb("sys");

        other.restore(db.snapshot());

        assertArrayEquals(db.snapshot(), other.snapshot());
        assertEquals(db.groupMap(), other.groupMap());
    }

    @Test
    void shouldKeepAttributesOrRefuseThemAsAWhole() {
        AttributesRequest.Builder set = AttributesRequest.newBuilder().setOp(AttributesRequest.Op.SET);
        apply(LogCommand.newBuilder()
                .setSystemAttributes(set.putSet("site", "north").putSet("b", "1")));
        SystemDb other = new SystemDb("sys");

        other.restore(db.snapshot());

        assertEquals(Map.of("site", "north", "b", "1"), other.attributes());
        assertEquals(FaultCode.INVAL, attributes(set.clone().putSet("c", "x".repeat(256))));
        assertEquals(FaultCode.INVAL, attributes(AttributesRequest.newBuilder().setOpValue(2)));
        AttributesRequest.Builder remove =
                AttributesRequest.newBuilder().setOpValue(2).addRemove("b");
        assertEquals(FaultCode.NONEXIST, attributes(remove.clone().addRemove("c")));
        AttributesRequest.Builder many = AttributesRequest.newBuilder().setOp(AttributesRequest.Op.SET);
        for (int i = 0; i < 256; i++) many.putSet("k" + i, "v");
        assertEquals(FaultCode.OVERFLOW, attributes(many));
        assertEquals(2, db.attributes().size());
        apply(LogCommand.newBuilder().setSystemAttributes(remove));
        assertEquals(Map.of("site", "north"), db.attributes());
    }

    private FaultCode attributes(AttributesRequest.Builder r) {
        return code(apply(LogCommand.newBuilder().setSystemAttributes(r)));
    }

    @Test
    void shouldSetPropertiesAndTellThemWithTheMembers() {
        join(E0, -1, 10);
        int before = db.mapVersion();
        PropertiesRequest.Builder some = PropertiesRequest.newBuilder().putSet("self_heal", "pool_rebuild, exclude");

        apply(LogCommand.newBuilder().setSystemProperties(some));
        apply(LogCommand.newBuilder().setSystemProperties(some));

        assertEquals("exclude;pool_rebuild", db.properties().get("self_heal"));
        assertEquals(before + 1, db.mapVersion(), "the same again is no news");
        assertEquals(
                "exclude;pool_rebuild", db.groupMapMessage().getPropertiesMap().get("self_heal"));
        assertEquals(FaultCode.INVAL, refusal("self_heal", "exclude;rebuild"));
        assertEquals(FaultCode.INVAL, refusal("self_heal", "none;exclude"));
        assertEquals(FaultCode.INVAL, refusal("daos_system", "other"));
        assertEquals(FaultCode.INVAL, refusal("frobnicate", "1"));
        assertEquals(FaultCode.INVAL, refusal("pool_scrub_mode", "sometimes"));
        assertEquals(FaultCode.INVAL, refusal("pool_scrub_thresh", "-1"));
        assertEquals("off", db.properties().get("pool_scrub_mode"));
        apply(LogCommand.newBuilder()
                .setSystemProperties(PropertiesRequest.newBuilder()
                        .putSet("pool_scrub_mode", "timed")
                        .putSet("pool_scrub_thresh", "5")));
        assertEquals("timed", db.properties().get("pool_scrub_mode"));
        assertEquals("5", db.properties().get("pool_scrub_thresh"));
    }

    private FaultCode refusal(String key, String value) {
        return code(apply(LogCommand.newBuilder()
                .setSystemProperties(PropertiesRequest.newBuilder().putSet(key, value))));
    }

    @Test
    void shouldForgetTheOldestOutcomeWhenFull() {
        Outcomes o = new Outcomes();
        for (int i = 0; i <= Outcomes.OUTCOMES_MAX; i++) o.keep("r" + i, Replies.DONE);

        assertTrue(o.find("r0").isEmpty());
        assertTrue(o.find("r1").isPresent());
        assertEquals(Outcomes.OUTCOMES_MAX, o.save().size());
    }

    @Test
    void shouldRefusePoolWhenThereAreTheMost() {
        for (int i = 0; i < SystemDb.POOLS_MAX; i++) begin(i, "p" + i, "r" + i);

        assertEquals(FaultCode.OVERFLOW, code(begin(9999, "more", "rr")));
    }
}
