package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A rank is silent and comes back, then a target of another one turns out to be damaged: two faults only if something was written. */
class IdleDamageTest {
    private static final int SILENT = 1;
    private static final int DAMAGED = 2;
    /** The group map that tells of the last start of the damaged rank. */
    private static final int JOINED = 10;

    private PoolDb db = new PoolDb();
    private ObjectId onBoth = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, 0);

    @BeforeEach
    void pool() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < 4; r++) targets.add(new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1));
        PoolMap map = new PoolMap(new UUID(7, 7), 1, targets);
        PoolEntryMessage entry =
                PoolEntryMessage.newBuilder().setPool(Ids.bytes(map.pool())).build();
        apply(LogCommand.newBuilder()
                .setPoolInit(PoolInitMessage.newBuilder().setEntry(entry).setMap(map.toWire())));
        apply(LogCommand.newBuilder()
                .setContainerCreate(ContainerMessage.newBuilder()
                        .setUuid(Ids.bytes(new UUID(1, 1)))
                        .setLabel("pair")
                        .setObjectClass("RP_2G1")
                        .setRdFac(1)));
        for (int i = 1; !holders().containsAll(List.of(SILENT, DAMAGED)); i++)
            onBoth = ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, i);
    }

    private List<Integer> holders() {
        return Placement.group(db.map(), onBoth, 0).settled();
    }

    private void apply(LogCommand.Builder c) {
        assertFalse(Replies.parse(db.apply(c.build().toByteArray())).hasFault());
    }

    private void silence(int groupVersion) {
        for (PoolTargetsRequest.Op op : List.of(PoolTargetsRequest.Op.EXCLUDE, PoolTargetsRequest.Op.REINTEGRATE))
            apply(LogCommand.newBuilder()
                    .setTargets(TargetsChangeMessage.newBuilder()
                            .setOp(op)
                            .addRanks(SILENT)
                            .setAutomatic(true)
                            .setDeparture(TargetsChangeMessage.Departure.SILENCE)
                            .setGroupVersion(groupVersion)));
    }

    private void damage(int updatedVersion, int joinedVersion) {
        apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setOp(PoolTargetsRequest.Op.EXCLUDE)
                        .addRanks(DAMAGED)
                        .setByServer(true)
                        .setGroupVersion(JOINED)
                        .setUpdatedVersion(updatedVersion)
                        .setJoinedVersion(joinedVersion)));
    }

    private void checkTrusted(boolean isTrusted) {
        assertEquals(isTrusted ? List.of(SILENT) : List.of(), holders());
        assertEquals(!isTrusted, ContainerHealth.isUnclean(db.container("pair")));
        apply(LogCommand.newBuilder().setRebuildDone(db.map().version()));
        assertEquals(isTrusted, Placement.group(db.map(), onBoth, 0).isAvailable());
    }

    @Test
    void shouldTrustTheReturnedRankWhenTheDamagedTargetTookNothing() {
        silence(JOINED);

        damage(0, JOINED);

        checkTrusted(true);
    }

    @Test
    void shouldTrustItWhenAllThatTheDamagedTargetTookWasBefore() {
        silence(JOINED + 5);

        damage(1, JOINED);

        checkTrusted(true);
    }

    @Test
    void shouldNotTrustItWhenTheDamagedTargetTookAnUpdateMeanwhile() {
        silence(JOINED);

        damage(2, JOINED);

        checkTrusted(false);
    }

    /** The one that decided had not heard of the start: before it the target may have taken anything. */
    @Test
    void shouldNotTrustItWhenTheDamagedRankMayHaveServedBeforeItsStart() {
        silence(JOINED - 1);

        damage(0, JOINED);

        checkTrusted(false);
    }

    @Test
    void shouldNotTrustItWhenNothingIsTold() {
        silence(JOINED);

        damage(0, 0);

        checkTrusted(false);
    }

    @Test
    void shouldRememberOverASnapshotWhoKnewOfWhichStart() {
        silence(JOINED);
        PoolDb restored = new PoolDb();
        restored.restore(db.snapshot());
        db = restored;

        damage(0, JOINED);

        checkTrusted(true);
        assertTrue(db.map().target(SILENT).state() == TargetState.UPIN);
    }
}
