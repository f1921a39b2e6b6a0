package io.daosmesh.admin.grammar;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** Comma lists of numbers and {@code lo-hi} ranges, with the zero padding of {@code lo}. Source: daos-admin facts 9.1. */
final class Ranges {
    static final int NUMBERS_MAX = 16384;

    private Ranges() {}

    /** Every number of the text in the order given, padded as written. */
    static List<String> expand(String text) {
        List<String> all = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            int hyphen = part.indexOf('-');
            String low = hyphen < 0 ? part : part.substring(0, hyphen);
            String high = hyphen < 0 ? part : part.substring(hyphen + 1);
            long from = number(text, low);
            long to = number(text, high);
            if (to < from) throw invalid("invalid range \"[%s]\" (%d < %d)", text, to, from);
            if (to - from >= NUMBERS_MAX || all.size() + to - from >= NUMBERS_MAX) {
                throw invalid("invalid range \"[%s]\" (> %d hosts)", text, NUMBERS_MAX);
            }
            int width = low.startsWith("0") ? low.length() : 1;
            for (long n = from; n <= to; n++) all.add(padded(n, width));
        }
        return all;
    }

    /** {@code 0-2,7}. */
    static String fold(Collection<? extends Number> numbers, int width) {
        StringBuilder text = new StringBuilder();
        long from = -2;
        long last = -2;
        for (long n : new TreeSet<>(numbers.stream().map(Number::longValue).toList())) {
            if (n != last + 1) {
                close(text, from, last, width);
                from = n;
            }
            last = n;
        }
        close(text, from, last, width);
        return text.toString();
    }

    private static void close(StringBuilder text, long from, long last, int width) {
        if (from < 0) return;
        if (text.length() > 0) text.append(',');
        text.append(padded(from, width));
        if (last > from) text.append('-').append(padded(last, width));
    }

    static String padded(long number, int width) {
        String text = Long.toString(number);
        return "0".repeat(Math.max(0, width - text.length())) + text;
    }

    private static long number(String text, String part) {
        if (!part.matches("[0-9]{1,10}")) throw invalid("invalid range \"[%s]\" (\"%s\" is not uint)", text, part);
        return Long.parseLong(part);
    }

    static FaultException invalid(String text, Object... args) {
        return Fault.of(FaultCode.INVAL, text, args).asException();
    }
}
