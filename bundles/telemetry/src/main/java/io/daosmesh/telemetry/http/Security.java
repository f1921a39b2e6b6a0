package io.daosmesh.telemetry.http;

import java.util.Map;
import java.util.Optional;

/** How connections of a {@link GuardedServer} are secured; asked anew for each, so that it can change. Any thread. */
public interface Security {
    /** Plain HTTP for everyone. */
    Security NONE = Optional::empty;

    /** Empty: plain HTTP. */
    Optional<TlsTerms> tls();

    /** Header fields of every answer. */
    default Map<String, String> headers() {
        return Map.of();
    }
}
