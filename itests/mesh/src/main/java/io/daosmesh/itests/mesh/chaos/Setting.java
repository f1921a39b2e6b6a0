package io.daosmesh.itests.mesh.chaos;

import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What one setting may be: the last value that was acknowledged, and those whose answers are missing. Owner: the thread of the operations. */
final class Setting {
    private @Nullable String acknowledged;
    private final Set<String> open = new HashSet<>();

    /** @param known null = any value */
    Setting(@Nullable String known) {
        acknowledged = known;
    }

    void set(String value, Screen.Answer answer) {
        switch (answer) {
            case DONE -> acknowledged = value;
            case UNKNOWN -> open.add(value);
            case REFUSED -> {}
        }
    }

    /** What was not answered may still come, after what was acknowledged later. */
    boolean mayBe(String found) {
        return acknowledged == null || acknowledged.equals(found) || open.contains(found);
    }

    /** True when it can be nothing else. */
    boolean is(String value) {
        return open.isEmpty() && Objects.equals(acknowledged, value);
    }

    @Override
    public String toString() {
        return "'" + acknowledged + "'" + (open.isEmpty() ? "" : " or, not answered, " + open);
    }
}
