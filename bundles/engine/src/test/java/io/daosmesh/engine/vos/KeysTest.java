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
            byte[] k = Keys.record(Keys.under(Keys.under(group, dkey), akey), epoch, 1, 99);
            Keys.Parts p = Keys.parse(k);

            assertArrayEquals(dkey, p.dkey());
            assertArrayEquals(akey, p.akey());
            assertEquals(7, p.group());
            assertEquals(new ObjectId(5, 6), p.oid());
            assertEquals(epoch, Keys.epoch(k));
            assertEquals(99, Keys.offset(k));
        }
    }

    @Test
    void shouldPutPunchesBeforeEveryKeyOfTheLevel() {
        byte[] punch = Keys.record(Keys.punches(group), 5, VosRecord.PUNCH_OBJECT, 0);

        assertTrue(Arrays.compareUnsigned(punch, Keys.under(group, new byte[0])) < 0);
        assertNull(Keys.parse(punch).dkey());
        byte[] dkeyPunch = Keys.record(Keys.punches(Keys.under(group, new byte[] {0})), 5, VosRecord.PUNCH_DKEY, 0);
        assertArrayEquals(new byte[] {0}, Keys.parse(dkeyPunch).dkey());
        assertNull(Keys.parse(dkeyPunch).akey());
    }
}
