package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReturnsTest {
    private static final int RANK = 1;

    private PoolDb db = new PoolDb();
    private String selfHeal = "exclude;rebuild";

    @BeforeEach
    void pool() {
        make();
    }

    private void make() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int i = 0; i < 6; i++)
            targets.add(new PoolTarget(i, i / 2, i % 2, "/n" + i / 2, TargetState.UPIN, false, 1));
        PoolMap map = new PoolMap(new UUID(7, 7), 1, targets);
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(map.pool()))
                .putProperties("self_heal", selfHeal)
                .build();
        apply(
                0,
                LogCommand.newBuilder()
                        .setPoolInit(
                                PoolInitMessage.newBuilder().setEntry(entry).setMap(map.toWire())));
    }

    private static long at(long seconds) {
        return Hlc.fromNanos(seconds * 1_000_000_000L);
    }

    private void apply(long seconds, LogCommand.Builder c) {
        var reply = Replies.parse(db.apply(c.setHlc(at(seconds)).build().toByteArray()));
        assertTrue(!reply.hasFault(), reply.toString());
    }

    private void change(long seconds, PoolTargetsRequest.Op op, boolean isAutomatic, boolean isByServer) {
        apply(
                seconds,
                LogCommand.newBuilder()
                        .setTargets(TargetsChangeMessage.newBuilder()
                                .setOp(op)
                                .addRanks(RANK)
                                .setAutomatic(isAutomatic)
                                .setByServer(isByServer)));
    }

    private void dies(long seconds) {
        change(seconds, PoolTargetsRequest.Op.EXCLUDE, true, false);
    }

    private void returns(long seconds) {
        change(seconds, PoolTargetsRequest.Op.REINTEGRATE, true, false);
    }

    private void rebuilt(long seconds) {
        apply(seconds, LogCommand.newBuilder().setRebuildDone(db.map().version()));
    }

    private Map<Integer, Long> awaited(MemberState state) {
        Member m = new Member(RANK, new UUID(1, 1), "127.0.0.1:1", "/n1", state, 1, 2, 0, "", 0);
        return db.returns().awaited(db.map(), new GroupMap("daos_server", 1, List.of(m)));
    }

    private TargetState state() {
        return db.map().ofRank(RANK).get(0).state();
    }

    @Test
    void shouldComeBackAtOnceAfterADeath() {
        dies(100);
        assertEquals(Map.of(), awaited(MemberState.EXCLUDED), "it is not there yet");
        assertEquals(Map.of(RANK, at(100)), awaited(MemberState.JOINED));

        returns(101);

        assertEquals(TargetState.UP, state());
        assertEquals(Map.of(), awaited(MemberState.JOINED));
    }

    @Test
    void shouldComeBackAfterTheRebuildAsWell() {
        dies(100);
        rebuilt(110);
        assertEquals(Map.of(RANK, at(100)), awaited(MemberState.JOINED));
        returns(120);
        assertEquals(TargetState.UP, state());
    }

    @Test
    void shouldLeaveWhatAPersonOrADeviceHasPutOut() {
        change(100, PoolTargetsRequest.Op.EXCLUDE, false, false);
        assertEquals(Map.of(), awaited(MemberState.JOINED));
        returns(101);
        assertEquals(TargetState.DOWN, state());

        change(102, PoolTargetsRequest.Op.REINTEGRATE, false, false);
        rebuilt(103);
        change(104, PoolTargetsRequest.Op.EXCLUDE, false, true);
        assertEquals(Map.of(), awaited(MemberState.JOINED));
    }

    @Test
    void shouldCountThePauseFromWhenItHasJoinedAgain() {
        for (long now = 100; now < 103; now++) {
            dies(now);
            if (now < 102) returns(now);
        }
        Member joined =
                new Member(RANK, new UUID(1, 1), "127.0.0.1:1", "/n1", MemberState.JOINED, 1, 2, 0, "", at(500));

        assertEquals(
                Map.of(RANK, at(530)), db.returns().awaited(db.map(), new GroupMap("daos_server", 1, List.of(joined))));
    }

    @Test
    void shouldWaitLongerForARankThatDiesAgainAndAgain() {
        long[] pauses = {0, 0, 30, 120, 600, 600};
        long now = 1000;
        for (long pause : pauses) {
            dies(now);
            assertEquals(Map.of(RANK, at(now + pause)), awaited(MemberState.JOINED));
            now += pause + 1;
            returns(now);
            rebuilt(now + 1);
            now += 10;
        }
        now += 3700;
        dies(now);
        assertEquals(Map.of(RANK, at(now)), awaited(MemberState.JOINED), "forgotten after a quiet hour");
    }

    @Test
    void shouldRememberOverAChangeOfTheLeader() {
        for (long now = 100; now < 103; now++) {
            dies(now);
            if (now < 102) returns(now);
        }
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());

        assertEquals(db.map(), other.map());
        Member m = new Member(RANK, new UUID(1, 1), "127.0.0.1:1", "/n1", MemberState.JOINED, 1, 2, 0, "", 0);
        assertEquals(
                Map.of(RANK, at(132)),
                other.returns().awaited(other.map(), new GroupMap("daos_server", 1, List.of(m))));
    }

    private void leaves(long seconds, Departure why, int groupVersion) {
        apply(
                seconds,
                LogCommand.newBuilder()
                        .setTargets(TargetsChangeMessage.newBuilder()
                                .setOp(PoolTargetsRequest.Op.EXCLUDE)
                                .addRanks(RANK)
                                .setAutomatic(true)
                                .setDeparture(why.toWire())
                                .setGroupVersion(groupVersion)));
    }

    @Test
    void shouldNotCountStopsAsDeaths() {
        for (long now = 100; now < 110; now++) {
            leaves(now, Departure.STOP, 0);
            assertEquals(Map.of(RANK, 0L), awaited(MemberState.JOINED), "at once");
            returns(now);
        }
    }

    @Test
    void shouldNotCountAPauseNowAndThenAsADeath() {
        for (long now = 100; now < 1_000; now += 60) {
            leaves(now, Departure.SILENCE, 0);
            assertEquals(Map.of(RANK, 0L), awaited(MemberState.JOINED), "at once");
            returns(now + 1);
        }
    }

    @Test
    void shouldKeepOutForLongerWhoFallsSilentAgainAndAgain() {
        for (long now = 100; now < 160; now += 20) {
            leaves(now, Departure.SILENCE, 0);
            PoolDb other = new PoolDb();
            other.restore(db.snapshot());
            db = other;
            returns(now + 1);
        }

        leaves(160, Departure.SILENCE, 0);

        assertEquals(Map.of(RANK, at(190)), awaited(MemberState.JOINED), "the third that counts");
    }

    @Test
    void shouldLeaveWhatAnAdministratorHasExcludedFromTheSystem() {
        leaves(100, Departure.EXCLUSION, 0);

        assertEquals(Map.of(), awaited(MemberState.JOINED));
        returns(101);
        assertEquals(TargetState.DOWN, state());
    }

    @Test
    void shouldNotTakeAnOldGroupMapForTheReturn() {
        leaves(100, Departure.DEATH, 2);
        assertEquals(Map.of(), awaited(MemberState.JOINED), "version 1 is of before its death");
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        assertEquals(2, other.returns().groupVersion(RANK));
    }

    @Test
    void shouldBringNobodyBackWherePoliciesForbidIt() {
        dies(100);
        apply(
                101,
                LogCommand.newBuilder()
                        .setPoolProperties(io.daosmesh.model.wire.PropertiesRequest.newBuilder()
                                .putSet("self_heal", "exclude")));
        returns(102);
        assertEquals(TargetState.DOWN, state());
    }
}
