package io.daosmesh.storage;

import java.util.Set;

/**
 * State of a device and the one table of legal moves. What DAOS keeps as flags (plugged, in use, faulty) and as its
 * blobstore machine (NORMAL, FAULTY, TEARDOWN, OUT) is one machine here.
 */
public enum DeviceState {
    /** Plugged, not in use. */
    NEW(0),
    /** Serving. */
    NORMAL(1),
    /** Found or set faulty: no writes; its targets are being excluded. */
    FAULTY(2),
    /** Its targets are out of every pool; I/O is being drained. */
    TEARDOWN(3),
    /** Out of use, waits for replacement. */
    OUT(4),
    /** Not there. */
    UNPLUGGED(5);

    private final int code;

    DeviceState(int code) {
        this.code = code;
    }

    /** As metrics show it. */
    public int code() {
        return code;
    }

    public boolean mayBecome(DeviceState next) {
        return moves().contains(next);
    }

    private Set<DeviceState> moves() {
        return switch (this) {
            case NEW -> Set.of(NORMAL, FAULTY, UNPLUGGED);
            case NORMAL -> Set.of(FAULTY, UNPLUGGED);
            case FAULTY -> Set.of(TEARDOWN, UNPLUGGED);
            case TEARDOWN -> Set.of(OUT, UNPLUGGED);
            case OUT -> Set.of(NORMAL, UNPLUGGED);
            // a faulty device that is plugged in again stays out (DAOS: EVICTED)
            case UNPLUGGED -> Set.of(NEW, NORMAL, OUT);
        };
    }

    public boolean mayRead() {
        return this == NORMAL || this == FAULTY;
    }

    public boolean mayWrite() {
        return this == NORMAL;
    }

    /** Plugged, and not used because of a fault. */
    public boolean isEvicted() {
        return this == FAULTY || this == TEARDOWN || this == OUT;
    }

    /** The word dmg prints. */
    public String shown() {
        return isEvicted() ? "EVICTED" : name();
    }
}
