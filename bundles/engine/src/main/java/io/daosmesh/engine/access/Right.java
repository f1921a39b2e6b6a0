package io.daosmesh.engine.access;

/** What a container handle may allow. */
public enum Right {
    READ(1),
    WRITE(2);

    private final int bit;

    Right(int bit) {
        this.bit = bit;
    }

    boolean isIn(int rights) {
        return (rights & bit) != 0;
    }
}
