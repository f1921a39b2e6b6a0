package io.daosmesh.client;

/** For what a pool or a container is opened. */
public enum OpenMode {
    READ_ONLY(1),
    READ_WRITE(2),
    /** To read and write, and nobody else has it open: BUSY while others have. */
    EXCLUSIVE(3);

    private final int flags;

    OpenMode(int flags) {
        this.flags = flags;
    }

    int flags() {
        return flags;
    }
}
