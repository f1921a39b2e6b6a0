package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device is plugged into a node that runs. */
@Timeout(120)
class AddDeviceTest {
    private static final long MIB = 1L << 20;
    private static final UUID POOL = new UUID(1, 2);

    @TempDir
    private Path folder;

    /** Two targets on two devices. */
    private NodeFixture fixture() {
        NodeFixture f = new NodeFixture(folder, "daos_server", 2, 30_000);
        f.addDriver("1.0.0");
        return f.start();
    }

    private Path plug(String name, long bytes) throws IOException {
        Path file = folder.resolve(name);
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(bytes);
        }
        return file;
    }

    private static List<DeviceInfoMessage> devices(NodeFixture f) {
        return f.node.devices(false).block(NodeFixture.DEADLINE);
    }

    private static UUID add(NodeFixture f, Path file) {
        return Ids.uuid(
                f.node.addDevice(file.toString()).block(NodeFixture.DEADLINE).getUuid());
    }

    private static Fault refusal(NodeFixture f, Path file) {
        return assertThrows(FaultException.class, () -> add(f, file)).fault();
    }

    @Test
    void shouldSeeWhatIsPluggedInAndKeepWhatIsAdded() throws IOException {
        UUID added;
        Path file = folder.resolve("nvme2");
        try (NodeFixture f = fixture()) {
            f.formatted();
            assertEquals(2, devices(f).size());
            plug("nvme2", 64 * MIB);
            plug("nvme2.health", 64 * MIB);
            plug("other7", 64 * MIB);

            DeviceInfoMessage seen = devices(f).get(2);
            assertEquals(3, devices(f).size());
            assertEquals(file.toString(), seen.getAddress());
            assertTrue(seen.getUnlisted());
            assertTrue(seen.getUuid().isEmpty());

            added = add(f, file);

            assertEquals(DeviceState.NEW.shown(), devices(f).get(2).getState());
            assertFalse(devices(f).get(2).getUnlisted());
            assertTrue(f.messages.contains("Detected hot plugged device: " + file), f.messages::toString);
            assertEquals(FaultCode.ALREADY, refusal(f, file).code());
        }
        try (NodeFixture f = fixture()) {
            f.ready();
            assertEquals(added, Ids.uuid(devices(f).get(2).getUuid()));
            assertEquals("NEW", devices(f).get(2).getState());
        }
    }

    @Test
    void shouldReplaceADeviceByOneThatWasAdded() throws IOException {
        UUID added;
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            List<String> heard = new CopyOnWriteArrayList<>();
            storage.listen((device, state, targets, reason) -> heard.add(device + " " + state + targets));
            UUID old = storage.target(0).device();
            f.node.setFaulty(old).block(NodeFixture.DEADLINE);
            storage.tearDown(old);
            NodeFixture.until(() -> storage.deviceState(old) == DeviceState.OUT);

            added = add(f, plug("nvme7", 64 * MIB));
            UUID next = added;
            NodeFixture.until(() -> heard.contains(next + " NEW[]"));
            f.node.replace(old, added).block(NodeFixture.DEADLINE);

            assertEquals(added, storage.target(0).device());
            NodeFixture.until(() -> heard.contains(next + " NORMAL[0]"));
        }
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            assertEquals(added, storage.target(0).device());
            assertEquals(DeviceState.NORMAL, storage.deviceState(added));
        }
    }

    @Test
    void shouldTakeNothingInThatIsNotBlank() throws IOException {
        try (NodeFixture f = fixture()) {
            f.formatted();
            Path written = plug("nvme2", 64 * MIB);
            try (RandomAccessFile file = new RandomAccessFile(written.toFile(), "rw")) {
                file.write(7);
            }
            assertEquals(FaultCode.INVAL, refusal(f, written).code());
            assertTrue(refusal(f, written).remedy().contains("zeros"));
            Files.delete(written);
            assertEquals(FaultCode.NONEXIST, refusal(f, written).code());
            assertEquals(
                    FaultCode.NONEXIST, refusal(f, plug("other7", 64 * MIB)).code());
            assertEquals(FaultCode.INVAL, refusal(f, plug("nvme3", MIB)).code());
            f.taken = Set.of(plug("nvme4", 64 * MIB).toString());
            assertEquals(FaultCode.NONEXIST, refusal(f, folder.resolve("nvme4")).code());
            Path foreign = folder.resolve("nvme5");
            Files.copy(folder.resolve("nvme0"), foreign);
            assertEquals(FaultCode.EXIST, refusal(f, foreign).code());
            assertEquals(2, devices(f).stream().filter(d -> !d.getUnlisted()).count());
        }
    }

    /** The header is written first: a device whose tables could not follow is the same one at the next try. */
    @Test
    void shouldKeepTheIdentityThatADeviceHas() throws IOException {
        Path file = folder.resolve("nvme2");
        UUID first;
        byte[] before;
        Path tables = folder.resolve("scm/smd");
        try (NodeFixture f = fixture()) {
            f.formatted();
            before = Files.readAllBytes(tables);
            first = add(f, plug("nvme2", 64 * MIB));
        }
        Files.write(tables, before);
        try (NodeFixture f = fixture()) {
            f.ready();
            assertTrue(devices(f).get(2).getUnlisted());
            assertEquals(first, add(f, file));
        }
    }

    @Test
    void shouldFormatWhatWasAddedToo() throws IOException {
        try (NodeFixture f = fixture()) {
            f.formatted();
            add(f, plug("nvme2", 64 * MIB));
            add(f, plug("nvme3", 64 * MIB));
            Files.delete(folder.resolve("nvme3"));

            List<FormatResultMessage> results =
                    f.node.format("daos_server", true).block(NodeFixture.DEADLINE);

            assertEquals(4, results.size(), "SCM and three devices");
            f.ready();
            List<String> listed = new ArrayList<>();
            for (DeviceInfoMessage d : devices(f)) listed.add(d.getAddress() + d.getTargetsList());
            assertEquals(List.of(folder + "/nvme0[0]", folder + "/nvme1[1]", folder + "/nvme2[]"), listed);
        }
    }

    /** What the configuration names later is formatted by itself. */
    @Test
    void shouldGiveAnIdentityToADeviceThatIsConfiguredLater() {
        UUID spare;
        try (NodeFixture f = fixture()) {
            f.formatted();
        }
        try (NodeFixture f = NodeFixture.withSpare(folder)) {
            f.addDriver("1.0.0");
            f.start().ready();
            spare = Ids.uuid(devices(f).get(2).getUuid());
            assertEquals("NEW", devices(f).get(2).getState());
        }
        try (NodeFixture f = NodeFixture.withSpare(folder)) {
            f.addDriver("1.0.0");
            f.start().ready();
            assertEquals(spare, Ids.uuid(devices(f).get(2).getUuid()));
        }
    }
}
