package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.slot.AlignedBufferPool;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DeviceBuffersTest {
    private static final int MIB = 1 << 20;

    private final BufferPool all = new AlignedBufferPool(16L * MIB);

    /** As many as it can have. */
    private static List<BufferPool.Buffer> drain(BufferPool pool, int bytes) {
        List<BufferPool.Buffer> taken = new ArrayList<>();
        FaultException e = assertThrows(FaultException.class, () -> {
            for (int i = 0; i < 100; i++) taken.add(pool.take(bytes));
        });
        assertEquals(FaultCode.BUSY, e.code());
        assertTrue(e.getMessage().contains("ssd0"), e.getMessage());
        return taken;
    }

    @Test
    void shouldLeaveBuffersToOtherDevices() {
        BufferPool slow = DeviceBuffers.of(all, "ssd0", 2);
        BufferPool other = DeviceBuffers.of(all, "ssd1", 2);

        List<BufferPool.Buffer> taken = drain(slow, MIB);

        assertEquals(12, taken.size());
        other.take(4 * MIB).close();
        taken.get(0).abandon();
        taken.subList(1, taken.size()).forEach(BufferPool.Buffer::close);
        assertEquals(0, slow.usedBytes());
        assertEquals(0, all.usedBytes());
        slow.take(4 * MIB).close();
        assertThrows(IllegalStateException.class, taken.get(1)::close);
        assertEquals(0, slow.usedBytes());
    }

    @Test
    void shouldHaveAllWhereThereIsNoOtherDevice() {
        assertSame(all, DeviceBuffers.of(all, "ssd0", 1));
    }
}
