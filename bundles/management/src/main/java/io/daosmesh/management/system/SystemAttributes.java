package io.daosmesh.management.system;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AttributesRequest;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Free-form attributes of the system: what administrators note about it, no effect here. At most 256 of up to 127 and 255
 * bytes of UTF-8. Source: daos-admin facts 1.1. Owner: that of the {@link SystemDb}.
 */
final class SystemAttributes {
    static final int COUNT_MAX = 256;
    static final int KEY_MAX = 127;
    static final int VALUE_MAX = 255;

    private final TreeMap<String, String> values = new TreeMap<>();

    /** INVAL for a key or value that may not be kept. Before anything is proposed, and again when it is applied. */
    static void check(AttributesRequest r) {
        boolean isFit = switch (r.getOp()) {
            case SET -> r.getSetCount() > 0 && r.getRemoveCount() == 0;
            case REMOVE -> r.getRemoveCount() > 0 && r.getSetCount() == 0;
            case GET, UNRECOGNIZED -> false;
        };
        if (!isFit) throw invalid("attributes are either set or removed, at least one");
        r.getSetMap().forEach((key, value) -> {
            if (key.isEmpty() || value.isEmpty()) throw invalid("a system attribute has a key and a value");
            if (bytes(key) > KEY_MAX) throw invalid("a key of a system attribute has %d bytes at most", KEY_MAX);
            if (bytes(value) > VALUE_MAX)
                throw invalid("a value of a system attribute has %d bytes at most", VALUE_MAX);
        });
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** All or nothing: NONEXIST for one to remove that is not there, OVERFLOW for too many. */
    void change(AttributesRequest r) {
        check(r);
        TreeMap<String, String> next = new TreeMap<>(values);
        for (String key : r.getRemoveList()) {
            if (next.remove(key) == null) throw missing(key);
        }
        next.putAll(r.getSetMap());
        if (next.size() > COUNT_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "the system has %d attributes, the most it can have", COUNT_MAX)
                    .remedy("remove some with dmg system del-attr")
                    .asException();
        }
        replace(next);
    }

    /** Sorted. */
    Map<String, String> values() {
        return Collections.unmodifiableSortedMap(new TreeMap<>(values));
    }

    void replace(Map<String, String> all) {
        values.clear();
        values.putAll(all);
    }

    private static RuntimeException missing(String key) {
        return Fault.of(FaultCode.NONEXIST, "no system attribute \"%s\"", key)
                .remedy("dmg system get-attr shows those there are")
                .asException();
    }

    private static RuntimeException invalid(String text, Object... arguments) {
        return Fault.of(FaultCode.INVAL, text, arguments).asException();
    }
}
