package io.daosmesh.storage.slot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class IoLatencyTest {
    @Test
    void shouldSortSizesIntoDaosBuckets() {
        assertEquals(0, IoLatency.bucket(1));
        assertEquals(0, IoLatency.bucket(256));
        assertEquals(1, IoLatency.bucket(257));
        assertEquals(4, IoLatency.bucket(4096));
        assertEquals(12, IoLatency.bucket(1 << 20));
        assertEquals(14, IoLatency.bucket(4 << 20));
        assertEquals(15, IoLatency.bucket((4 << 20) + 1));
    }
}
