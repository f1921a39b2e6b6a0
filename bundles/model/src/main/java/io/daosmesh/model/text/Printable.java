package io.daosmesh.model.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * What comes from elsewhere, shown so that it cannot be anything but text: names and messages may hold characters that move
 * the cursor, begin a line, or turn the reading direction. Such a character is shown by its number, <code>&#92;u001b</code>, as in
 * JSON. Immutable.
 */
public final class Printable {
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private Printable() {}

    /** For names and values: also the backslash is escaped, so that different texts look different. */
    public static String of(String text) {
        return isPlain(text) && text.indexOf('\\') < 0 ? text : escape(text, true, false);
    }

    /** For a whole message: as {@link #of}, but a backslash stays, as what it is made of may be escaped already. */
    public static String line(String text) {
        return isPlain(text) ? text : escape(text, false, false);
    }

    /** For lines that are laid out already: line ends and tabulators stay, too. */
    public static String lines(String text) {
        return text.codePoints().allMatch(c -> isPlain(c) || c == '\n' || c == '\t') ? text : escape(text, false, true);
    }

    /** As {@link #of} for what should be UTF-8; bytes that are not are shown as {@code \xff}. */
    public static String of(byte[] utf8) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(utf8);
        CharBuffer out = CharBuffer.allocate(utf8.length + 1);
        StringBuilder shown = new StringBuilder();
        while (true) {
            var result = decoder.decode(in, out, true);
            shown.append(of(out.flip().toString()));
            if (!result.isMalformed()) return shown.toString();
            out.clear();
            for (int i = 0; i < result.length(); i++) {
                int b = in.get();
                shown.append("\\x").append(HEX[b >> 4 & 15]).append(HEX[b & 15]);
            }
        }
    }

    /** Nothing in it has to be escaped, but for a backslash. */
    public static boolean isPlain(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // most texts are ASCII
            if (c >= ' ' && c < 0x7f) continue;
            if (!isPlain(text.codePointAt(i))) return false;
            if (Character.isHighSurrogate(c)) i++;
        }
        return true;
    }

    /** Unlike a control character, half a pair, or what only changes how its neighbours are shown. */
    public static boolean isPlain(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }

    private static String escape(String text, boolean withBackslash, boolean keepsLines) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(c -> {
            if (c == '\\' && withBackslash) out.append("\\\\");
            else if (isPlain(c) || (c == '\n' || c == '\t') && keepsLines) out.appendCodePoint(c);
            else append(out, c);
        });
        return out.toString();
    }

    /** The character's number as in JSON: above 0xffff the two halves of its pair. */
    public static void append(StringBuilder out, int codePoint) {
        switch (codePoint) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
                for (char half : Character.toChars(codePoint)) {
                    out.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) out.append(HEX[half >> shift & 15]);
                }
            }
        }
    }
}
