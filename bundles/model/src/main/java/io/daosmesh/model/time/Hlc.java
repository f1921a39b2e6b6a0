package io.daosmesh.model.time;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * Hybrid logical clock: epochs, incarnations and rebuild fences. Any thread: one per process, a single atomic word.
 *
 * <p>Unit 1/16 ns since 2021-01-01T00:00Z; the low 18 bits count events inside one physical tick of 16.384 us. Values are
 * positive until 2057. Source: DAOS {@code hlc.c}; Kulkarni et al., Logical Physical Clocks (2014).
 */
public final class Hlc {
    /** Milliseconds from 1970 to the clock's origin. */
    public static final long ORIGIN_MS = 1_609_459_200_000L;

    /** A message whose clock is further ahead than this is refused, as in DAOS (epsilon 1 s). */
    public static final long EPSILON = fromNanos(1_000_000_000L);

    private static final long LOGICAL_MASK = (1L << 18) - 1;

    private final LongSupplier epochNanos;
    private final AtomicLong last = new AtomicLong();

    /** @param epochNanos nanoseconds since 1970, may jump */
    public Hlc(LongSupplier epochNanos) {
        this.epochNanos = epochNanos;
    }

    /** A new value above every value returned or merged before. */
    public long now() {
        long physical = physical();
        return last.updateAndGet(l -> Math.max(physical, l + 1));
    }

    /** The largest value so far; not a new one. */
    public long peek() {
        return Math.max(last.get(), physical());
    }

    /** Nanoseconds until this clock, if nobody sets it, takes the value in; 0 when it does. */
    public long behindNs(long remote) {
        if (remote <= last.get()) return 0;
        return Math.max(0, toNanos(remote - physical() - EPSILON));
    }

    /** Takes in a value of another process. DER_HLC_SYNC when it is more than epsilon ahead of this clock. */
    public void merge(long remote) {
        if (remote <= last.get()) return;
        long physical = physical();
        if (remote - physical > EPSILON) {
            throw Fault.of(FaultCode.HLC_SYNC, "a peer's clock is %d ms ahead", (remote - physical) / 16_000_000L)
                    .asException();
        }
        last.accumulateAndGet(remote, Math::max);
    }

    private long physical() {
        return fromNanos(epochNanos.getAsLong() - ORIGIN_MS * 1_000_000L) & ~LOGICAL_MASK;
    }

    public static long fromNanos(long nanosSinceOrigin) {
        return nanosSinceOrigin << 4;
    }

    /** Of a difference, rounded up. */
    private static long toNanos(long hlc) {
        return (hlc + 15) >> 4;
    }

    /** Wall-clock milliseconds since 1970 of a value. */
    public static long toUnixMillis(long hlc) {
        return (hlc >>> 4) / 1_000_000L + ORIGIN_MS;
    }
}
