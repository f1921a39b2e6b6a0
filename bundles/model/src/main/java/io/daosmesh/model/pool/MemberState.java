package io.daosmesh.model.pool;

import io.daosmesh.model.wire.MemberMessage;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/** State of a system member and the one table of legal moves (DAOS system/member.go; administration guide). */
public enum MemberState {
    UNKNOWN(MemberMessage.State.UNKNOWN),
    AWAIT_FORMAT(MemberMessage.State.AWAIT_FORMAT),
    STARTING(MemberMessage.State.STARTING),
    READY(MemberMessage.State.READY),
    JOINED(MemberMessage.State.JOINED),
    STOPPING(MemberMessage.State.STOPPING),
    STOPPED(MemberMessage.State.STOPPED),
    EXCLUDED(MemberMessage.State.EXCLUDED),
    ERRORED(MemberMessage.State.ERRORED),
    UNRESPONSIVE(MemberMessage.State.UNRESPONSIVE),
    ADMIN_EXCLUDED(MemberMessage.State.ADMIN_EXCLUDED);

    private final MemberMessage.State wire;

    MemberState(MemberMessage.State wire) {
        this.wire = wire;
    }

    public MemberMessage.State toWire() {
        return wire;
    }

    /** UNKNOWN for one of another release, which is in no group. */
    public static MemberState of(MemberMessage.State wire) {
        for (MemberState state : values()) if (state.wire == wire) return state;
        return UNKNOWN;
    }

    public Set<MemberState> next() {
        return switch (this) {
            case UNKNOWN, AWAIT_FORMAT, STARTING -> EnumSet.complementOf(EnumSet.of(UNKNOWN, this));
            case READY -> EnumSet.of(JOINED, STOPPING, STOPPED, ERRORED, EXCLUDED, ADMIN_EXCLUDED, UNRESPONSIVE);
            case JOINED ->
                EnumSet.of(JOINED, READY, STOPPING, STOPPED, EXCLUDED, ERRORED, UNRESPONSIVE, ADMIN_EXCLUDED);
            case STOPPING -> EnumSet.of(READY, JOINED, STOPPED, EXCLUDED, ERRORED, UNRESPONSIVE);
            case STOPPED -> EnumSet.of(READY, JOINED, EXCLUDED, ERRORED, ADMIN_EXCLUDED);
            case EXCLUDED -> EnumSet.of(JOINED, ADMIN_EXCLUDED, STOPPED);
            case ERRORED -> EnumSet.of(READY, JOINED, STOPPED, EXCLUDED, ADMIN_EXCLUDED);
            case UNRESPONSIVE -> EnumSet.of(READY, JOINED, STOPPING, STOPPED, EXCLUDED, ERRORED, ADMIN_EXCLUDED);
            case ADMIN_EXCLUDED -> EnumSet.of(EXCLUDED);
        };
    }

    public boolean mayBecome(MemberState to) {
        return next().contains(to);
    }

    /** Members of the group map that gossip and I/O may use. */
    public boolean isInGroup() {
        return this == JOINED || this == READY || this == STARTING;
    }

    /** {@code Joined}, {@code AdminExcluded}: as {@code dmg system query} prints. */
    public String label() {
        StringBuilder b = new StringBuilder();
        for (String word : name().split("_")) {
            b.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
        }
        return b.toString();
    }
}
