package io.daosmesh.storage.smd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class SmdTest {
    private static final long MIB = 1L << 20;

    private static UUID id(int n) {
        return new UUID(0, n);
    }

    private static Smd fresh() {
        List<Smd.Device> devices = List.of(
                new Smd.Device(id(1), "a", 101 * MIB, false, List.of()),
                new Smd.Device(id(2), "b", 101 * MIB, false, List.of()));
        return Smd.first(devices, 4);
    }

    private static FaultCode code(Runnable work) {
        return assertThrows(FaultException.class, work::run).code();
    }

    @Test
    void shouldSpreadTargetsRoundRobin() {
        assertEquals(List.of(0, 2), fresh().devices().get(0).targets());
        assertEquals(List.of(1, 3), fresh().devices().get(1).targets());
        assertEquals(id(2), fresh().deviceOf(3).orElseThrow().uuid());
    }

    @Test
    void shouldReserveOnceAndRelease() {
        Smd smd = fresh().withPool(id(9), 5, 20 * MIB, 4, 100);

        assertEquals(60 * MIB, smd.freeBytes(id(1)));
        assertEquals(20, smd.scmReservedBytes(4));
        assertSame(smd, smd.withPool(id(9), 5, 20 * MIB, 4, 0), "again: no change");
        assertEquals(FaultCode.EXIST, code(() -> smd.withPool(id(9), 6, 20 * MIB, 4, 100)));
        assertEquals(100 * MIB, smd.withoutPool(id(9)).freeBytes(id(1)));
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        assertEquals(FaultCode.NOSPACE, code(() -> fresh().withPool(id(9), 26, MIB, 4, 100)));
        assertEquals(FaultCode.NOSPACE, code(() -> fresh().withPool(id(9), 1, 51 * MIB, 4, 100)));
        fresh().withPool(id(9), 25, 50 * MIB, 4, 100);
    }

    private static Smd withSpare(long sizeBytes) {
        List<Smd.Device> devices = new java.util.ArrayList<>(
                fresh().withPool(id(9), 5, 20 * MIB, 4, 100).devices());
        devices.add(new Smd.Device(id(3), "c", sizeBytes, false, List.of()));
        Smd made = fresh().withPool(id(9), 5, 20 * MIB, 4, 100);
        return new Smd(made.nextBlobId(), devices, made.pools());
    }

    @Test
    void shouldMoveTargetsToAnotherDevice() {
        Smd before = withSpare(101 * MIB);

        Smd after = Smd.decode(0, before.withReplaced(id(1), id(3)).encode(0));

        assertEquals(
                new Smd.Device(id(1), "a", 101 * MIB, true, List.of()),
                after.devices().get(0));
        assertEquals(before.devices().get(1), after.devices().get(1));
        assertEquals(
                new Smd.Device(id(3), "c", 101 * MIB, false, List.of(0, 2)),
                after.devices().get(2));
        assertEquals(100 * MIB, after.freeBytes(id(1)));
        assertEquals(60 * MIB, after.freeBytes(id(3)));
        for (int i = 0; i < 4; i++) {
            Smd.BlobSpace was = before.pools().get(0).blobs().get(i);
            Smd.BlobSpace is = after.pools().get(0).blobs().get(i);
            boolean isMoved = was.device().equals(id(1));
            assertEquals(was.target(), is.target());
            assertEquals(was.sizeBytes(), is.sizeBytes());
            assertEquals(isMoved ? id(3) : id(2), is.device());
            assertEquals(isMoved, is.blobId() >= before.nextBlobId());
        }
        assertEquals(before.nextBlobId() + 2, after.nextBlobId());
    }

    @Test
    void shouldBeginAnewOnTheSameDevice() {
        Smd before = withSpare(101 * MIB).withFaulty(id(1), true);

        Smd after = before.withReplaced(id(1), id(1));

        assertEquals(
                new Smd.Device(id(1), "a", 101 * MIB, false, List.of(0, 2)),
                after.devices().get(0));
        assertEquals(60 * MIB, after.freeBytes(id(1)));
        assertEquals(before.nextBlobId() + 2, after.nextBlobId());
    }

    @Test
    void shouldRefuseADeviceThatIsTooSmall() {
        assertEquals(FaultCode.NOSPACE, code(() -> withSpare(40 * MIB).withReplaced(id(1), id(3))));
        withSpare(41 * MIB).withReplaced(id(1), id(3));
    }

    @Test
    void shouldUseHolesOfReleasedPools() {
        Smd smd = fresh().withPool(id(1), 0, 20 * MIB, 4, 0)
                .withPool(id(2), 0, 20 * MIB, 4, 0)
                .withoutPool(id(1))
                .withPool(id(3), 0, 29 * MIB, 4, 0);

        assertEquals(2 * MIB, smd.freeBytes(id(1)));
        assertTrue(smd.pool(id(3)).orElseThrow().blobs().stream()
                .anyMatch(b -> b.extents().size() > 1));
    }

    @Test
    void shouldComeBackFromBytes() {
        Smd smd = fresh().withPool(id(9), 5, 20 * MIB, 4, 100).withFaulty(id(2), true);

        assertEquals(smd, Smd.decode(0, smd.encode(0)));
        Superblock superblock = new Superblock(id(4), "daos_server", 1, 7, 4, 12345);
        assertEquals(superblock, Superblock.decode(1, superblock.encode()));
        DeviceHeader header = new DeviceHeader(id(1), id(2), "daos_server", 99);
        assertEquals(header, DeviceHeader.decode("a", header.encode("a")));
    }

    @Test
    void shouldRefuseDamageWithOneClearFault() {
        byte[] good = fresh().encode(0);
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x40;
            assertEquals(FaultCode.DF_INVAL, code(() -> Smd.decode(0, bad)), "byte " + i);
        }
        for (int length = 0; length < good.length; length += 7) {
            byte[] cut = Arrays.copyOf(good, length);
            assertEquals(FaultCode.DF_INVAL, code(() -> Smd.decode(0, cut)), "cut at " + length);
        }
    }

    /** Older releases have left no checksum of the envelope; a version that is not damaged is that of another release. */
    @Test
    void shouldReadWhatOlderReleasesWroteAndRefuseOtherLayouts() {
        byte[] old = fresh().encode(0);
        Arrays.fill(old, 20, 24, (byte) 0);
        assertEquals(fresh(), Smd.decode(0, old));

        old[8] ^= 0x40;
        assertEquals(FaultCode.DF_INCOMPT, code(() -> Smd.decode(0, old)));
    }

    /** They know one flag only and would take an added device for a faulty one. */
    @Test
    void shouldBeReadByOlderReleasesUnlessADeviceWasAdded() {
        Smd.Device added = new Smd.Device(id(3), "c", 101 * MIB, false, true, List.of());
        byte[] without = fresh().encode(0);
        byte[] with = fresh().withDevice(added).encode(0);

        assertEquals(1, without[8]);
        assertEquals(2, with[8]);
        assertEquals(fresh().withDevice(added), Smd.decode(0, with));
        // as builds between have written it
        byte[] between = Frame.encode(
                new Frame.Kind(
                        "server metadata",
                        ByteBuffer.wrap(with).order(ByteOrder.LITTLE_ENDIAN).getLong(),
                        1),
                Arrays.copyOfRange(with, Frame.HEADER_BYTES, with.length));
        assertEquals(fresh().withDevice(added), Smd.decode(0, between));
    }

    @Test
    void shouldRefuseAFlagItDoesNotKnow() {
        byte[] payload = Arrays.copyOfRange(fresh().encode(0), Frame.HEADER_BYTES, fresh().encode(0).length);
        int flags = 8 + 4 + 16 + 4 + 1 + 8;
        assertEquals(0, payload[flags]);
        payload[flags] = 4;
        long magic = ByteBuffer.wrap(fresh().encode(0))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        byte[] strange = Frame.encode(new Frame.Kind("server metadata", magic, 1), payload);

        assertEquals(FaultCode.DF_INVAL, code(() -> Smd.decode(0, strange)));
    }

    @Test
    void shouldRefuseMorePoolsThanTheLimit() {
        Smd smd = fresh();
        for (int i = 0; i < Smd.POOLS_MAX; i++) smd = smd.withPool(id(i), 0, 0, 4, 0);
        Smd full = smd;

        assertEquals(FaultCode.NOSPACE, code(() -> full.withPool(id(-1), 0, 0, 4, 0)));
    }
}
