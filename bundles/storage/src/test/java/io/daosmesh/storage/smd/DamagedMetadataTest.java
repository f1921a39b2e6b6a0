package io.daosmesh.storage.smd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fuzz.Fuzz;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Structures on disk that are damaged, or that somebody has made up, checksum and all. */
@Tag("fuzz")
class DamagedMetadataTest {
    private static final UUID ID = new UUID(7, 9);

    /** The raw bytes, and the payload in a frame that is right. */
    private static void damage(String name, Frame.Kind kind, byte[] good, Fuzz.Reader reader) throws Exception {
        Fuzz.of(name).good(good).run(reader);
        byte[] payload = Frame.decode(kind, good).array();
        Fuzz.of(name + " within its frame").good(payload).run(p -> reader.read(Frame.encode(kind, p)));
    }

    private static Smd smd() {
        List<Smd.Device> devices = List.of(
                new Smd.Device(ID, "a", 101 << 20, false, List.of()),
                new Smd.Device(new UUID(7, 10), "b", 101 << 20, true, List.of()));
        return Smd.first(devices, 4).withPool(ID, 1 << 20, 20 << 20, 4, 1 << 30);
    }

    private static Frame.Kind smdKind() {
        ByteBuffer header = ByteBuffer.wrap(smd().encode(0)).order(ByteOrder.LITTLE_ENDIAN);
        return new Frame.Kind("server metadata", header.getLong(), header.getInt());
    }

    private static Frame.Kind noteKind(byte[] note) {
        ByteBuffer header = ByteBuffer.wrap(note).order(ByteOrder.LITTLE_ENDIAN);
        return new Frame.Kind("note", header.getLong(), header.getInt());
    }

    @Test
    void shouldRefuseDamagedSuperblock() throws Exception {
        byte[] good = new Superblock(ID, "daos_server", 0, 3, 4, 1234567).encode();
        damage("superblock", Superblock.kind(0), good, b -> Superblock.decode(0, b));
    }

    @Test
    void shouldRefuseDamagedDeviceHeader() throws Exception {
        byte[] good = new DeviceHeader(ID, ID, "daos_server", 1L << 33).encode("a");
        damage("device header", DeviceHeader.kind("a"), good, b -> DeviceHeader.decode("a", b));
    }

    @Test
    void shouldRefuseDamagedServerMetadata() throws Exception {
        damage("server metadata", smdKind(), smd().encode(0), b -> Smd.decode(0, b));
    }

    @Test
    void shouldRefuseDamagedIndexNote() throws Exception {
        byte[] good = new IndexNote(ID, IndexNote.State.DAMAGED, 77, "short").encode(2);
        damage("index note", noteKind(good), good, b -> IndexNote.decode(2, b));
    }

    @Test
    void shouldSayThatServerMetadataEndsEarly() {
        byte[] payload = Frame.decode(smdKind(), smd().encode(0)).array();
        for (int length = 0; length < payload.length; length++) {
            byte[] cut = Frame.encode(smdKind(), Arrays.copyOf(payload, length));
            FaultException e = assertThrows(FaultException.class, () -> Smd.decode(0, cut));
            assertEquals(FaultCode.DF_INVAL, e.code());
        }
    }
}
