package io.daosmesh.client;

import java.util.concurrent.atomic.LongAdder;

/** What a client counts. Any thread: adders. */
final class Counters {
    final LongAdder requests = new LongAdder();
    final LongAdder retries = new LongAdder();
    final LongAdder staleMaps = new LongAdder();
    final LongAdder checksumFailures = new LongAdder();
    final LongAdder failures = new LongAdder();
    final LongAdder bytesWritten = new LongAdder();
    final LongAdder bytesRead = new LongAdder();

    ClientStats snapshot() {
        return new ClientStats(
                requests.sum(),
                retries.sum(),
                staleMaps.sum(),
                checksumFailures.sum(),
                failures.sum(),
                bytesWritten.sum(),
                bytesRead.sum());
    }
}
