package io.daosmesh.engine.scrub;

/**
 * How much the scrubber may read in this tick, so that clients do not notice it: as it likes while nobody asks, and one
 * value in a few ticks while they do. Owner: target loop.
 */
final class ScrubPace {
    /** Without requests for so long a target is idle; DAOS looks as often. */
    static final long IDLE_NS = 1_000_000_000L;
    /** With a tick of 50 ms some 80 MB a second. */
    static final long TICK_BYTES = 4L << 20;
    /** What a short record costs of it: 2,048 of them are a few ms of the loop. */
    static final long RECORD_BYTES_MIN = 2048;
    /** While requests come. */
    static final int TICKS_A_RECORD = 4;

    private long operations;
    private long lastOperationNs;
    private int busyTicks;
    private long leftBytes;

    ScrubPace(long nowNs) {
        lastOperationNs = nowNs;
    }

    /**
     * @param operationCount requests to the target until now
     * @param isAtWork something is being made durable
     */
    void onTick(ScrubPolicy.Mode mode, long operationCount, boolean isAtWork, long nowNs) {
        boolean isBusy = operationCount != operations || isAtWork;
        if (isBusy) lastOperationNs = nowNs;
        operations = operationCount;
        boolean isIdle = nowNs - lastOperationNs >= IDLE_NS;
        boolean mayRead = mode == ScrubPolicy.Mode.LAZY ? isIdle : !isBusy;
        if (mayRead) {
            leftBytes = TICK_BYTES;
            busyTicks = 0;
        } else {
            boolean isTurn = mode == ScrubPolicy.Mode.TIMED && ++busyTicks >= TICKS_A_RECORD;
            leftBytes = isTurn ? 1 : 0;
            if (isTurn) busyTicks = 0;
        }
    }

    /** False when somebody has asked since the tick. */
    boolean mayRead(long operationCount) {
        return leftBytes > 0 && operationCount == operations;
    }

    void spend(long bytes) {
        leftBytes -= Math.max(RECORD_BYTES_MIN, bytes);
    }
}
