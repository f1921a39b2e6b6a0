package io.daosmesh.client.value;

import io.daosmesh.model.wire.KeyChangeMessage;

/**
 * What a key must be like for a change of it to be carried out. Immutable.
 *
 * @param akey whose single value has to have the version; empty = the whole dkey
 * @param version as {@link Fetched#version} tells it; 0 = the value is absent
 */
public record Expected(Kind kind, byte[] akey, long version) {
    /** What is asked of the key. */
    public enum Kind {
        ANYTHING(KeyChangeMessage.Condition.NONE),
        /** Else EXIST. */
        ABSENT(KeyChangeMessage.Condition.ABSENT),
        /** Else NONEXIST. */
        EXISTING(KeyChangeMessage.Condition.EXISTS),
        /** Else TX_RESTART. */
        VERSION(KeyChangeMessage.Condition.VERSION);

        private final KeyChangeMessage.Condition wire;

        Kind(KeyChangeMessage.Condition wire) {
            this.wire = wire;
        }

        public KeyChangeMessage.Condition toWire() {
            return wire;
        }
    }

    private static final byte[] WHOLE = {};
    private static final Expected ANYTHING = new Expected(Kind.ANYTHING, WHOLE, 0);
    private static final Expected ABSENT = new Expected(Kind.ABSENT, WHOLE, 0);
    private static final Expected EXISTING = new Expected(Kind.EXISTING, WHOLE, 0);

    public static Expected anything() {
        return ANYTHING;
    }

    public static Expected absent() {
        return ABSENT;
    }

    public static Expected existing() {
        return EXISTING;
    }

    public static Expected version(byte[] akey, long version) {
        return new Expected(Kind.VERSION, akey, version);
    }
}
