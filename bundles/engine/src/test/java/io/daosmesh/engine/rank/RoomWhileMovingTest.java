package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
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

    private static final int COUNT = 60;

    /** What the leader sends to a target that is being filled. */
    private void asMember(WriteOp op, int n) {
        WriteOp at = op.withEpoch(hlc.now(), 3);
        target.shardWrite(at, f -> assertNull(f));
        loop.drain();
        target.commit(pool, List.of(WriteOp.dtxRef(id(n), at.dtx().epoch())));
        loop.drain();
    }

    private void fill(int count) {
        for (int i = 0; i < count; i++) asMember(write(twice, "k" + i, VALUE_BYTES, 3, id(1 + i)), 1 + i);
    }

    private void punch(int count) {
        for (int i = 0; i < count; i++) {
            WriteOp op = new WriteOp(
                    write(twice, "k", 1, 3, id(0)).address(),
                    WriteOp.DKEY,
                    ("k" + i).getBytes(),
                    List.of(),
                    ByteBuffer.allocate(0),
                    new WriteOp.Dtx(id(1_000 + i), 0, 0, false));
            asMember(op, 1_000 + i);
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

    private void startFilling() {
        rank = 1;
        target = open();
        start(map(3, TargetState.UP));
    }

    @Test
    void shouldDropHiddenValuesOfAFullTargetWhileItIsFilled() {
        startFilling();
        fill(COUNT);
        punch(COUNT);

        pass(30);

        assertTrue(
                blob.allocator().freeBytes() > (COUNT - 2) * VALUE_BYTES,
                blob.allocator().freeBytes() + " bytes free");
        assertEquals(COUNT, records(), "what hides others stays: what it hides may be on its way");

        target.onMap(map(4, TargetState.UPIN));
        pass(60);

        assertEquals(0, records());
    }

    @Test
    void shouldLeaveThemWhileThereIsRoom() {
        startFilling();
        fill(COUNT / 3);
        punch(COUNT / 3);

        pass(30);

        assertEquals(2 * COUNT / 3, records());
    }
}
