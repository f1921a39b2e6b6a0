package io.daosmesh.engine.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ChangeLogTest {
    private static final UUID POOL = new UUID(1, 2);
    private static final byte[] GROUP =
            Keys.group(POOL, new UUID(3, 4), ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_2, 1, 0, 5), 0);

    private final PoolMap whole = new PoolMap(
            POOL,
            1,
            IntStream.range(0, 3)
                    .mapToObj(i -> new PoolTarget(i, i, 0, "/r" + i, TargetState.UPIN, false, 1))
                    .toList());
    private final PoolMap degraded = whole.withStates(Set.of(2), TargetState.DOWN);
    private final ChangeLog log = new ChangeLog(POOL);
    private final StagedOp begun = new StagedOp(true);

    private void begin() {
        log.adopt(0, whole, new StagedOp(true));
        log.adopt(whole.version(), degraded, begun);
    }

    private static List<byte[]> scope(int i) {
        return List.of(Keys.under(GROUP, ("k" + i).getBytes()));
    }

    private StagedOp note(List<byte[]> scope) {
        StagedOp op = new StagedOp(true);
        log.note(scope, op);
        return op;
    }

    private List<String> since(int version) {
        ChangeLog.Changes c = log.since(GROUP, version);
        return c.isAll()
                ? List.of("all")
                : c.dkeys().stream().map(String::new).sorted().toList();
    }

    @Test
    void shouldNoteNothingWhileAllAreThere() {
        log.adopt(0, whole, new StagedOp(true));

        assertTrue(note(scope(1)).batch().isEmpty());
        assertEquals(List.of("all"), since(1));
    }

    @Test
    void shouldSayWhatHasChangedSinceAVersion() {
        begin();
        note(scope(1));
        PoolMap later = degraded.withStates(Set.of(1), TargetState.DOWN);
        log.adopt(degraded.version(), later, new StagedOp(true));
        note(scope(2));

        assertEquals(List.of("k1", "k2"), since(whole.version()));
        assertEquals(List.of("k2"), since(degraded.version()));
        note(List.of(Keys.punches(GROUP)));
        assertEquals(List.of("all"), since(degraded.version()));
    }

    @Test
    void shouldPutEachThingOnceItIsKnownToBeDurable() {
        begin();
        assertEquals(2, note(scope(1)).batch().count(), "nobody knows yet whether the log has begun");
        log.onDurable(List.of(), degraded.version(), begun);
        StagedOp op = note(scope(1));
        assertEquals(1, op.batch().count(), "nor whether this is noted");

        log.onDurable(scope(1), degraded.version(), op);

        assertTrue(note(scope(1)).batch().isEmpty());
    }

    @Test
    void shouldBeginAnewWithTheNextMapWhenItIsFull() {
        begin();
        for (int i = 0; i < ChangeLog.KEPT_MAX; i++) note(scope(i));
        assertEquals(ChangeLog.KEPT_MAX, log.count());
        note(scope(ChangeLog.KEPT_MAX));

        assertEquals(0, log.count());
        assertEquals(List.of("all"), since(whole.version()));
        PoolMap later = degraded.withStates(Set.of(1), TargetState.DOWN);
        log.adopt(degraded.version(), later, new StagedOp(true));
        note(scope(7));
        assertEquals(List.of("k7"), since(degraded.version()), "who left by this map missed this alone");
        assertEquals(List.of("all"), since(whole.version()));
    }

    @Test
    void shouldForgetEverythingWhenAllAreBack() {
        begin();
        note(scope(1));
        StagedOp op = new StagedOp(true);
        log.adopt(degraded.version(), new PoolMap(POOL, 9, whole.targets()), op);

        assertFalse(op.batch().isEmpty(), "in the index, too");
        assertEquals(0, log.count());
        assertEquals(List.of("all"), since(whole.version()));
    }
}
