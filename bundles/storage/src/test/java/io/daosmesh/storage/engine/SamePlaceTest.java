package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A new device is put where another one was, which the tables still know. */
@Timeout(120)
class SamePlaceTest {
    private static final long MIB = 1L << 20;
    private static final UUID POOL = new UUID(1, 2);
    private static final int GRACE_MS = 300;

    @TempDir
    private Path folder;

    private NodeFixture fixture() {
        NodeFixture f = new NodeFixture(folder, "daos_server", 2, GRACE_MS);
        f.addDriver("1.0.0");
        return f.start();
    }

    private Path place() {
        return folder.resolve("nvme0");
    }

    private void pull() throws IOException {
        Files.move(place(), folder.resolve("aside"));
        Files.deleteIfExists(folder.resolve("nvme0.health"));
    }

    private void plug(int first) throws IOException {
        Path made = folder.resolve("made");
        try (RandomAccessFile file = new RandomAccessFile(made.toFile(), "rw")) {
            file.write(first);
            file.setLength(64 * MIB);
        }
        Files.move(made, place());
    }

    private static List<DeviceInfoMessage> devices(NodeFixture f) {
        return f.node.devices(false).block(NodeFixture.DEADLINE);
    }

    private Optional<DeviceInfoMessage> other(NodeFixture f, UUID old) {
        return devices(f).stream()
                .filter(d -> d.getAddress().equals(place().toString()))
                .filter(d -> !d.getUuid().isEmpty() && !Ids.uuid(d.getUuid()).equals(old))
                .findFirst();
    }

    private UUID awaitNew(NodeFixture f, UUID old) {
        NodeFixture.until(() -> other(f, old).isPresent());
        assertEquals("NEW", other(f, old).orElseThrow().getState());
        return Ids.uuid(other(f, old).orElseThrow().getUuid());
    }

    private static void evict(NodeFixture f, EngineStorage storage, UUID old) {
        f.node.setFaulty(old).block(NodeFixture.DEADLINE);
        storage.tearDown(old);
        NodeFixture.until(() -> storage.deviceState(old) == DeviceState.OUT);
    }

    @Test
    void shouldReplaceAnEvictedDeviceByOneInItsPlace() throws IOException {
        UUID old;
        UUID next;
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            storage.listen((device, state, targets, reason) -> {});
            storage.reservePool(POOL, MIB, 16 * MIB);
            old = storage.target(0).device();
            evict(f, storage, old);
            pull();
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.UNPLUGGED);
            plug(0);

            next = awaitNew(f, old);
            storage.tearDown(old);
            f.node.replace(old, next).block(NodeFixture.DEADLINE);

            assertEquals(next, storage.target(0).device());
            assertEquals(DeviceState.NORMAL, storage.deviceState(next));
            assertEquals(DeviceState.UNPLUGGED, storage.deviceState(old));
            assertEquals(3, devices(f).size());
        }
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            assertEquals(next, storage.target(0).device());
            assertEquals(DeviceState.NORMAL, storage.deviceState(next));
        }
    }

    /** Before anybody sees that the old one is away: what is out is not read, so that it would be taken for the old one. */
    @Test
    void shouldNotTakeANewDeviceForTheEvictedOne() throws IOException {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            UUID old = storage.target(0).device();
            evict(f, storage, old);
            pull();
            NodeFixture.until(() -> f.node.engine().slots().known(old).current() == null);
            plug(0);

            awaitNew(f, old);
        }
    }

    /** The node was off meanwhile. */
    @Test
    void shouldTakeInABlankDeviceThatIsThereAtTheStart() throws IOException {
        UUID old;
        UUID next;
        try (NodeFixture f = fixture()) {
            old = f.formatted().target(0).device();
        }
        pull();
        plug(0);
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            storage.listen((device, state, targets, reason) -> {});
            next = awaitNew(f, old);
            storage.tearDown(old);
            f.node.replace(old, next).block(NodeFixture.DEADLINE);
        }
        try (NodeFixture f = fixture()) {
            assertEquals(next, f.ready().target(0).device());
            assertEquals(DeviceState.NORMAL, f.ready().deviceState(next));
        }
    }

    @Test
    void shouldServeAgainWhenTheOldOneIsPutBack() throws IOException {
        UUID old;
        UUID next;
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            old = storage.target(0).device();
            pull();
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.UNPLUGGED);
            plug(0);
            next = awaitNew(f, old);
        }
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.UNPLUGGED);
            assertEquals(DeviceState.NEW, storage.deviceState(next));
            Files.move(place(), folder.resolve("new"));
            NodeFixture.until(() -> storage.deviceState(next) == DeviceState.UNPLUGGED);
            Files.move(folder.resolve("aside"), place());
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.NORMAL);
            assertEquals(DeviceState.UNPLUGGED, storage.deviceState(next));
        }
    }

    @Test
    void shouldLeaveAloneWhatIsNotBlank() throws IOException {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            UUID old = storage.target(0).device();
            pull();
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.UNPLUGGED);
            plug(7);
            NodeFixture.until(() -> !f.node.engine().slots().strangers().isEmpty());

            FaultException refused = Assertions.assertThrows(
                    FaultException.class,
                    () -> f.node.addDevice(place().toString()).block(NodeFixture.DEADLINE));

            assertEquals(FaultCode.INVAL, refused.code());
            assertTrue(refused.fault().remedy().contains("zeros"));
            assertEquals(2, devices(f).size());
        }
    }
}
