package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvSnapshot;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.ValueSpace;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.log.runtime.LogStream;
import io.daosmesh.storage.rocks.RocksKvStore;
import io.daosmesh.storage.slot.DeviceBlob;
import io.daosmesh.storage.slot.HeldMemory;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A target's index whose batches, with the short values in them, go through the engine's log. Any thread. */
final class LoggedKvStore implements KvStore {
    /** Longer than writing all that is held to devices that work. */
    private static final Duration ROOM_WAIT_MAX = Duration.ofSeconds(20);

    /** Of values that move up in the log: far below the smallest segment. */
    private static final int MOVED_BLOCKS = 32;

    private final int target;
    private final RocksKvStore index;
    private final EngineLog log;
    private final LogStream stream;
    private final HeldMemory memory;

    LoggedKvStore(int target, RocksKvStore index, EngineLog log, HeldMemory memory) {
        this.target = target;
        this.index = index;
        this.log = log;
        this.memory = memory;
        this.stream = log.stream(target, index.position(), this::apply);
    }

    /** Values first: who finds a record finds what it names. */
    private void apply(long lsn, long position, KvBatch batch) {
        if (batch.valueBytes() > 0) batch.forEach(new Holder(lsn));
        index.apply(position, batch);
    }

    /** Number of the last batch that is durable with all before it. */
    long durablePosition() {
        return stream.durablePosition();
    }

    /** Throws NVME_IO when the device of a value is out, BUSY while the index has no room, before anything has happened. */
    @Override
    public void write(KvBatch batch, boolean isDurable) {
        if (index.isFull())
            throw Fault.of(FaultCode.BUSY, "the index of target %d waits for room on its file system", target)
                    .remedy("free space on scm_mount")
                    .asException();
        if (batch.valueBytes() > 0) {
            Fault refusal = batch.refusal();
            if (refusal != null) throw refusal.asException();
            memory.awaitRoom(batch.valueBytes(), batch.isStuck(), ROOM_WAIT_MAX);
            batch.forEach(EXPECTING);
        }
        log.write(stream, batch, isDurable);
    }

    /** Values of batches up to this one are in the log once more, so that it can be trimmed. */
    void moveUp(DeviceBlob blob, long lsn) {
        log.moveUp(target, new EngineLog.Moving() {
            @Override
            public @Nullable KvBatch next() {
                return blob.heldUpTo(lsn, MOVED_BLOCKS);
            }

            @Override
            public void onDurable(long movedLsn, KvBatch batch) {
                batch.forEach(new Holder(movedLsn));
            }
        });
    }

    /** Before the batch is in the log: an older value of the range must not move up behind it. */
    private static final KvBatch.Visitor EXPECTING = new ValueVisitor() {
        @Override
        public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
            space.expect(offsetBytes, bytes.remaining());
        }
    };

    private static final class Holder extends ValueVisitor {
        private final long lsn;

        Holder(long lsn) {
            this.lsn = lsn;
        }

        @Override
        public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
            space.hold(lsn, offsetBytes, bytes);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return index.get(key);
    }

    @Override
    public KvCursor cursor(KvRange range) {
        return index.cursor(range);
    }

    @Override
    public KvSnapshot snapshot() {
        return index.snapshot();
    }

    @Override
    public long sizeBytes() {
        return index.sizeBytes();
    }

    @Override
    public @Nullable Fault damage() {
        return index.damage();
    }

    @Override
    public void close() {
        index.close();
    }
}
