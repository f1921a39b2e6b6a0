package io.daosmesh.client.request;

import io.daosmesh.client.value.ClientStats;
import java.util.concurrent.atomic.LongAdder;

/** What a client counts. Any thread: adders. */
public final class Counters {
    public final LongAdder requests = new LongAdder();
    public final LongAdder retries = new LongAdder();
    public final LongAdder staleMaps = new LongAdder();
    public final LongAdder checksumFailures = new LongAdder();
    public final LongAdder mediaErrors = new LongAdder();
    public final LongAdder failures = new LongAdder();
    public final LongAdder hedges = new LongAdder();
    public final LongAdder hedgesWon = new LongAdder();
    public final LongAdder bytesWritten = new LongAdder();
    public final LongAdder bytesRead = new LongAdder();

    public ClientStats snapshot() {
        return new ClientStats(
                requests.sum(),
                retries.sum(),
                staleMaps.sum(),
                checksumFailures.sum(),
                mediaErrors.sum(),
                failures.sum(),
                hedges.sum(),
                hedgesWon.sum(),
                bytesWritten.sum(),
                bytesRead.sum());
    }
}
