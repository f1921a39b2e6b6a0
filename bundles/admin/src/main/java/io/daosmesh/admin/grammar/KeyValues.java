package io.daosmesh.admin.grammar;

import java.util.LinkedHashMap;
import java.util.Map;

/** {@code k:v[,k:v]} lists. Source: daos-admin facts 9.5. */
public final class KeyValues {
    private static final int KEY_MAX = 20;
    private static final int VALUE_MAX = 128;
    private static final int ATTRIBUTE_KEY_MAX = 127;
    private static final int ATTRIBUTE_VALUE_MAX = 255;

    private KeyValues() {}

    /** In the order given; DER_INVAL for what is no pair, an empty part, a part that is too long, or a key given twice. */
    public static Map<String, String> parse(String text) {
        return parse(text, KEY_MAX, VALUE_MAX);
    }

    /** The same with the lengths of attributes. */
    public static Map<String, String> attributes(String text) {
        return parse(text, ATTRIBUTE_KEY_MAX, ATTRIBUTE_VALUE_MAX);
    }

    private static Map<String, String> parse(String text, int keyMax, int valueMax) {
        Map<String, String> pairs = new LinkedHashMap<>();
        if (text.isBlank()) throw Ranges.invalid("no key:value pair given");
        for (String part : text.split(",", -1)) {
            int colon = part.indexOf(':');
            if (colon < 0) throw Ranges.invalid("invalid property \"%s\" (must be key:value)", part);
            String key = part.substring(0, colon).trim();
            String value = part.substring(colon + 1).trim();
            if (key.isEmpty()) throw Ranges.invalid("invalid property \"%s\" (empty key)", part);
            if (value.isEmpty()) throw Ranges.invalid("invalid property \"%s\" (empty value)", part);
            if (key.length() > keyMax) throw Ranges.invalid("key too long (%d > %d)", key.length(), keyMax);
            if (value.length() > valueMax) throw Ranges.invalid("value too long (%d > %d)", value.length(), valueMax);
            if (pairs.putIfAbsent(key, value) != null) throw Ranges.invalid("property \"%s\" is given twice", key);
        }
        return pairs;
    }
}
