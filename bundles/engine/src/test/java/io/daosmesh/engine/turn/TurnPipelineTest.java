package io.daosmesh.engine.turn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

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

class TurnPipelineTest {
    private final MemoryKvStore kv = new MemoryKvStore();
    private final ManualLoop loop = new ManualLoop(kv);
    private final MemoryBlob blob = new MemoryBlob(1 << 20);
    private final List<String> done = new ArrayList<>();

    private void stage(int i, boolean onDevice) {
        StagedOp op = new StagedOp(true);
        op.batch().put(new byte[] {(byte) i}, new byte[] {1});
        if (onDevice)
            op.write(
                    blob,
                    i * 4096L,
                    ByteBuffer.allocateDirect(8192).alignedSlice(4096).slice(0, 4096));
        loop.pipeline().stage(op, f -> done.add(i + (f == null ? "" : "!")));
    }

    @Test
    void shouldShareOneCommitAmongAllThatWaited() {
        loop.holdsCommits = true;
        stage(0, true);
        loop.drain();
        for (int i = 1; i < 10; i++) stage(i, true);
        loop.drain();

        loop.releaseCommit();
        assertEquals(List.of("0"), done);
        loop.releaseCommit();

        assertEquals(10, done.size());
        assertEquals(2, kv.durableBatchCount());
        assertEquals(0, blob.flushes.get(), "values go with their batch");
    }

    @Test
    void shouldKeepATurnShortEnoughForTheLog() {
        loop.holdsCommits = true;
        for (int i = 0; i < 3; i++) {
            StagedOp op = new StagedOp(true);
            op.batch().put(new byte[] {(byte) i}, new byte[(int) TurnPipeline.BATCH_BYTES_MAX * (i + 1) / 2]);
            int number = i;
            loop.pipeline().stage(op, f -> done.add("" + number));
        }
        loop.drain();

        loop.releaseCommit();
        assertEquals(List.of("0"), done, "the second would make it too long");
        loop.releaseCommit();
        assertEquals(List.of("0", "1"), done);
        loop.releaseCommit();
        assertEquals(List.of("0", "1", "2"), done, "one that is longer by itself goes alone");
    }

    @Test
    void shouldWriteLongValuesAtOnceAndFlushThemWithTheirTurn() {
        loop.holdsCommits = true;
        ByteBuffer bytes =
                ByteBuffer.allocateDirect(72 << 10).alignedSlice(4096).slice(0, 68 << 10);
        bytes.put(0, (byte) 7);
        StagedOp op = new StagedOp(true);
        op.batch().put(new byte[] {1}, new byte[] {1});
        op.write(blob, 0, bytes);

        loop.pipeline().stage(op, f -> done.add("long"));

        ByteBuffer back = ByteBuffer.allocateDirect(8192).alignedSlice(4096).slice(0, 4096);
        blob.read(0, back, f -> {});
        assertEquals(7, back.get(0));
        loop.drain();
        loop.releaseCommit();
        assertEquals(List.of("long"), done);
        assertEquals(1, blob.flushes.get());
    }

    @Test
    void shouldLeaveOutWhatTheDeviceRefused() {
        blob.failsWrites = true;
        stage(1, true);
        stage(2, false);
        loop.drain();

        assertEquals(List.of("1!", "2"), done);
        assertNull(kv.get(new byte[] {1}));
        assertNotNull(kv.get(new byte[] {2}));
    }

    /** Two writes of one buffer: one has failed, the other one was given up without an answer. */
    @Test
    void shouldNotGiveBackABufferThatADeviceMayStillUse() {
        DirectBuffers buffers = new DirectBuffers();
        Fault failed = Fault.of(FaultCode.NVME_IO, "told to fail");
        blob.endings.put(0L, failed);
        blob.endings.put(1L << 17, Blob.keepingBuffer(failed));
        StagedOp op = new StagedOp(true);
        BufferPool.Buffer buffer = buffers.take(128 << 10);
        op.owns(buffer);
        op.write(blob, 0, buffer.bytes().slice(0, 64 << 10));
        op.write(blob, 1L << 17, buffer.bytes().slice(64 << 10, 64 << 10));

        loop.pipeline().stage(op, f -> done.add(f == null ? "1" : "1!"));
        loop.drain();

        assertEquals(List.of("1!"), done);
        assertEquals(1, buffers.abandonedCount());
        assertEquals(0, buffers.usedBytes());
    }

    @Test
    void shouldAnswerAnEmptyOperationBehindEarlierOnes() {
        loop.holdsCommits = true;
        stage(1, false);
        loop.drain();
        loop.pipeline().stage(new StagedOp(false), f -> done.add("barrier"));
        loop.drain();
        assertEquals(List.of(), done);

        loop.releaseCommit();

        assertEquals(List.of("1", "barrier"), done);
    }

    @Test
    void shouldTellEveryOperationOfATurnEvenIfOneBreaks() {
        List<String> told = new ArrayList<>();
        ManualLoop loop = new ManualLoop(new io.daosmesh.storage.kv.MemoryKvStore());
        StagedOp first = new StagedOp(true);
        first.batch().put(new byte[] {1}, new byte[] {1});
        loop.pipeline().stage(first, f -> {
            throw new IllegalStateException("broken");
        });
        loop.pipeline().stage(new StagedOp(true), f -> told.add("second"));

        org.junit.jupiter.api.Assertions.assertThrows(IllegalStateException.class, loop::drain);

        assertEquals(List.of("second"), told);
    }

    @Test
    void shouldNotWaitForTheNextRoundAfterATurnWithoutChanges() {
        List<String> told = new ArrayList<>();
        ManualLoop loop = new ManualLoop(new io.daosmesh.storage.kv.MemoryKvStore());
        loop.pipeline()
                .stage(new StagedOp(false), f -> loop.pipeline().stage(new StagedOp(false), g -> told.add("both")));

        loop.pipeline().onDrained();

        assertEquals(List.of("both"), told);
    }

    private void stageBuffer(DirectBuffers buffers, int i, int lengthBytes) {
        StagedOp op = new StagedOp(true);
        BufferPool.Buffer buffer = buffers.take(lengthBytes);
        op.owns(buffer);
        op.batch().put(new byte[] {(byte) i}, new byte[] {1});
        op.write(blob, (long) i << 17, buffer.bytes());
        loop.pipeline().stage(op, f -> done.add("" + i));
    }

    /** They belong to the storage, which outlives the loop. */
    @Test
    void shouldGiveItsBuffersBackWhenTheLoopEnds() {
        DirectBuffers buffers = new DirectBuffers();
        loop.holdsCommits = true;
        stageBuffer(buffers, 0, 4096);
        loop.drain();
        stageBuffer(buffers, 1, 4096);
        stageBuffer(buffers, 2, 68 << 10);
        loop.pipeline().abandon();

        assertEquals(4096, buffers.usedBytes(), "what the log may still read");
        loop.endCommit();

        assertEquals(0, buffers.usedBytes());
        assertEquals(List.of(), done, "nothing runs on the loop any more");
    }
}
