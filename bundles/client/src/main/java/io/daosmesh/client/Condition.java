package io.daosmesh.client;

/** What must hold for an update or a removal to be carried out. */
public enum Condition {
    NONE,
    /** EXIST when the key is already there. */
    INSERT,
    /** NONEXIST when the key is not there. */
    EXISTING;

    int number() {
        return ordinal();
    }
}
