package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.spi.DeviceInfo;
import io.daosmesh.spi.DeviceResult;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.storage.Blob;
import io.daosmesh.storage.BufferPool;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.halt.Halter;
import io.daosmesh.storage.halt.HaltingScm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A device takes the place of one that is out. */
@Timeout(120)
class ReplaceTest {
    private static final long MIB = 1L << 20;
    private static final UUID POOL = new UUID(1, 2);

    @TempDir
    private Path folder;

    private final Lights lights = new Lights();

    /** Lights of a chassis that outlive nothing. */
    private static final class Lights implements LedDriver {
        private final Map<String, LedState> lit = new ConcurrentHashMap<>();

        @Override
        public String name() {
            return "lights";
        }

        @Override
        public String version() {
            return "1.0.0";
        }

        @Override
        public boolean covers(DeviceInfo device) {
            return true;
        }

        @Override
        public DeviceResult<LedState> led(DeviceInfo device) {
            return DeviceResult.ok(lit.getOrDefault(device.address(), LedState.OFF));
        }

        @Override
        public DeviceResult<LedState> setLed(DeviceInfo device, LedState state) {
            lit.put(device.address(), state);
            return DeviceResult.ok(state);
        }
    }

    private NodeFixture fixture() {
        return fixture(folder);
    }

    private NodeFixture fixture(Path at) {
        NodeFixture f = NodeFixture.withSpare(at);
        f.addDriver("1.0.0");
        f.drivers.led().add(lights, Map.of());
        return f.start();
    }

    private static List<DeviceInfoMessage> devices(NodeFixture f) {
        return f.node.devices(false).block(NodeFixture.DEADLINE);
    }

    private static UUID uuid(DeviceInfoMessage device) {
        return Ids.uuid(device.getUuid());
    }

    private static List<String> states(NodeFixture f) {
        return devices(f).stream()
                .map(d -> d.getState() + d.getTargetsList() + d.getLed())
                .toList();
    }

    /** As an engine does, which has taken its targets out. */
    private static void putOut(NodeFixture f, EngineStorage storage, UUID device) {
        f.node.setFaulty(device).block(NodeFixture.DEADLINE);
        storage.tearDown(device);
        NodeFixture.until(() -> storage.deviceState(device) == DeviceState.OUT);
    }

    private static Fault refusal(NodeFixture f, UUID old, UUID next) {
        return assertThrows(
                        FaultException.class, () -> f.node.replace(old, next).block(NodeFixture.DEADLINE))
                .fault();
    }

    private static void write(EngineStorage storage, Blob blob, byte what) {
        try (BufferPool.Buffer b = storage.buffers().take(4096)) {
            for (int i = 0; i < b.bytes().capacity(); i++) b.bytes().put(i, what);
            assertTrue(NodeFixture.write(blob, 0, b.bytes()).isEmpty());
            assertTrue(NodeFixture.flush(blob).isEmpty());
        }
    }

    private static byte read(EngineStorage storage, Blob blob) {
        try (BufferPool.Buffer b = storage.buffers().take(4096)) {
            ByteBuffer bytes = b.bytes();
            assertEquals(java.util.Optional.empty(), NodeFixture.read(blob, 0, bytes));
            return bytes.get(0);
        }
    }

    @Test
    void shouldShowADeviceWithoutTargetsAsNew() {
        try (NodeFixture f = fixture()) {
            f.formatted();

            assertEquals(List.of("NORMAL[0]OFF", "NORMAL[1]OFF", "NEW[]OFF"), states(f));
            assertEquals(0, devices(f).get(2).getFreeBytes(), "of which no pool gets anything");
        }
        try (NodeFixture f = fixture()) {
            f.ready();
            assertEquals("NEW[]OFF", states(f).get(2));
        }
    }

    @Test
    void shouldGoOnWithANewDeviceAndKeepThat() {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();
            write(storage, blob, (byte) 7);
            long before = blob.blobId();
            List<String> told = new CopyOnWriteArrayList<>();
            storage.listen((d, state, targets, reason) -> told.add(state + "" + targets));
            List<DeviceInfoMessage> devices = devices(f);
            UUID old = uuid(devices.get(0));
            UUID next = uuid(devices.get(2));
            putOut(f, storage, old);
            assertEquals("EVICTED[0]ON", states(f).get(0));
            told.clear();

            f.node.replace(old, next).block(NodeFixture.DEADLINE);

            assertEquals(List.of("EVICTED[]OFF", "NORMAL[1]OFF", "NORMAL[0]OFF"), states(f));
            assertEquals(List.of("OUT[]", "NORMAL[0]"), told);
            assertEquals(next, storage.target(0).device());
            assertNotEquals(before, blob.blobId());
            assertEquals(0, read(storage, blob), "nothing is on the new device");
            write(storage, blob, (byte) 8);
            assertEquals(8, read(storage, blob));
            assertTrue(f.messages.contains("Replaced device: " + old + " with device: " + next), f.messages::toString);
            assertEquals(
                    0, f.events.stream().filter(e -> e == RasId.DEVICE_PLUGGED).count());
        }
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            assertEquals(List.of("EVICTED[]OFF", "NORMAL[1]OFF", "NORMAL[0]OFF"), states(f));
            assertEquals(8, read(storage, storage.target(0).pool(POOL).blob()));
            storage.reservePool(new UUID(3, 4), MIB, 16 * MIB);
        }
    }

    @Test
    void shouldBeAsBeforeWhenTheTablesCannotBeWritten() throws IOException {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            storage.listen((d, state, targets, reason) -> {});
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();
            long before = blob.blobId();
            List<DeviceInfoMessage> devices = devices(f);
            UUID old = uuid(devices.get(0));
            putOut(f, storage, old);
            Path inTheWay = Files.createDirectory(folder.resolve("scm/smd.new"));

            assertEquals(FaultCode.IO, refusal(f, old, uuid(devices.get(2))).code());

            assertEquals(List.of("EVICTED[0]ON", "NORMAL[1]OFF", "NEW[]OFF"), states(f));
            assertEquals(before, blob.blobId());
            Files.delete(inTheWay);
            f.node.replace(old, uuid(devices.get(2))).block(NodeFixture.DEADLINE);
            assertEquals(List.of("EVICTED[]OFF", "NORMAL[1]OFF", "NORMAL[0]OFF"), states(f));
        }
    }

    /** A process that replaces a device and ends at a point of it. */
    static final class Killed {
        private static final int NOT_REACHED = 4;

        private Killed() {}

        /** Arguments: folder, point. */
        public static void main(String[] args) {
            Halter halter = new Halter(Halter.Point.of(args[1]));
            NodeFixture f = NodeFixture.withSpare(Path.of(args[0]));
            f.drivers.scm().remove(f.pmem);
            f.drivers.scm().add(new HaltingScm(f.pmem, halter), Map.of());
            f.addDriver("1.0.0");
            EngineStorage storage = f.start().ready();
            halter.onStarted();
            storage.listen((d, state, targets, reason) -> {});
            UUID old = uuid(devices(f).get(0));
            putOut(f, storage, old);
            f.node.replace(old, uuid(devices(f).get(2))).block(NodeFixture.DEADLINE);
            System.exit(NOT_REACHED);
        }
    }

    private static int killedAt(Path at, Halter.Point point) throws IOException, InterruptedException {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        Process child = new ProcessBuilder(
                        java, "-Xmx128m", "-cp", classPath, Killed.class.getName(), at.toString(), point.toString())
                .redirectErrorStream(true)
                .redirectOutput(at.resolve("child.log").toFile())
                .start();
        if (!child.waitFor(60, TimeUnit.SECONDS)) child.destroyForcibly().waitFor();
        return child.exitValue();
    }

    /** The first write of the tables notes that the device is faulty, the second one is the replacement. */
    @Test
    @Tag("slow")
    void shouldHaveOldOrNewTablesWhereverItIsKilled() throws Exception {
        List<String> before = List.of("EVICTED[0]ON", "NORMAL[1]OFF", "NEW[]OFF");
        List<String> after = List.of("EVICTED[]OFF", "NORMAL[1]OFF", "NORMAL[0]OFF");
        Map<Halter.Point, List<String>> expected = Map.of(
                new Halter.Point("smd.write", Halter.When.HALF, 2), before,
                new Halter.Point("smd.rename", Halter.When.BEFORE, 2), before,
                new Halter.Point("smd.rename", Halter.When.AFTER, 2), after);
        for (Map.Entry<Halter.Point, List<String>> e : expected.entrySet()) {
            Path at = Files.createDirectory(folder.resolve(e.getKey().toString().replace(':', '-')));
            try (NodeFixture f = fixture(at)) {
                f.formatted().reservePool(POOL, MIB, 16 * MIB);
            }

            assertEquals(
                    Halter.STATUS, killedAt(at, e.getKey()), () -> e.getKey().toString());

            lights.lit.clear();
            try (NodeFixture f = fixture(at)) {
                EngineStorage storage = f.ready();
                assertEquals(e.getValue(), states(f), e.getKey().toString());
                storage.listen((d, state, targets, reason) -> {});
                List<DeviceInfoMessage> devices = devices(f);
                UUID old = uuid(devices.get(0));
                if (e.getValue() == before)
                    f.node.replace(old, uuid(devices.get(2))).block(NodeFixture.DEADLINE);
                assertEquals(after, states(f));
                write(storage, storage.target(0).pool(POOL).blob(), (byte) 5);
            }
        }
    }

    @Test
    void shouldUseAnEvictedDeviceAgain() {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            storage.listen((d, state, targets, reason) -> {});
            storage.reservePool(POOL, MIB, 16 * MIB);
            Blob blob = storage.target(0).pool(POOL).blob();
            long before = blob.blobId();
            UUID device = storage.target(0).device();
            putOut(f, storage, device);

            f.node.replace(device, device).block(NodeFixture.DEADLINE);

            assertEquals("NORMAL[0]OFF", states(f).get(0));
            assertNotEquals(before, blob.blobId());
            write(storage, blob, (byte) 9);
            assertEquals(47 * MIB, devices(f).get(0).getFreeBytes());
        }
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.ready();
            assertEquals("NORMAL[0]OFF", states(f).get(0));
            assertEquals(9, read(storage, storage.target(0).pool(POOL).blob()));
        }
    }

    @Test
    void shouldRefuseWhatCannotTakeThePlaceOfAnother() {
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            List<DeviceInfoMessage> devices = devices(f);
            UUID used = uuid(devices.get(0));
            UUID other = uuid(devices.get(1));
            UUID spare = uuid(devices.get(2));
            UUID unknown = new UUID(9, 9);
            assertEquals(FaultCode.INVAL, refusal(f, used, spare).code(), "it serves");
            assertTrue(refusal(f, used, spare).remedy().contains("nvme-faulty"));
            assertEquals(FaultCode.NONEXIST, refusal(f, unknown, spare).code());
            assertEquals(FaultCode.INVAL, refusal(f, spare, other).code(), "it has nothing to be replaced");

            f.node.setFaulty(used).block(NodeFixture.DEADLINE);
            assertEquals(FaultCode.BUSY, refusal(f, used, spare).code(), "its targets are in their pools");
            storage.tearDown(used);
            NodeFixture.until(() -> storage.deviceState(used) == DeviceState.OUT);
            assertEquals(FaultCode.NONEXIST, refusal(f, used, unknown).code());
            assertEquals(FaultCode.INVAL, refusal(f, used, other).code(), "in use");
            assertEquals(FaultCode.UNINIT, refusal(f, used, spare).code(), "no engine runs");
            f.node.setFaulty(spare).block(NodeFixture.DEADLINE);
            assertEquals(FaultCode.INVAL, refusal(f, used, spare).code(), "the new one is evicted too");

            assertTrue(f.messages.stream().anyMatch(m -> m.endsWith("failed: DER_BUSY(-1012)")), f.messages::toString);
            assertEquals(List.of("EVICTED[0]ON", "NORMAL[1]OFF", "EVICTED[]OFF"), states(f));
        }
    }

    /** Nobody asks anything of it. */
    @Test
    void shouldNoticeThatADeviceIsPulledOutAndPluggedInAgain() throws IOException {
        try (NodeFixture f = NodeFixture.withSpare(folder, 200)) {
            f.addDriver("1.0.0");
            f.drivers.led().add(lights, Map.of());
            f.start();
            EngineStorage storage = f.formatted();
            storage.listen((d, state, targets, reason) -> {});
            storage.reservePool(POOL, MIB, 16 * MIB);
            List<DeviceInfoMessage> devices = devices(f);
            Path file = Path.of(devices.get(0).getAddress());
            Path spareFile = Path.of(devices.get(2).getAddress());
            Files.move(file, folder.resolve("drawer"));
            Files.move(spareFile, folder.resolve("drawer2"));
            NodeFixture.until(() -> states(f).equals(List.of("UNPLUGGED[0]OFF", "NORMAL[1]OFF", "UNPLUGGED[]OFF")));
            UUID old = uuid(devices.get(0));
            UUID spare = uuid(devices.get(2));
            assertEquals(FaultCode.BUSY, refusal(f, old, spare).code());

            // a pool that is made meanwhile has its space there
            storage.reservePool(new UUID(3, 4), MIB, 16 * MIB);
            Files.move(folder.resolve("drawer"), file);
            NodeFixture.until(() -> states(f).get(0).equals("NORMAL[0]OFF"));
            Files.move(folder.resolve("drawer2"), spareFile);
            NodeFixture.until(() -> states(f).get(2).equals("NEW[]OFF"));

            // one that is gone for good is replaced, and what comes back then is out
            Files.move(file, folder.resolve("drawer"));
            NodeFixture.until(() -> states(f).get(0).equals("UNPLUGGED[0]OFF"));
            storage.tearDown(old);
            f.node.replace(old, spare).block(NodeFixture.DEADLINE);
            Files.move(folder.resolve("drawer"), file);
            NodeFixture.until(() -> states(f).equals(List.of("EVICTED[]OFF", "NORMAL[1]OFF", "NORMAL[0]OFF")));
        }
    }

    @Test
    void shouldKeepTheLightOfAnEvictedDeviceOn() {
        UUID device;
        try (NodeFixture f = fixture()) {
            EngineStorage storage = f.formatted();
            device = storage.target(0).device();
            putOut(f, storage, device);

            f.node.led(device, "QUICK_BLINK").block(NodeFixture.DEADLINE);
            assertEquals("EVICTED[0]QUICK_BLINK", states(f).get(0));
            assertEquals(
                    "ON", f.node.led(device, "OFF").block(NodeFixture.DEADLINE).getLed());

            lights.lit.clear();
            f.node.onLedDriver();
            NodeFixture.until(() -> states(f).get(0).equals("EVICTED[0]ON"));
        }
        lights.lit.clear();
        try (NodeFixture f = fixture()) {
            f.ready();
            assertEquals("EVICTED[0]ON", states(f).get(0));
        }
    }
}
