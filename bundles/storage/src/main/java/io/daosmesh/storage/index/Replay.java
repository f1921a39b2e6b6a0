package io.daosmesh.storage.index;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.ValueSpace;
import io.daosmesh.storage.log.LogFrame;
import io.daosmesh.storage.log.LogRecovery;
import io.daosmesh.storage.rocks.RocksKvStore;
import io.daosmesh.storage.slot.DeviceBlob;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a start makes of a target's frames: its index, and the values that are held once more. Owner: the start. */
final class Replay implements LogRecovery.Applier {
    private final RocksKvStore index;
    private final ValueBlobs blobs;
    private final Map<Long, @Nullable DeviceBlob> known = new HashMap<>();

    Replay(RocksKvStore index, ValueBlobs blobs) {
        this.index = index;
        this.blobs = blobs;
    }

    @Override
    public void index(LogFrame frame) {
        index.apply(frame.position(), frame.batch());
    }

    @Override
    public void values(LogFrame frame) {
        frame.batch().forEach(new ValueVisitor() {
            @Override
            public void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
                DeviceBlob blob = blob(space, offsetBytes, bytes.remaining());
                if (blob != null) blob.hold(frame.lsn(), offsetBytes, bytes);
            }

            @Override
            public void written(ValueSpace space, long offsetBytes, long lengthBytes) {
                DeviceBlob blob = blob(space, offsetBytes, lengthBytes);
                if (blob != null) blob.expect(offsetBytes, lengthBytes);
            }
        });
    }

    /** Null when its pool is gone. */
    private @Nullable DeviceBlob blob(ValueSpace space, long offsetBytes, long lengthBytes) {
        DeviceBlob blob = known.computeIfAbsent(space.blobId(), blobs::blob);
        if (blob != null && (offsetBytes < 0 || lengthBytes <= 0 || offsetBytes > blob.sizeBytes() - lengthBytes))
            throw Fault.of(FaultCode.DF_INVAL, "a value of the engine log is outside of its blob")
                    .asException();
        return blob;
    }
}
