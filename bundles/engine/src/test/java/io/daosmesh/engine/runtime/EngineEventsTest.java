package io.daosmesh.engine.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.engine.fake.MemoryStorage.MemoryTarget;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.storage.kv.KvBatch;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Events that an engine raises about itself and about what older or newer releases have left. */
@Timeout(60)
class EngineEventsTest {
    private static final byte UNKNOWN_LAYOUT = 99;

    private final MiniMesh mesh = new MiniMesh(2, 1);

    @AfterEach
    void close() {
        mesh.close();
    }

    private MemoryTarget target() {
        return mesh.storages.get(0).target(0);
    }

    /** Another release has written the first byte of the first value under the prefix. */
    private void rewrite(byte[] prefix) {
        byte[] key;
        byte[] value;
        try (KvCursor c = target().kv().cursor(KvRange.prefix(prefix))) {
            assertTrue(c.next());
            key = c.key();
            value = c.value();
        }
        value[0] = UNKNOWN_LAYOUT;
        target().kv().write(new KvBatch().put(key, value), true);
    }

    private long count(RasId id) {
        return mesh.events.stream().filter(e -> e.startsWith(id + " ")).count();
    }

    @Test
    void shouldTellOfABrokenInvariantOnceAndStopTheTarget() {
        mesh.engines.get(0).targets().get(0).run(t -> Invariant.check(false, "two records own %s", "an extent"));
        mesh.engines.get(0).targets().get(0).run(t -> Invariant.check(false, "again"));

        long endNs = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (count(RasId.ENGINE_ASSERTED) == 0 && System.nanoTime() < endNs) LockSupport.parkNanos(1_000_000);
        assertEquals(1, count(RasId.ENGINE_ASSERTED));
        assertEquals(0, count(RasId.DEVICE_MEDIA_ERROR));
    }

    @Test
    void shouldNameTheContainerWhoseRecordsAnotherReleaseWrote() {
        mesh.put(mesh.oid(ObjectClass.RP_2, 1, 5), "k".getBytes(), new byte[] {1});
        mesh.stop(0, false);
        rewrite(Keys.records(mesh.pool));

        mesh.start(0);

        assertTrue(mesh.events.contains(RasId.CONTAINER_DURABLE_FORMAT_INCOMPAT + " " + mesh.container));
        assertEquals(0, count(RasId.POOL_CORRUPTION_DETECTED));
    }

    @Test
    void shouldTellOfAPoolThatAnotherReleaseWrote() {
        mesh.stop(0, false);
        rewrite(Keys.marker(mesh.pool));

        mesh.start(0);

        assertEquals(1, count(RasId.POOL_DURABLE_FORMAT_INCOMPAT));
    }

    @Test
    void shouldTellThatAnEngineDiedAtItsStart() {
        mesh.stop(0, false);
        rewrite(Keys.format());
        EngineRuntime engine = mesh.runtime(0);

        FaultException e = assertThrows(FaultException.class, engine::open);
        engine.startFault(e);
        engine.close();

        assertEquals(1, count(RasId.ENGINE_DIED));
        assertEquals(1, count(RasId.POOL_DURABLE_FORMAT_INCOMPAT));
    }
}
