package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.List;
import org.junit.jupiter.api.Test;

class OriginsTest {
    private static VosRecord record(long epoch, int length, Origins origins) {
        byte[] key = Keys.extent(new byte[] {'R', 0, 1}, epoch, VosRecord.EXTENT, 100, length);
        VosRecord r = VosRecord.inline(key, VosRecord.EXTENT, 100, 7, new byte[length]);
        return r.withOrigins(origins);
    }

    @Test
    void shouldTellOfWhatIsLeftAlone() {
        VosRecord merged = record(
                9, 30, new Origins(List.of(new Origins.Part(10, 5), new Origins.Part(20, 9), new Origins.Part(30, 6))));
        Origins.Builder b = new Origins.Builder();

        b.add(merged, 5, 20);
        b.add(record(9, 4, Origins.NONE), 0, 4);
        b.add(record(3, 4, Origins.NONE), 1, 2);
        Origins of = b.build(9);

        assertEquals(List.of(new Origins.Part(5, 5), new Origins.Part(19, 9), new Origins.Part(20, 3)), of.parts());
        assertTrue(of.has(5) && of.has(9) && of.has(3));
        assertFalse(of.has(6));
    }

    @Test
    void shouldKeepNothingForWhatOneUpdateHasWritten() {
        Origins.Builder b = new Origins.Builder();
        b.add(record(9, 30, Origins.NONE), 5, 20);
        b.add(record(9, 30, Origins.NONE), 20, 25);

        assertEquals(Origins.NONE, b.build(9));
    }

    @Test
    void shouldLieInTheIndexWithTheRecord() {
        Origins origins = new Origins(List.of(new Origins.Part(10, 5), new Origins.Part(30, 9)));
        VosRecord r = record(9, 30, origins);

        VosRecord found = VosRecord.decode(r.key(), r.encode());

        assertEquals(origins, found.origins());
        assertEquals(30, found.inline().length);
        assertTrue(VosRecord.isMerged(r.encode()) && found.isSound(0));
        assertFalse(VosRecord.isMerged(record(9, 30, Origins.NONE).encode()));
        assertFalse(record(9, 31, origins).isSound(0), "its origins are those of another length");
    }

    @Test
    void shouldRefuseADamagedEntry() {
        VosRecord r = record(9, 30, new Origins(List.of(new Origins.Part(10, 5), new Origins.Part(30, 9))));
        byte[] value = r.encode();
        value[14] = 0x7f;

        FaultException e = assertThrows(FaultException.class, () -> VosRecord.decode(r.key(), value));

        assertEquals(FaultCode.DF_INVAL, e.code());
    }
}
