package io.daosmesh.engine.space;

import java.util.Map;

/** How much of a pool its clients leave free for rebuild: the pool property {@code space_rb}. Pure. */
public final class Reserve {
    private static final String SPACE_RB = "space_rb";

    private Reserve() {}

    /** 0 to 100, with or without a percent sign; 0 when nothing is said, or nothing that this release understands. */
    public static int percent(Map<String, String> properties) {
        String value = properties.getOrDefault(SPACE_RB, "");
        String number = value.endsWith("%") ? value.substring(0, value.length() - 1) : value;
        return number.matches("[0-9]{1,2}|100") ? Integer.parseInt(number) : 0;
    }
}
