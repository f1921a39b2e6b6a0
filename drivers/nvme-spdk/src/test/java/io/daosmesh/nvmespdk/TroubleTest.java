package io.daosmesh.nvmespdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.DeviceStatus;
import io.daosmesh.spi.contract.Awaited;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An emulated device does wrong what the file beside it says, from the moment it is seen to the moment it is gone. */
@Timeout(120)
class TroubleTest {
    private static final int BLOCK = 4096;
    private static final long SIZE = 4L << 20;

    @TempDir
    Path folder;

    private final NvmeSpdkDriver driver = new NvmeSpdkDriver("1");
    private FileBlockDevice device;

    @BeforeEach
    void open() {
        DeviceSpec spec = new DeviceSpec("file", folder.resolve("ssd0").toString(), SIZE, Map.of());
        device = (FileBlockDevice) driver.open(spec, true).get();
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private void tell(String text) throws IOException {
        Files.writeString(folder.resolve("ssd0.trouble"), text);
        device.lookForTroubles();
    }

    private void clear() throws IOException {
        Files.delete(folder.resolve("ssd0.trouble"));
        device.lookForTroubles();
    }

    private static ByteBuffer filled(int value, int lengthBytes) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(lengthBytes + BLOCK)
                .alignedSlice(BLOCK)
                .slice(0, lengthBytes);
        for (int i = 0; i < lengthBytes; i++) buffer.put(i, (byte) value);
        return buffer;
    }

    private Awaited write(ByteBuffer bytes) {
        Awaited done = new Awaited();
        device.write(0, bytes, done);
        return done;
    }

    private Awaited read(ByteBuffer into) {
        Awaited done = new Awaited();
        device.read(0, into, done);
        return done;
    }

    private Awaited flush() {
        Awaited done = new Awaited();
        device.flush(done);
        return done;
    }

    /** How many bytes of a block differ from the value. */
    private int wrongBytes(int value) {
        ByteBuffer back = filled(0, BLOCK);
        assertEquals(DeviceStatus.OK, read(back).await());
        int wrong = 0;
        for (int i = 0; i < BLOCK; i++) if (back.get(i) != (byte) value) wrong++;
        return wrong;
    }

    @Test
    void shouldHangUntilItIsCleared() throws IOException {
        tell("hang\n");
        Awaited write = write(filled(7, BLOCK));
        Awaited flush = flush();
        Awaited read = read(filled(0, BLOCK));
        assertFalse(write.isAnswered() || flush.isAnswered() || read.isAnswered());

        clear();

        assertEquals(DeviceStatus.OK, write.await());
        assertEquals(DeviceStatus.OK, flush.await());
        assertEquals(DeviceStatus.OK, read.await());
        assertEquals(0, wrongBytes(7));
    }

    /** All it has taken is answered, and nothing of it is done later on. */
    @Test
    void shouldCloseWhileItHangs() throws IOException {
        assertEquals(DeviceStatus.OK, write(filled(1, BLOCK)).await());
        tell("hang");
        Awaited write = write(filled(2, BLOCK));
        Awaited flush = flush();

        device.close();

        assertEquals(DeviceStatus.GONE, write.await());
        assertEquals(DeviceStatus.GONE, flush.await());
        assertEquals(0, device.health().mediaErrors());
        assertEquals(1, Files.readAllBytes(folder.resolve("ssd0"))[0]);
    }

    @Test
    void shouldBeSlow() throws IOException {
        tell("slow 200");
        long startNs = System.nanoTime();

        assertEquals(DeviceStatus.OK, write(filled(7, BLOCK)).await());

        assertTrue(System.nanoTime() - startNs >= TimeUnit.MILLISECONDS.toNanos(199));
        clear();
        assertEquals(0, wrongBytes(7));
    }

    @Test
    void shouldFail() throws IOException {
        tell("fail");

        assertEquals(DeviceStatus.MEDIA_ERROR, write(filled(7, BLOCK)).await());
        assertEquals(DeviceStatus.MEDIA_ERROR, read(filled(0, BLOCK)).await());
        assertEquals(2, device.health().mediaErrors());
        clear();
        assertEquals(BLOCK, wrongBytes(7));
    }

    @Test
    void shouldTearWrites() throws IOException {
        assertEquals(DeviceStatus.OK, write(filled(1, BLOCK)).await());
        tell("tear");

        assertEquals(DeviceStatus.MEDIA_ERROR, write(filled(2, BLOCK)).await());

        assertEquals(BLOCK / 2, wrongBytes(1));
        assertEquals(BLOCK / 2, wrongBytes(2));
    }

    @Test
    void shouldFlipABitOfWhatIsRead() throws IOException {
        assertEquals(DeviceStatus.OK, write(filled(4, BLOCK)).await());
        tell("flip");

        assertEquals(1, wrongBytes(4));
        clear();
        assertEquals(0, wrongBytes(4));
    }

    @Test
    void shouldFlipABitOfWhatIsWrittenAndNotOfTheCallersBytes() throws IOException {
        tell("flip writes");
        ByteBuffer mine = filled(4, BLOCK);

        assertEquals(DeviceStatus.OK, write(mine.duplicate()).await());

        assertEquals(1, wrongBytes(4));
        assertEquals(filled(4, BLOCK), mine);
        clear();
        assertEquals(1, wrongBytes(4), "it stays wrong");
    }

    @Test
    void shouldBeFull() throws IOException {
        assertEquals(DeviceStatus.OK, write(filled(4, BLOCK)).await());
        tell("fill");

        assertEquals(DeviceStatus.NO_SPACE, write(filled(5, BLOCK)).await());
        assertEquals(0, wrongBytes(4));
        assertEquals(0, device.health().mediaErrors());
    }

    @Test
    void shouldSeeTheFileByItself() throws IOException {
        Files.writeString(folder.resolve("ssd0.trouble"), "fail");

        long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(Awaited.DEADLINE_S);
        while (read(filled(0, BLOCK)).await() == DeviceStatus.OK) assertTrue(System.nanoTime() < endNs, "not in time");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "hung", "hang 5", "slow", "slow 0", "slow 600001", "slow x", "flip it", "fail fail fail"})
    void shouldTakeWhatMakesNoSenseForNone(String text) throws IOException {
        tell(text);

        assertEquals(DeviceStatus.OK, write(filled(7, BLOCK)).await());
        String said = assertThrows(IllegalArgumentException.class, () -> Trouble.parse(text))
                .getMessage();
        assertTrue(said.contains("expected hang, slow MS"), said);
    }

    @Test
    void shouldKnowOneTroubleFromAnother() {
        assertEquals(new Trouble(Trouble.Kind.SLOW, 20), Trouble.parse(" SLOW  20\n"));
        assertNotEquals(Trouble.parse("flip reads"), Trouble.parse("flip writes"));
        assertEquals(Trouble.parse("flip"), Trouble.parse("flip reads"));
    }
}
