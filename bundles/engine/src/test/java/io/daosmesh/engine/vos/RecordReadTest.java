package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.engine.fake.DirectBuffers;
import io.daosmesh.engine.fake.MemoryBlob;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.bio.Extent;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordReadTest {
    private static final int BLOCK = 4096;

    private final MemoryBlob blob = new MemoryBlob(1 << 20);
    private final DirectBuffers buffers = new DirectBuffers();
    private final List<FaultCode> refusals = new ArrayList<>();

    /** Of a record in two pieces that do not lie beside each other. */
    private void read() {
        List<Extent> pieces = List.of(new Extent(0, BLOCK), new Extent(8 * BLOCK, BLOCK));
        VosRecord record = new VosRecord(
                VosRecord.NO_BYTES, VosRecord.SINGLE, 0, 2 * BLOCK, 0, VosRecord.NO_BYTES, pieces, new int[0]);
        RecordRead.start(blob, record, 0, 2 * BLOCK, buffers, (v, f) -> refusals.add(f.code()));
    }

    @Test
    void shouldGiveTheBufferBackWhenTheDeviceHasFailed() {
        blob.endings.put(0L, Fault.of(FaultCode.NVME_IO));

        read();

        assertEquals(List.of(FaultCode.NVME_IO), refusals);
        assertEquals(0, buffers.usedBytes());
        assertEquals(0, buffers.abandonedCount());
    }

    /** Whichever piece says so, before or behind another fault. */
    @Test
    void shouldNotGiveBackABufferThatADeviceMayStillUse() {
        Fault failed = Fault.of(FaultCode.NVME_IO);
        for (long silent : List.of(0L, 8L * BLOCK)) {
            blob.endings.put(0L, failed);
            blob.endings.put(8L * BLOCK, failed);
            blob.endings.put(silent, Blob.keepingBuffer(failed));

            read();
        }

        assertEquals(List.of(FaultCode.NVME_IO, FaultCode.NVME_IO), refusals);
        assertEquals(0, buffers.usedBytes());
        assertEquals(2, buffers.abandonedCount());
    }
}
