package io.daosmesh.storage.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.ForwardingKvStore;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvStore;
import io.daosmesh.storage.kv.MemoryKvStore;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class IndexLeaseTest {
    private static final byte[] KEY = {1};
    private static final byte[] OLD = {2};
    private static final byte[] NEW = {3};

    private final CountDownLatch entered = new CountDownLatch(1);
    private final CountDownLatch medium = new CountDownLatch(1);

    /** Its first write hangs until the medium answers. */
    private final class Slow extends ForwardingKvStore {
        Slow() {
            super(new MemoryKvStore());
        }

        @Override
        public void write(KvBatch batch, boolean isDurable) {
            entered.countDown();
            try {
                assertTrue(medium.await(20, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            super.write(batch, isDurable);
        }
    }

    private static KvBatch put(byte[] value) {
        return new KvBatch().put(KEY, value);
    }

    @Test
    void shouldLetNoWriteOfAFormerEngineLandUnderTheNext() {
        IndexLease lease = new IndexLease(new MemoryKvStore(), Duration.ofSeconds(5));
        KvStore former = lease.take();
        former.write(put(OLD), true);
        KvStore next = lease.take();

        FaultException refused = assertThrows(FaultException.class, () -> former.write(put(OLD), true));

        assertEquals(FaultCode.UNINIT, refused.code());
        next.write(put(NEW), true);
        assertArrayEquals(NEW, next.get(KEY));
    }

    @Test
    void shouldWaitForAWriteThatIsUnderWaySoThatTheNextEngineSeesIt() throws Exception {
        IndexLease lease = new IndexLease(new Slow(), Duration.ofSeconds(20));
        KvStore former = lease.take();
        CompletableFuture<Void> write = CompletableFuture.runAsync(() -> former.write(put(OLD), true));
        assertTrue(entered.await(10, TimeUnit.SECONDS));

        CompletableFuture<KvStore> next = CompletableFuture.supplyAsync(lease::take);
        medium.countDown();

        assertArrayEquals(OLD, next.get(20, TimeUnit.SECONDS).get(KEY));
        write.get(20, TimeUnit.SECONDS);
    }

    @Test
    void shouldGiveUpAnIndexWhoseMediumHangs() throws Exception {
        IndexLease lease = new IndexLease(new Slow(), Duration.ofMillis(50));
        KvStore former = lease.take();
        assertNull(former.damage());
        CompletableFuture<Void> write = CompletableFuture.runAsync(() -> former.write(put(OLD), true));
        assertTrue(entered.await(10, TimeUnit.SECONDS));

        KvStore lost = lease.take();

        assertNotNull(lost.damage());
        assertEquals(
                FaultCode.IO,
                assertThrows(FaultException.class, () -> lost.get(KEY)).code());
        medium.countDown();
        write.get(20, TimeUnit.SECONDS);
    }
}
