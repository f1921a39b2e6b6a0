package io.daosmesh.storage.smd;

import io.daosmesh.model.release.StoredFormat;
import java.nio.ByteBuffer;
import java.util.UUID;

/**
 * What is known of a target's index from outside of it: an index that comes back shorter, or not at all, cannot tell so
 * itself. Kept beside the index. Immutable.
 *
 * @param index identity of the index, made by its format
 * @param position number of the last batch known to be durable: the index must reach it
 * @param reason why it is DAMAGED, else empty
 */
public record IndexNote(UUID index, State state, long position, String reason) {
    private static final int REASON_CHARS_MAX = 1000;
    private static final long MAGIC = 0x31444e494d534f41L;

    /** What is known of its last use. */
    public enum State {
        /** In use, or left by a process that was killed: there may be batches behind the position. */
        OPEN(0),
        /** Closed in order: everything is in the tables, nothing in a log. */
        CLOSED(1),
        /** Does not hold what was acknowledged: never opened again. */
        DAMAGED(2);

        /** On disk. */
        private final int code;

        State(int code) {
            this.code = code;
        }

        static State of(int code) {
            for (State state : values()) if (state.code == code) return state;
            throw new IllegalArgumentException("unknown state " + code);
        }
    }

    public IndexNote {
        if (reason.length() > REASON_CHARS_MAX) reason = reason.substring(0, REASON_CHARS_MAX);
    }

    private static Frame.Kind kind(int target) {
        return new Frame.Kind("note of the index of target " + target, MAGIC, StoredFormat.INDEX_NOTE.newest());
    }

    public byte[] encode(int target) {
        Encoder out = new Encoder().putInt(target).putUuid(index).putInt(state.code);
        out.putLong(position).putString(reason);
        return Frame.encode(kind(target), out.bytes());
    }

    /** DF_INVAL when damaged or of another target, DF_INCOMPT when of a layout this release does not know. */
    public static IndexNote decode(int target, byte[] bytes) {
        return Frame.decode(kind(target), bytes, in -> read(target, in));
    }

    private static IndexNote read(int target, ByteBuffer in) {
        int of = in.getInt();
        if (of != target) throw new IllegalArgumentException("of target " + of);
        UUID index = Encoder.uuid(in);
        State state = State.of(in.getInt());
        return new IndexNote(index, state, in.getLong(), Encoder.string(in));
    }

    public IndexNote withDamage(String why) {
        return new IndexNote(index, State.DAMAGED, position, why);
    }
}
