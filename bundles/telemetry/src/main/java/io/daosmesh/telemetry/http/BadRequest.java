package io.daosmesh.telemetry.http;

import java.io.IOException;

/** A request that is answered with nothing but a status. Immutable. */
final class BadRequest extends IOException {
    private static final long serialVersionUID = 1;

    final int status;

    BadRequest(int status, String text) {
        super(text);
        this.status = status;
    }
}
