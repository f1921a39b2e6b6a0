package io.daosmesh.cli.daos;

import io.daosmesh.cli.CommandLines;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.text.Printable;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Keys as people type and read them. Java has put U+FFFD in the place of bytes that are no UTF-8 before a program sees its
 * words: two such keys would be one, so {@link CommandLines} refuses them, and they may be given in hexadecimal.
 */
final class KvKey {
    private static final String HEX = "hex:";

    private KvKey() {}

    static byte[] parse(String word, boolean isHex) {
        return isHex ? fromHex(word) : word.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] fromHex(String word) {
        try {
            return HexFormat.of().parseHex(word);
        } catch (IllegalArgumentException e) {
            throw Fault.of(FaultCode.INVAL, "'%s' is no hexadecimal number", word)
                    .remedy("two digits a byte, for example fffe")
                    .asException();
        }
    }

    static String hex(byte[] key) {
        return HexFormat.of().formatHex(key);
    }

    /** The key's own text where it has one that is plain and has not the mark; else the mark and hexadecimal digits. */
    static String show(byte[] key) {
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key));
            String plain = text.toString();
            boolean isPlain =
                    Printable.isPlain(plain) && plain.indexOf(CommandLines.REPLACED) < 0 && !plain.startsWith(HEX);
            if (isPlain) return plain;
        } catch (CharacterCodingException e) {
            // shown in hexadecimal
        }
        return HEX + hex(key);
    }
}
