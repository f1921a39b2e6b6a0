package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.storage.bio.Extent;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VosRecordTest {
    private static final long BLOB_BYTES = 1 << 20;
    private static final byte[] AKEY = Keys.under(
            Keys.under(
                    Keys.group(
                            new UUID(1, 1),
                            new UUID(2, 2),
                            ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.SINGLE, 1, 0, 5),
                            0),
                    new byte[] {'d'}),
            new byte[] {'a'});

    private static VosRecord extent(long keyLength, long length, List<Extent> pieces, int chunks) {
        byte[] key = Keys.extent(AKEY, 7, VosRecord.EXTENT, 4096, keyLength);
        return new VosRecord(key, VosRecord.EXTENT, 4096, length, 1, VosRecord.NO_BYTES, pieces, new int[chunks]);
    }

    private static boolean isSound(long keyLength, long length, Extent piece, int chunks) {
        return extent(keyLength, length, List.of(piece), chunks).isSound(BLOB_BYTES);
    }

    @Test
    void shouldKnowARecordThatContradictsItself() {
        Extent piece = new Extent(8192, 40960);
        assertTrue(isSound(40000, 40000, piece, 2));
        assertFalse(isSound(40001, 40000, piece, 2), "its key says another length");
        assertFalse(isSound(40000, 40000, piece, 3), "too many checksums");
        assertFalse(isSound(40000, 40000, piece, 0), "too few");
        assertFalse(isSound(50000, 50000, piece, 2), "longer than its extents");
        assertFalse(isSound(40000, 40000, new Extent(8193, 40960), 2), "between blocks");
        assertFalse(isSound(40000, 40000, new Extent(BLOB_BYTES - 8192, 40960), 2), "behind the blob");
        assertFalse(isSound(1L << 40, 1L << 40, new Extent(0, 1L << 41), 1 << 20), "longer than any value");
    }

    /** Of a damaged entry at most as much is believed as is there. */
    @Test
    void shouldRefuseAnEntryThatIsCutOrChanged() {
        VosRecord r = extent(40000, 40000, List.of(new Extent(8192, 40960)), 2);
        byte[] whole = r.encode();
        whole[whole.length - 12] = 0x7f;
        FaultException e = assertThrows(FaultException.class, () -> VosRecord.decode(r.key(), whole));
        assertEquals(FaultCode.DF_INVAL, e.code());

        Random random = new Random(3);
        for (int i = 0; i < 2000; i++) {
            byte[] odd = r.encode();
            odd[random.nextInt(odd.length)] = (byte) random.nextInt();
            byte[] cut = java.util.Arrays.copyOf(odd, random.nextInt(odd.length + 1));
            try {
                VosRecord.decode(r.key(), cut).isSound(BLOB_BYTES);
            } catch (FaultException refused) {
                assertTrue(refused.code() == FaultCode.DF_INVAL || refused.code() == FaultCode.DF_INCOMPT);
            }
        }
    }
}
