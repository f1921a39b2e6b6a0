package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolContainerMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolSnapshotMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A pool whose state another release has written, or this one before it checked what came in. */
class StoredOddThingsTest {
    private static final UUID POOL = new UUID(1, 1);

    private final PoolDb db = new PoolDb();

    private static PoolMap map() {
        return new PoolMap(
                POOL,
                1,
                List.of(
                        new PoolTarget(0, 0, 0, "/a", TargetState.UPIN, false, 1),
                        new PoolTarget(1, 1, 0, "/b", TargetState.UPIN, false, 1),
                        new PoolTarget(2, 2, 0, "/c", TargetState.UPIN, false, 1)));
    }

    private static PoolContainerMessage stored(int n, ContainerMessage.Builder c) {
        return PoolContainerMessage.newBuilder()
                .setContainer(c.setUuid(Ids.bytes(new UUID(2, n))).setLabel("c" + n))
                .setNextOid(1)
                .build();
    }

    private static PoolSnapshotMessage snapshot() {
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .addServiceRanks(0)
                .putProperties("self_heal", "sometimes")
                .putProperties("rd_fac", "many")
                .putProperties("svc_rf", "?")
                .putProperties("colour", "blue")
                .build();
        return PoolSnapshotMessage.newBuilder()
                .setLayout(PoolDb.LAYOUT)
                .setMap(map().toWire())
                .setEntry(entry)
                .addContainers(stored(1, ContainerMessage.newBuilder().setObjectClass("EC_9P9")))
                .addContainers(stored(2, ContainerMessage.newBuilder().setRdFac(77)))
                .addContainers(stored(3, ContainerMessage.newBuilder().setRdFac(-1)))
                .addContainers(
                        stored(4, ContainerMessage.newBuilder().setType("TAPE").setStatus(9)))
                .addContainers(stored(
                        5,
                        ContainerMessage.newBuilder()
                                .putProperties("shape", "x".repeat(300 << 10))
                                .putProperties("rf", "odd")))
                .addContainers(stored(6, ContainerMessage.newBuilder().setObjectClass("RP_2GX")))
                .build();
    }

    @BeforeEach
    void restore() {
        db.restore(snapshot().toByteArray());
    }

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.setHlc(1).build().toByteArray()));
    }

    @Test
    void shouldShowWhatIsStoredWhenNobodyKnowsItHere() {
        assertEquals(6, db.containers().size());
        for (ContainerMessage c : db.containers()) {
            Map<String, String> shown = ContainerHealth.properties(db.container(c.getLabel()));
            assertEquals(c.getLabel(), shown.get("label"));
            assertEquals("rd_fac" + c.getRdFac(), shown.get("rd_fac"));
        }
        assertEquals("EC_9P9", db.container("c1").getObjectClass());
        assertEquals(78, db.copiesWanted());
        assertEquals("blue", db.properties().get("colour"));
        assertEquals("sometimes", db.properties().get("self_heal"));
        assertEquals("0", db.properties().get("rd_fac"));
    }

    @Test
    void shouldJudgeTheHealthOfEachContainerWhenAllHoldersAreAway() {
        PoolMap gone = map().withStates(Set.of(0, 1, 2), TargetState.DOWN, Outage.Cause.DEATH);

        var unhealthy = ContainerHealth.unhealthy(db.containers(), gone);

        assertEquals(6, unhealthy.size());
        assertTrue(unhealthy.stream().allMatch(h -> h.getUnavailableShare() == 1.0));
    }

    @Test
    void shouldGoOnWhenTheMapChanges() {
        LogReply excluded = apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setOp(PoolTargetsRequest.Op.EXCLUDE)
                        .addRanks(1)
                        .setForce(true)));
        LogReply rebuilt = apply(LogCommand.newBuilder().setRebuildDone(db.map().version()));

        assertEquals(false, excluded.hasFault() || rebuilt.hasFault());
        assertEquals(3, db.map().version());
    }

    @Test
    void shouldKeepEverythingWhenItIsWrittenOutAndReadAgain() {
        PoolDb copy = new PoolDb();

        copy.restore(db.snapshot());

        assertEquals(db.containers(), copy.containers());
        assertEquals(db.entry(), copy.entry());
    }

    @Test
    void shouldRefuseACommandAndGoOnWhenItCannotBeApplied() {
        LogReply odd = apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder().setOpValue(-1).addRanks(0)));
        LogReply departure = apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setAutomatic(true)
                        .setDepartureValue(-1)
                        .addRanks(0)));
        LogReply set = apply(LogCommand.newBuilder()
                .setPoolProperties(PropertiesRequest.newBuilder().putSet("self_heal", "exclude")));

        assertEquals(FaultCode.INVAL.number(), odd.getFault().getCode());
        assertTrue(departure.hasFault());
        assertEquals(false, set.hasFault());
        assertEquals("exclude", db.properties().get("self_heal"));
    }

    @Test
    void shouldTakeDeletesAndWhatHealsWhenThePoolIsFull() {
        LogCommand large = LogCommand.newBuilder()
                .setRequestId("r1")
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(7, 7)))
                        .setLabel("l"))
                .build();
        LogCommand delete = LogCommand.newBuilder()
                .setContainerDestroy(Ids.bytes(new UUID(2, 5)))
                .build();

        assertTrue(PoolBudget.refusal(db, large, PoolBudget.growth(large)).isEmpty());
        assertEquals(
                FaultCode.OVERFLOW,
                PoolBudget.refusal(db, large, PoolBudget.BYTES_MAX)
                        .orElseThrow()
                        .code());
        assertEquals(0, PoolBudget.growth(delete));
        assertTrue(PoolBudget.refusal(db, delete, PoolBudget.BYTES_MAX).isEmpty());
        apply(large.toBuilder());
        assertTrue(
                PoolBudget.refusal(db, large, PoolBudget.BYTES_MAX).isEmpty(), "a resend of what is done is answered");
    }

    @Test
    void shouldCountEachKindOfCommandWhenItIsNotNamed() {
        for (LogCommand.CommandCase c : LogCommand.CommandCase.values()) {
            if (!c.name().startsWith("CONTAINER_C") && c != LogCommand.CommandCase.CONTAINER_PROPERTIES) continue;
            var field = LogCommand.getDescriptor().findFieldByNumber(c.getNumber());
            LogCommand command = LogCommand.newBuilder()
                    .setField(field, LogCommand.getDefaultInstance().getField(field))
                    .build();
            assertTrue(PoolBudget.growth(command) > 0, c.name());
        }
    }
}
