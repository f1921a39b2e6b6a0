package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ContainerHealthTest {
    private final PoolDb db = new PoolDb();

    @BeforeEach
    void pool() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < 4; r++) targets.add(new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1));
        PoolMap map = new PoolMap(new UUID(7, 7), 1, targets);
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(map.pool()))
                .setLabel("tank")
                .build();
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(entry).setMap(map.toWire())));
        create("single", "S1", 0);
        create("pair", "RP_2G1", 1);
    }

    private LogReply apply(LogCommand.Builder c) {
        return Replies.parse(db.apply(c.build().toByteArray()));
    }

    private void create(String label, String objectClass, int rdFac) {
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(
                                UUID.nameUUIDFromBytes(label.getBytes(java.nio.charset.StandardCharsets.UTF_8))))
                        .setLabel(label)
                        .setObjectClass(objectClass)
                        .setRdFac(rdFac)));
    }

    private LogReply exclude(int rank, boolean isAutomatic) {
        return apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setOp(PoolTargetsRequest.Op.EXCLUDE)
                        .addRanks(rank)
                        .setAutomatic(isAutomatic)));
    }

    private void rebuilt() {
        apply(LogCommand.newBuilder().setRebuildDone(db.map().version()));
    }

    private LogReply set(String container, String key, String value) {
        return apply(LogCommand.newBuilder()
                .setContainerProperties(ContainerPropertiesRequest.newBuilder()
                        .setContainer(container)
                        .putSet(key, value)));
    }

    private boolean isUnclean(String label) {
        return ContainerHealth.isUnclean(db.container(label));
    }

    @Test
    void shouldMarkWhatMoreDomainsHaveFailedThanItCanStand() {
        exclude(1, true);

        assertTrue(isUnclean("single"));
        assertFalse(isUnclean("pair"));
        assertEquals(2, db.container("single").getUncleanVersion());
        FaultException refused =
                assertThrows(FaultException.class, () -> ContainerHealth.checkWritable(db.container("single")));
        assertEquals(FaultCode.RF, refused.code());
        ContainerHealth.checkWritable(db.container("pair"));
    }

    @Test
    void shouldStayUncleanUntilSomebodyAcceptsIt() {
        exclude(1, true);
        rebuilt();
        assertTrue(isUnclean("single"), "a rebuild makes no data");

        assertEquals("HEALTHY", healthy("single"));
        assertFalse(isUnclean("single"));
        exclude(2, true);
        assertTrue(isUnclean("single"), "a later failure counts");
        assertFalse(isUnclean("pair"), "one at a time");
    }

    private String healthy(String container) {
        try {
            return io.daosmesh.model.wire.PropertiesReply.parseFrom(
                            set(container, "status", "healthy").getBody())
                    .getValuesOrThrow("status");
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldRefuseWhatNobodyWouldObey() {
        assertEquals(FaultCode.INVAL, code(set("single", "status", "unclean")));
        assertEquals(FaultCode.INVAL, code(set("single", "frobnicate", "1")));
        assertEquals(FaultCode.NOSYS, code(set("single", "rd_fac", "2")));
        assertEquals(FaultCode.NONEXIST, code(set("nobody", "status", "healthy")));
    }

    private static FaultCode code(LogReply reply) {
        return Fault.fromWire(reply.getFault()).code();
    }

    @Test
    void shouldSayHowMuchIsUnavailableAndWhomItWaitsFor() {
        assertEquals(List.of(), ContainerHealth.unhealthy(db.containers(), db.map()));
        exclude(1, true);
        rebuilt();

        List<ContainerHealthMessage> all = ContainerHealth.unhealthy(db.containers(), db.map());

        assertEquals(1, all.size());
        assertEquals("single", all.get(0).getContainer().getLabel());
        assertEquals(0.25, all.get(0).getUnavailableShare(), 0.04);
        assertEquals(List.of(1), all.get(0).getMissingRanksList());
    }

    @Test
    void shouldGuardTheLeastRedundantContainerWhenAPersonExcludes() {
        LogReply refused = exclude(1, false);
        assertEquals(FaultCode.RF, code(refused));
        assertTrue(Fault.fromWire(refused.getFault()).message().contains("single"));

        exclude(1, true);
        assertEquals(TargetState.DOWN, db.map().target(1).state(), "a dead rank is let go of");
        assertEquals(Outage.Cause.DEATH, db.map().target(1).outage().cause());
        exclude(2, true);
        assertEquals(TargetState.UPIN, db.map().target(2).state(), "but no second one at a time");
    }

    @Test
    void shouldSurviveASnapshot() {
        exclude(1, true);
        rebuilt();

        PoolDb other = new PoolDb();
        other.restore(db.snapshot());

        assertEquals(db.map(), other.map());
        assertEquals(1, other.map().losses().size());
        assertTrue(ContainerHealth.isUnclean(other.container("single")));
    }
}
