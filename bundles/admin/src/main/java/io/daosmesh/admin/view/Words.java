package io.daosmesh.admin.view;

import java.time.OffsetDateTime;
import java.time.format.DateTimeFormatter;

/** Counted words and Go's way of writing durations, which DAOS's tools use. */
public final class Words {
    private Words() {}

    /** {@code 1 host}, {@code 3 hosts}. */
    public static String count(long number, String word) {
        return number + " " + plural(number, word);
    }

    public static String plural(long number, String word) {
        return number == 1 ? word : word + "s";
    }

    /** RFC 3339, with seconds also when they are zero. */
    static String time(OffsetDateTime at) {
        return DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(at);
    }

    /** {@code 6400h0m0s}, {@code 3m0s}, {@code 0s}. */
    static String duration(long seconds) {
        long hours = seconds / 3600;
        long minutes = seconds / 60 % 60;
        String rest = seconds % 60 + "s";
        if (hours > 0) return hours + "h" + minutes + "m" + rest;
        return minutes > 0 ? minutes + "m" + rest : rest;
    }

    /** Cut off, not rounded: 99.9 % used is not yet full. */
    static String percent(double share) {
        return String.valueOf((long) share);
    }
}
