package io.daosmesh.cli;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Keys as people type and read them. Java has put U+FFFD in the place of bytes that are no UTF-8 before a program sees its
 * words: two such keys would be one, so they are refused and may be given in hexadecimal.
 */
final class KvKey {
    private static final char REPLACED = '\ufffd';

    private KvKey() {}

    static byte[] parse(String word, boolean isHex) {
        if (isHex) return fromHex(word);
        if (word.indexOf(REPLACED) >= 0) {
            throw Fault.of(FaultCode.INVAL, "the key is not UTF-8")
                    .remedy("give its bytes in hexadecimal: --hex fffe")
                    .asException();
        }
        return word.getBytes(StandardCharsets.UTF_8);
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

    /** The key's own text where it has one without control characters; else it is marked and in hexadecimal. */
    static String show(byte[] key) {
        try {
            CharBuffer text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key));
            boolean isPlain = text.chars().noneMatch(c -> Character.isISOControl(c) || c == REPLACED);
            if (isPlain) return text.toString();
        } catch (CharacterCodingException e) {
            // shown in hexadecimal
        }
        return "hex:" + hex(key);
    }
}
