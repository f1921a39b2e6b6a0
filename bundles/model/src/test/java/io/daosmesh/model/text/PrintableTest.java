package io.daosmesh.model.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrintableTest {
    @Test
    void shouldLetNothingThroughThatIsNoText() {
        for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
            String text = "a" + Character.toString(c) + "b";
            for (String shown : new String[] {Printable.of(text), Printable.line(text)}) {
                assertTrue(shown.codePoints().allMatch(Printable::isPlain), Integer.toHexString(c));
                assertTrue(Printable.isPlain(shown));
            }
            String lines = Printable.lines(text);
            assertTrue(
                    lines.codePoints().allMatch(x -> Printable.isPlain(x) || x == '\n' || x == '\t'),
                    Integer.toHexString(c));
        }
        for (int c :
                new int[] {0, 7, '\n', 0x1b, 0x7f, 0x9b, 0x202e, 0x2066, 0x200b, 0x2028, 0xfeff, 0xd800, 0xe0001}) {
            assertFalse(Printable.isPlain(c), Integer.toHexString(c));
        }
        for (int c : "aé日本語👍 \\]".codePoints().toArray()) assertTrue(Printable.isPlain(c), Integer.toHexString(c));
    }

    @Test
    void shouldShowDifferentTextsDifferently() {
        Set<String> shown = new HashSet<>();
        String[] texts = {"\n", "\\n", "\\\\n", "\u001b", "\\u001b", "\\x1b", "a\u202eb", "ab", "\udb40\udc01", "\\"};

        for (String text : texts) {
            assertTrue(shown.add(Printable.of(text)), text);
            assertEquals(Printable.of(text), Printable.of(text.getBytes(StandardCharsets.UTF_8)));
        }
        assertTrue(shown.add(Printable.of(new byte[] {(byte) 0xff})));
        assertTrue(shown.add(Printable.of(new byte[] {(byte) 0xfe})));
        assertTrue(shown.add(Printable.of("\ufffd")));
        assertTrue(shown.add(Printable.of("\\xff")));

        assertEquals("\\u001b]0;x\\u0007\\n", Printable.of("\u001b]0;x\u0007\n"));
        assertEquals("a\\xff\\xe2\\x82b", Printable.of(new byte[] {'a', -1, (byte) 0xe2, (byte) 0x82, 'b'}));
        assertEquals("日本語", Printable.of("日本語".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldLeaveLaidOutTextAlone() {
        assertEquals("a\\u001b\nb\n", Printable.lines("a\u001b\nb\n"));
        assertEquals("a\\\\b\n", Printable.lines("a\\\\b\n"));
        assertEquals("a\\nb", Printable.line("a\nb"));
        assertEquals("\\r", Printable.lines("\r"));
    }
}
