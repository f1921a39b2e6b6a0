package io.daosmesh.client.dfs;

import io.daosmesh.client.dfs.DfsDirectory.Found;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Marks of entries that a rename between directories is giving another name. While one is fresh others wait for the end of
 * that rename instead of making use of either name: so it has one name again and its object an owner. Nothing but this
 * depends on clocks: when a mark has become old, whoever made it may be gone, and everybody goes on with care. Immutable.
 *
 * @param lifeNs how long a mark is fresh
 */
record Marks(long lifeNs) {
    /** A rename takes milliseconds, one that meets the death of a leader a little more than a second. */
    static final Marks USUAL = new Marks(Duration.ofSeconds(2).toNanos());

    private static final int NONCE_BITS = 10;

    /** The time, with random bits at the end so that it is nobody else's. */
    static long make() {
        long nonce = ThreadLocalRandom.current().nextLong(1, 1 << NONCE_BITS);
        return nowNs() >> NONCE_BITS << NONCE_BITS | nonce;
    }

    /** TX_RESTART while somebody else renames it, which {@link Attempts} waits for. */
    void check(Found found, long ownMark) {
        DfsEntry entry = found.entry();
        if (entry == null || !entry.isShared() || entry.sharedSinceNs() == ownMark) return;
        if (Math.abs(nowNs() - entry.sharedSinceNs()) >= lifeNs) return;
        throw Fault.of(FaultCode.TX_RESTART, "'%s' is being renamed by others", found.name())
                .asException();
    }

    private static long nowNs() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }
}
