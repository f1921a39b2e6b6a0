package io.daosmesh.engine.dtx;

/**
 * How much a target may remember of updates, in committed ones; shared by its pools. What is promised to be remembered is never
 * forgotten for want of room: new updates are refused instead. Owner: target loop. Pure.
 */
public final class DtxRoom {
    /** Without another bound: 11,600 updates/s for as long as a client may resend one. */
    public static final int TARGET_MAX = 1 << 20;
    /** Below it a target can hardly work. */
    private static final int TARGET_MIN = 1 << 14;
    /** A prepared update has its keys and scopes, which are objects: about 800 bytes with one short key. */
    public static final int PREPARED_WEIGHT = 12;

    private final int max;
    private int used;

    /** @param max in committed updates of {@value CommittedIds#BYTES_EACH} bytes */
    public DtxRoom(int max) {
        this.max = max;
    }

    /** @param bytes of memory that the target may use for it */
    public static DtxRoom ofBytes(long bytes) {
        return new DtxRoom((int) Math.max(TARGET_MIN, Math.min(TARGET_MAX, bytes / CommittedIds.BYTES_EACH)));
    }

    void change(int by) {
        used += by;
    }

    public int max() {
        return max;
    }

    /** In committed updates, without those of a former life; above the maximum when a rebuild brought ids. */
    public int used() {
        return used;
    }

    /** No member may prepare another update. */
    public boolean isFull() {
        return used >= max;
    }

    /** No leader may begin another update: what is left is for those that other targets lead. */
    public boolean isShort() {
        return used >= max - max / 8;
    }
}
