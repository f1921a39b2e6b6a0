package io.daosmesh.model.fault;

import java.util.Locale;

/** Checks for what cannot happen; always on. A broken invariant stops the owner (target, device, group), not the JVM. */
public final class Invariant {
    private Invariant() {}

    public static void check(boolean condition, String format, Object... args) {
        if (!condition) throw new InvariantBroken(String.format(Locale.ROOT, format, args));
    }

    /** Thrown by {@link #check}; the owner's loop catches it, stops and raises a RAS event. */
    public static final class InvariantBroken extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        InvariantBroken(String message) {
            super(message);
        }
    }
}
