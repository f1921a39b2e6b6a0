package io.daosmesh.engine.vos;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.id.ObjectId;
import java.util.Arrays;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class KeysTest {
    private final byte[] group = Keys.group(new UUID(1, 2), new UUID(3, 4), new ObjectId(5, 6), 7);

    private static byte[] key(Random random) {
        byte[] k = new byte[random.nextInt(6)];
        for (int i = 0; i < k.length; i++) k[i] = (byte) new int[] {0, 1, 0xff, 'a'}[random.nextInt(4)];
        return k;
    }

    @Test
    void shouldKeepTheOrderOfUserKeys() {
        Random random = new Random(1);

        for (int i = 0; i < 20_000; i++) {
            byte[] a = key(random);
            byte[] b = key(random);
            int expected = Integer.signum(Arrays.compareUnsigned(a, b));
            assertEquals(expected, Integer.signum(Arrays.compareUnsigned(Keys.under(group, a), Keys.under(group, b))));
        }
    }

    @Test
    void shouldTakeApartWhatItHasPutTogether() {
        Random random = new Random(2);

        for (int i = 0; i < 5_000; i++) {
            byte[] dkey = key(random);
            byte[] akey = key(random);
            long epoch = random.nextLong() >>> 1;
            byte[] k = Keys.extent(Keys.under(Keys.under(group, dkey), akey), epoch, VosRecord.EXTENT, 99, 7);
            Keys.Parts p = Keys.parse(k);

            assertArrayEquals(dkey, p.dkey());
            assertArrayEquals(akey, p.akey());
            assertEquals(7, p.group());
            assertEquals(new ObjectId(5, 6), p.oid());
            assertEquals(epoch, Keys.epoch(k));
            assertEquals(99, Keys.offset(k));
            assertEquals(7, Keys.length(k));
            assertEquals(VosRecord.EXTENT, Keys.kind(k));
        }
    }

    @Test
    void shouldPutPunchesBeforeEveryKeyOfTheLevel() {
        byte[] punch = Keys.record(Keys.punches(group), 5, VosRecord.PUNCH_OBJECT);

        assertTrue(Arrays.compareUnsigned(punch, Keys.under(group, new byte[0])) < 0);
        assertNull(Keys.parse(punch).dkey());
        byte[] dkeyPunch = Keys.record(Keys.punches(Keys.under(group, new byte[] {0})), 5, VosRecord.PUNCH_DKEY);
        assertArrayEquals(new byte[] {0}, Keys.parse(dkeyPunch).dkey());
        assertNull(Keys.parse(dkeyPunch).akey());
    }

    @Test
    void shouldPutEveryLengthIntoTheSmallestStepThatHoldsIt() {
        for (long length :
                new long[] {0, 1, 2, 16, 17, 256, 257, 4096, 1 << 20, (1 << 20) + 1, 4 << 20, Long.MAX_VALUE}) {
            int step = Keys.stepOf(length);

            assertTrue(step < Keys.STEPS);
            assertTrue(length <= Keys.stepBytesMax(step), length + " in step " + step);
            assertTrue(step == 0 || length > Keys.stepBytesMax(step - 1), length + " in step " + step);
        }
    }

    @Test
    void shouldPutExtentsInTheOrderOfTheirOffsetsAndNewVersionsFirst() {
        byte[] akey = Keys.under(Keys.under(group, new byte[] {'d'}), new byte[] {'a'});
        byte[][] keys = {
            Keys.record(akey, 9, VosRecord.PUNCH_AKEY),
            Keys.record(akey, 3, VosRecord.PUNCH_AKEY),
            Keys.record(akey, 9, VosRecord.SINGLE),
            Keys.record(akey, 1, VosRecord.SINGLE),
            Keys.extent(akey, 7, VosRecord.EXTENT, 100, 10),
            Keys.extent(akey, 5, VosRecord.PUNCH_EXTENT, 100, 10),
            Keys.extent(akey, 6, VosRecord.EXTENT, 100, 11),
            Keys.extent(akey, 9, VosRecord.EXTENT, 200, 2),
            Keys.extent(akey, 9, VosRecord.EXTENT, 0, 20),
            Keys.extent(akey, 9, VosRecord.PUNCH_EXTENT, 5, Long.MAX_VALUE - 5),
            Keys.behindExtents(akey, 0)
        };

        for (int i = 1; i < keys.length; i++) assertTrue(Arrays.compareUnsigned(keys[i - 1], keys[i]) < 0, "key " + i);
    }
}
