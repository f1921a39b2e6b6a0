package io.daosmesh.client.dfs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/**
 * Names of files are bytes, mostly UTF-8, but not always. As text, each byte that is not is half a pair of UTF-16, U+DC80 to
 * U+DCFF for 80 to ff, which no UTF-8 becomes: every name has one text, and every such text one name. Source: PEP 383.
 */
public final class NameBytes {
    private static final int RAW = 0xdc00;

    private NameBytes() {}

    public static String text(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(name);
        CharBuffer out = CharBuffer.allocate(name.length + 1);
        while (true) {
            var result = decoder.decode(in, out, true);
            if (!result.isMalformed()) return out.flip().toString();
            for (int i = 0; i < result.length(); i++) out.put((char) (RAW | in.get() & 0xff));
        }
    }

    /** BADPATH for a text that no name has. */
    public static byte[] of(String text) {
        byte[] name = bytes(text);
        if (isText(text) || text(name).equals(text)) return name;
        throw Fault.of(FaultCode.BADPATH, "'%s' is no text", text).asException();
    }

    /** It is the text of some bytes. */
    static boolean isOne(String text) {
        return isText(text) || text(bytes(text)).equals(text);
    }

    /** Without bytes that are not UTF-8. */
    public static boolean isText(String text) {
        return text.codePoints().noneMatch(c -> Character.getType(c) == Character.SURROGATE);
    }

    private static byte[] bytes(String text) {
        if (isText(text)) return text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        text.codePoints().forEach(c -> {
            if (c >= RAW + 0x80 && c <= RAW + 0xff) bytes.write(c);
            else bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
        });
        return bytes.toByteArray();
    }
}
