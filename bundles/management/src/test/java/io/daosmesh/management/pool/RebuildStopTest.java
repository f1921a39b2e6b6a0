package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.RebuildStatusMessage;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A stopped rebuild stays stopped, whoever leads, until it is started or the map changes. */
class RebuildStopTest {
    private static final UUID POOL = new UUID(3, 3);

    private final PoolDb db = new PoolDb();

    @BeforeEach
    void init() {
        List<PoolTarget> targets = new ArrayList<>();
        for (int i = 0; i < 5; i++) targets.add(new PoolTarget(i, i, 0, "/n" + i, TargetState.UPIN, false, 1));
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(POOL))
                .setLabel("tank")
                .putProperties("rd_fac", "2")
                .build();
        apply(LogCommand.newBuilder()
                .setPoolInit(
                        PoolInitMessage.newBuilder().setEntry(entry).setMap(new PoolMap(POOL, 1, targets).toWire())));
    }

    private String apply(LogCommand.Builder c) {
        LogReply r = Replies.parse(db.apply(c.build().toByteArray()));
        return r.hasFault() ? Fault.fromWire(r.getFault()).code().name() : "done";
    }

    private String rebuild(String request, PoolRebuildRequest.Op op) {
        return apply(LogCommand.newBuilder().setRequestId(request).setRebuild(op));
    }

    private void lose(int rank) {
        apply(LogCommand.newBuilder()
                .setTargets(TargetsChangeMessage.newBuilder()
                        .setOp(PoolTargetsRequest.Op.EXCLUDE)
                        .setAutomatic(true)
                        .addRanks(rank)));
    }

    private String done() {
        return apply(LogCommand.newBuilder().setRebuildDone(db.map().version()));
    }

    private PoolDb restored() {
        PoolDb other = new PoolDb();
        other.restore(db.snapshot());
        return other;
    }

    @Test
    void shouldStopWhatRunsAndNothingElse() {
        assertEquals("NONEXIST", rebuild("a", PoolRebuildRequest.Op.STOP));
        lose(1);

        assertEquals("done", rebuild("b", PoolRebuildRequest.Op.STOP));

        assertFalse(db.mayRebuild(true));
        assertTrue(restored().isRebuildStopped(), "a new leader knows");
        assertEquals("NONEXIST", rebuild("c", PoolRebuildRequest.Op.STOP));
        assertEquals("done", rebuild("b", PoolRebuildRequest.Op.STOP), "sent again");
    }

    @Test
    void shouldNotEndInTheMapWhenItsEndComesAfterTheStop() {
        lose(1);
        rebuild("a", PoolRebuildRequest.Op.STOP);

        assertEquals("OP_CANCELED", done());

        assertEquals(TargetState.DOWN, db.map().target(1).state());
        rebuild("b", PoolRebuildRequest.Op.START);
        assertEquals("done", done());
        assertEquals(TargetState.DOWNOUT, db.map().target(1).state());
        assertFalse(db.isRebuildStopped());
    }

    @Test
    void shouldGoOnWhateverThePolicySaysWhenItIsStarted() {
        lose(1);
        rebuild("a", PoolRebuildRequest.Op.STOP);

        assertEquals("done", rebuild("b", PoolRebuildRequest.Op.START));

        assertTrue(db.mayRebuild(false));
        assertTrue(restored().mayRebuild(false));
        assertEquals("done", rebuild("c", PoolRebuildRequest.Op.START), "it runs already");
    }

    @Test
    void shouldBeginAnewWhenTheMapChanges() {
        lose(1);
        rebuild("a", PoolRebuildRequest.Op.STOP);

        lose(2);

        assertTrue(db.mayRebuild(true), "another failure is more than what was stopped");
        assertEquals("done", done());
    }

    @Test
    void shouldShowAStoppedRebuildAsCanceledWhateverItsJobSays() {
        lose(1);
        rebuild("a", PoolRebuildRequest.Op.STOP);
        RebuildStatus busy = new RebuildStatus(RebuildStatus.State.BUSY, 0, 2, "Rebuild", 9, 3, 4, 5, 1, 6, 7);

        RebuildStatusMessage shown = PoolReport.of(db)
                .toWire(new GroupMap("daos_server", 1, List.of()), "", List.of(), busy)
                .getRebuild();

        assertEquals(RebuildStatusMessage.State.IDLE, shown.getState());
        assertEquals(-2027, shown.getStatus());
        assertEquals(2, shown.getVersion());
        assertEquals(3, shown.getObjects());
    }
}
