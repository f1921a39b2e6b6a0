package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A rebuild may wait for the room that deletes make. */
class RoomWhileMovingTest extends TargetFixture {
    private static final int VALUE_BYTES = 64 << 10;

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            int n = i;
            assertEquals(
                    List.of("ok"), outcome(a -> target.write(write(single, "k" + n, VALUE_BYTES, 1, id(1 + n)), a)));
        }
    }

    /** All of them, by a client that knows the map. */
    private void punchBy(int version) {
        for (int i = 0; i < 60; i++) {
            WriteOp.Dtx dtx = new WriteOp.Dtx(id(1_000 + i), 0, 0, false);
            byte[] dkey = ("k" + i).getBytes();
            WriteOp op = new WriteOp(
                    write(single, "k", 1, version, id(0)).address(),
                    WriteOp.DKEY,
                    dkey,
                    List.of(),
                    ByteBuffer.allocate(0),
                    dtx);
            assertEquals(List.of("ok"), outcome(a -> target.write(op, a)));
        }
    }

    private void pass(int seconds) {
        for (int i = 0; i < 20 * seconds; i++) {
            nowNs += 50_000_000L;
            target.onTick();
            loop.drain();
        }
    }

    private int records() {
        int count = 0;
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.records(pool)))) {
            while (c.next()) count++;
        }
        return count;
    }

    @Test
    void shouldDropHiddenValuesOfAFullTargetWhileDataIsMoved() {
        start(map(1, TargetState.UPIN));
        fill(60);
        target.onMap(map(2, TargetState.DOWN));
        target.onMap(map(3, TargetState.UP));
        loop.drain();
        punchBy(3);

        pass(30);

        assertTrue(
                blob.allocator().freeBytes() > 58 * VALUE_BYTES,
                blob.allocator().freeBytes() + " bytes free");
        assertEquals(60, records(), "what hides others stays: what it hides may be on its way");

        target.onMap(map(4, TargetState.UPIN));
        pass(60);

        assertEquals(0, records());
    }

    @Test
    void shouldLeaveThemWhileThereIsRoom() {
        start(map(1, TargetState.UPIN));
        fill(20);
        target.onMap(map(2, TargetState.DOWN));
        target.onMap(map(3, TargetState.UP));
        loop.drain();
        punchBy(3);

        pass(30);

        assertEquals(80, records());
    }
}
