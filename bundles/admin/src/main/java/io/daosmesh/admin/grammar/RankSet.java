package io.daosmesh.admin.grammar;

import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** Ranks as an administrator types and reads them: {@code 0,5-10,20-100}. Source: daos-admin facts 9.2. */
public final class RankSet {
    private static final long RANK_MAX = 0xFFFF_FFFEL;

    private RankSet() {}

    /** Sorted, each rank once, at least one. DER_INVAL. */
    public static List<Integer> parse(String text) {
        if (text.isEmpty()) throw unexpected(text, "no rank");
        for (char c : text.toCharArray()) {
            if (Character.isWhitespace(c)) throw unexpected(text, "unexpected whitespace character(s)");
            if (Character.isLetter(c)) throw unexpected(text, "unexpected alphabetic character(s)");
        }
        boolean bracket = text.startsWith("[");
        if (bracket != text.endsWith("]")) throw unexpected(text, "unbalanced brackets");
        TreeSet<Integer> ranks = new TreeSet<>();
        for (String number : Ranges.expand(bracket ? text.substring(1, text.length() - 1) : text)) {
            long rank = Long.parseLong(number);
            if (rank > Math.min(RANK_MAX, Integer.MAX_VALUE)) throw unexpected(text, "rank " + rank + " is too large");
            ranks.add((int) rank);
        }
        return List.copyOf(ranks);
    }

    /** {@code 0-2,7}: in messages and pool queries. */
    public static String plain(Collection<Integer> ranks) {
        return Ranges.fold(ranks, 1);
    }

    /** {@code [0-2,7]}, a single rank bare: in tables. */
    public static String bracketed(Collection<Integer> ranks) {
        String text = plain(ranks);
        return text.contains(",") || text.contains("-") ? "[" + text + "]" : text;
    }

    private static RuntimeException unexpected(String text, String why) {
        return Ranges.invalid("creating numeric set from \"%s\": %s", text, why);
    }
}
