package io.daosmesh.telemetry.http;

/**
 * What the callers of a {@link GuardedServer} may cost. Immutable.
 *
 * @param connectionsMax of all addresses together; each occupies a thread
 * @param connectionsPerAddressMax a Prometheus server holds one at a time, a dozen of them may share an address
 * @param requestMs from accepting a connection to the last byte of its request, the handshake of TLS included
 * @param answerMs from there until the caller has read the answer
 * @param answerBytesMax answers that are under way to all callers together
 */
public record Limits(
        int connectionsMax, int connectionsPerAddressMax, long requestMs, long answerMs, long answerBytesMax) {
    /** Prometheus waits 10 s for a scrape unless told otherwise; 64 MiB are some hundred answers of a busy node. */
    public static final Limits STANDARD = new Limits(64, 16, 5_000, 20_000, 64L << 20);
}
