package io.daosmesh.cli.mesh;

import java.util.Locale;

/** What a user is told instead of what was asked for; with the exit status, 1 failed or 2 wrong usage. */
public final class MeshException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int status;

    private MeshException(int status, String message) {
        super(message);
        this.status = status;
    }

    static MeshException failed(String format, Object... args) {
        return new MeshException(1, String.format(Locale.ROOT, format, args));
    }

    static MeshException usage(String format, Object... args) {
        return new MeshException(2, String.format(Locale.ROOT, format, args) + " (./mesh help)");
    }

    int status() {
        return status;
    }
}
