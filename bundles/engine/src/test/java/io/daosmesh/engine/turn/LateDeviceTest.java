package io.daosmesh.engine.turn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.ManualLoop;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of long values whose device is slow or hangs. */
class LateDeviceTest {
    private static final int LONG_BYTES = 68 << 10;
    private static final long PAST_NS = TurnPipeline.LATE_NS;

    private final MemoryKvStore kv = new MemoryKvStore();
    private final ManualLoop loop = new ManualLoop(kv);
    private final MemoryBlob blob = new MemoryBlob(32 << 20);
    private final DirectBuffers buffers = new DirectBuffers();
    private final List<String> done = new ArrayList<>();
    private long nowNs = 1;

    private StagedOp op(int i, int valueBytes) {
        StagedOp op = new StagedOp(true);
        op.batch().put(new byte[] {(byte) i}, new byte[] {1});
        if (valueBytes > 0) {
            BufferPool.Buffer buffer = buffers.take(valueBytes);
            buffer.bytes().put(0, (byte) i);
            op.owns(buffer);
            op.write(blob, offset(i), buffer.bytes());
        }
        return op;
    }

    private void stage(int i, int valueBytes) {
        loop.pipeline().stage(op(i, valueBytes), f -> done.add(i + (f == null ? "" : "!")));
    }

    private static int offset(int i) {
        return i << 22;
    }

    /** First byte of what a reader finds; the device may hang. */
    private byte first(int i) {
        ByteBuffer back = ByteBuffer.allocateDirect(8192).alignedSlice(4096).slice(0, 4096);
        blob.read(offset(i), back, f -> {});
        return back.get(0);
    }

    private void look(long passedNs) {
        nowNs += passedNs;
        loop.pipeline().onLook(nowNs);
        loop.drain();
    }

    private void waitInVain() {
        look(0);
        look(PAST_NS - 1);
        assertEquals(List.of(), done);
    }

    @Test
    void shouldPutIntoTheLogWhatItsDeviceDoesNotTake() {
        blob.roomBytes = LONG_BYTES * 2;
        blob.hangs = true;
        stage(1, LONG_BYTES);
        stage(2, 0);
        loop.drain();
        waitInVain();

        look(1);

        assertEquals(List.of("1", "2"), done);
        assertNotNull(kv.get(new byte[] {1}));
        assertEquals(1, first(1));
        assertEquals(0, blob.flushes.get());
        assertTrue(buffers.usedBytes() > 0, "the device has the buffer yet");
        blob.letGo();
        assertEquals(0, buffers.usedBytes());
        assertEquals(List.of("1", "2"), done, "once");
        assertEquals(1, first(1), "the buffer was whole when the device read it");
    }

    @Test
    void shouldNotMindWhatBecomesOfTheWriteThen() {
        blob.roomBytes = LONG_BYTES * 2;
        Fault given = Blob.keepingBuffer(Fault.of(FaultCode.NVME_IO, "given up"));
        blob.hangs = true;
        blob.endings.put((long) offset(1), given);
        stage(1, LONG_BYTES);
        look(0);
        look(PAST_NS);
        assertEquals(List.of("1"), done);

        blob.letGo();

        assertEquals(List.of("1"), done);
        assertEquals(1, buffers.abandonedCount());
        assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldPutIntoTheLogWhatIsNotFlushed() {
        blob.roomBytes = LONG_BYTES * 2;
        stage(1, LONG_BYTES);
        stage(2, LONG_BYTES);
        stage(3, 4096);
        blob.hangs = true;
        loop.drain();
        waitInVain();

        look(1);

        assertEquals(List.of("1", "2", "3"), done);
        assertEquals(1, first(1));
        assertEquals(2, first(2));
        assertEquals(0, buffers.usedBytes());
        blob.letGo();
        assertEquals(List.of("1", "2", "3"), done);
    }

    @Test
    void shouldWaitForTheDeviceWithoutRoom() {
        blob.roomBytes = LONG_BYTES * 3 / 2;
        blob.hangs = true;
        stage(1, LONG_BYTES);
        stage(2, LONG_BYTES);
        loop.drain();
        look(0);
        look(PAST_NS);
        look(PAST_NS);
        assertEquals(List.of(), done, "the second waits, and with it its turn");

        blob.letGo();
        loop.drain();

        assertEquals(List.of("1", "2"), done);
        assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldWaitAMomentForADeviceThatIsSlow() {
        blob.roomBytes = LONG_BYTES * 2;
        blob.isSlow = true;
        blob.hangs = true;
        stage(1, LONG_BYTES);
        loop.drain();
        waitInVain();
        assertEquals(0, blob.hanging.size(), "it is not given more");

        look(1);
        assertEquals(List.of("1"), done);
        assertEquals(0, buffers.usedBytes(), "only the log has had it");

        stage(2, LONG_BYTES);
        loop.drain();
        blob.isSlow = false;
        blob.hangs = false;
        look(0);
        assertEquals(List.of("1", "2"), done);
        assertEquals(1, blob.flushes.get());
    }

    /** No more goes into the log at once than it can take. */
    @Test
    void shouldKeepBatchesShort() {
        int longest = 4 << 20;
        blob.roomBytes = 4L * longest;
        blob.hangs = true;
        for (int i = 1; i <= 3; i++) stage(i, longest);
        loop.drain();
        loop.holdsCommits = true;
        look(0);
        look(PAST_NS);

        for (int i = 1; i <= 3; i++) {
            assertNull(kv.get(new byte[] {(byte) i}));
            loop.endCommit();
            assertNotNull(kv.get(new byte[] {(byte) i}), "in order");
        }
        loop.drain();
        assertEquals(List.of("1", "2", "3"), done);
    }

    @Test
    void shouldFailOnlyThoseWhoseFlushFails() {
        blob.failsFlushes = true;
        stage(1, LONG_BYTES);
        stage(2, 4096);

        loop.drain();

        assertEquals(List.of("1!", "2"), done);
        assertNull(kv.get(new byte[] {1}));
        assertNotNull(kv.get(new byte[] {2}));
        assertEquals(0, buffers.usedBytes());
    }
}
