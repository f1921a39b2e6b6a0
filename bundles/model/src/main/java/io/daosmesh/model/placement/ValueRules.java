package io.daosmesh.model.placement;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.ValueMessage;
import java.util.Arrays;
import java.util.List;

/**
 * What the values of one request must fulfil: an engine refuses others with DER_INVAL before anything is staged, a client
 * before it sends them. All values of a request get the same epoch, so of two that touch the same bytes one would be lost
 * although both are acknowledged. Pure.
 */
public final class ValueRules {
    /** What a request does with its values. */
    public enum Use {
        UPDATE,
        PUNCH_AKEYS,
        PUNCH_EXTENTS,
        FETCH
    }

    private static final int SINGLE = 0;
    private static final int ARRAY = 1;

    private record Part(byte[] akey, int kind, long offset, long end) {}

    private ValueRules() {}

    /** Throws INVAL. Takes O(n log n) for n values, nothing but a few comparisons for one. */
    public static void check(Use use, List<ValueMessage> values) {
        for (ValueMessage v : values) checkOne(use, v);
        // the same may be read twice
        if (values.size() < 2 || use == Use.FETCH) return;
        Part[] parts = new Part[values.size()];
        for (int i = 0; i < parts.length; i++) parts[i] = part(use, values.get(i));
        Arrays.sort(parts, ValueRules::compare);
        for (int i = 1; i < parts.length; i++) checkApart(parts[i - 1], parts[i]);
    }

    private static void checkOne(Use use, ValueMessage v) {
        if (v.getAkey().isEmpty()) throw invalid("an akey has at least one byte");
        if (v.getOffset() < 0 || v.getLength() < 0 || v.getOffset() + v.getLength() < 0)
            throw invalid("an extent lies within 0..2^63");
        if (use == Use.PUNCH_AKEYS) return;
        if (use != Use.PUNCH_EXTENTS && v.getKind() != SINGLE && v.getKind() != ARRAY)
            throw invalid("a value is single (0) or part of an array (1)");
        boolean isExtent = use == Use.PUNCH_EXTENTS || use == Use.UPDATE && v.getKind() == ARRAY;
        if (isExtent && v.getLength() == 0) throw invalid("an extent has at least one byte");
    }

    private static Part part(Use use, ValueMessage v) {
        byte[] akey = v.getAkey().toByteArray();
        boolean isExtent = use == Use.PUNCH_EXTENTS || use == Use.UPDATE && v.getKind() == ARRAY;
        return isExtent
                ? new Part(akey, ARRAY, v.getOffset(), v.getOffset() + v.getLength())
                : new Part(akey, SINGLE, 0, 0);
    }

    private static int compare(Part a, Part b) {
        // by whole arrays: keys of some thousand bytes with a long common start stay cheap
        int order = Arrays.compareUnsigned(a.akey, b.akey);
        if (order == 0) order = Integer.compare(a.kind, b.kind);
        return order != 0 ? order : Long.compare(a.offset, b.offset);
    }

    /** Neighbours in order: whoever overlaps another one overlaps a neighbour. */
    private static void checkApart(Part before, Part next) {
        if (!Arrays.equals(before.akey, next.akey)) return;
        if (before.kind != next.kind) throw invalid("an akey holds a single value or an array, not both");
        if (next.kind == SINGLE) throw invalid("the same akey twice in one request");
        if (next.offset < before.end) throw invalid("extents of one akey overlap in one request");
    }

    private static RuntimeException invalid(String why) {
        return Fault.of(FaultCode.INVAL, "%s", why).asException();
    }
}
