package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NameBytesTest {
    @Test
    void shouldGiveEveryNameATextOfItsOwn() {
        Random random = new Random(3);
        Map<String, byte[]> met = new HashMap<>();
        byte[][] pieces = {
            "a".getBytes(StandardCharsets.UTF_8),
            "é".getBytes(StandardCharsets.UTF_8),
            "\ud83d\ude00".getBytes(StandardCharsets.UTF_8),
            {(byte) 0xff},
            {(byte) 0xc3},
            {(byte) 0xa9},
            {(byte) 0xed, (byte) 0xb2, (byte) 0x80},
            {(byte) 0xf0, (byte) 0x9f}
        };
        for (int i = 0; i < 20_000; i++) {
            java.io.ByteArrayOutputStream name = new java.io.ByteArrayOutputStream();
            for (int n = random.nextInt(6); n >= 0; n--) name.writeBytes(pieces[random.nextInt(pieces.length)]);

            String text = NameBytes.text(name.toByteArray());

            assertArrayEquals(name.toByteArray(), NameBytes.of(text));
            byte[] before = met.put(text, name.toByteArray());
            if (before != null) assertArrayEquals(before, name.toByteArray());
        }
    }

    @Test
    void shouldLeaveTextAsItIs() {
        assertEquals("é\ud83d\ude00", NameBytes.text("é\ud83d\ude00".getBytes(StandardCharsets.UTF_8)));
        assertTrue(NameBytes.isText("é\ud83d\ude00"));
        assertFalse(NameBytes.isText("a\udcff"));
        assertEquals(1, NameBytes.of("\udcff").length);
    }

    /** The last is what the two bytes of an é would be, one by one. */
    @ParameterizedTest
    @ValueSource(strings = {"\ud800", "a\udc00b", "\udc7f", "\udd00", "\udc00\ud800", "\udcc3\udca9"})
    void shouldRefuseTextThatNoNameHas(String text) {
        assertThrows(FaultException.class, () -> NameBytes.of(text));
        assertFalse(NameBytes.isOne(text));
    }
}
