package io.daosmesh.nvmespdk;

import java.util.Locale;

/**
 * What an emulated device does wrong, as the file beside it says: {@code hang}, {@code slow MS}, {@code fail}, {@code tear},
 * {@code flip [reads|writes]} or {@code fill}. Immutable.
 *
 * @param ms of SLOW; else 0
 */
record Trouble(Kind kind, long ms) {
    static final Trouble NONE = new Trouble(Kind.NONE, 0);
    static final int SLOW_MS_MAX = 600_000;

    enum Kind {
        NONE,
        /** Answers nothing. */
        HANG,
        /** Everything takes so much longer. */
        SLOW,
        /** Everything ends with an error of the medium. */
        FAIL,
        /** Writes reach the medium in part and end with an error of the medium. */
        TEAR,
        /** A bit of what is read is wrong. */
        FLIP_READS,
        /** A bit of what is written is wrong. */
        FLIP_WRITES,
        /** Writes find no room. */
        FILL
    }

    /** Throws IllegalArgumentException for what it does not know. */
    static Trouble parse(String text) {
        String[] words = text.strip().toLowerCase(Locale.ROOT).split("\\s+");
        String behind = words.length == 2 ? words[1] : "";
        if (words.length > 2) throw unknown(text);
        Kind kind = switch (words[0]) {
            case "hang" -> Kind.HANG;
            case "slow" -> Kind.SLOW;
            case "fail" -> Kind.FAIL;
            case "tear" -> Kind.TEAR;
            case "flip" -> behind.equals("writes") ? Kind.FLIP_WRITES : Kind.FLIP_READS;
            case "fill" -> Kind.FILL;
            default -> throw unknown(text);
        };
        boolean isRight = switch (kind) {
            case SLOW -> behind.matches("[1-9][0-9]{0,5}") && Integer.parseInt(behind) <= SLOW_MS_MAX;
            case FLIP_READS -> behind.isEmpty() || behind.equals("reads");
            case FLIP_WRITES -> true;
            default -> behind.isEmpty();
        };
        if (!isRight) throw unknown(text);
        return new Trouble(kind, kind == Kind.SLOW ? Integer.parseInt(behind) : 0);
    }

    private static IllegalArgumentException unknown(String text) {
        return new IllegalArgumentException("'" + text.strip() + "' is no trouble: expected hang, slow MS (1 to "
                + SLOW_MS_MAX + "), fail, tear, flip [reads|writes] or fill");
    }

    @Override
    public String toString() {
        return kind == Kind.SLOW ? "SLOW " + ms + " ms" : kind.name();
    }
}
