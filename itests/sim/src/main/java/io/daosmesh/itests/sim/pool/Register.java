package io.daosmesh.itests.sim.pool;

import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * One key with its numbered states, each written once and by one writer: number 0 is "never written", every seventh a
 * punch. Knows which of them a read may return, that is, whether the history is linearizable. Owner: the timeline.
 */
final class Register {
    private static final int PUNCH_EVERY = 7;

    final ObjectId oid;
    final byte[] dkey;
    private final int id;
    private int started;
    /** The newest state that somebody has been told of: its writer, or a reader. */
    private int known;

    Register(ObjectId oid, int id) {
        this.oid = oid;
        this.id = id;
        this.dkey = ("key" + id).getBytes(StandardCharsets.UTF_8);
    }

    int startWrite() {
        return ++started;
    }

    void onWritten(int number) {
        known = Math.max(known, number);
    }

    /** What a read that starts now must at least return. */
    int floor() {
        return known;
    }

    int newest() {
        return started;
    }

    static boolean isPunch(int number) {
        return number % PUNCH_EVERY == 0;
    }

    /** Of sizes on both sides of the threshold between memory and device; every byte says whose it is. */
    byte[] value(int number) {
        int[] sizes = {40, 700, 5_000, 100, 9_000};
        byte[] bytes = new byte[sizes[number % sizes.length]];
        ByteBuffer b = ByteBuffer.wrap(bytes).putInt(id).putInt(number);
        while (b.hasRemaining()) b.put((byte) (number * 31 + b.position()));
        return bytes;
    }

    /**
     * Checks what a read has returned.
     *
     * @param bytes null = the key is absent
     * @param floor what was known when it started
     * @return null if it may be so
     */
    @Nullable
    String onRead(byte @Nullable [] bytes, int floor) {
        if (bytes == null) return onAbsent(floor);
        if (bytes.length < 8) return "key " + id + ": " + bytes.length + " bytes";
        ByteBuffer b = ByteBuffer.wrap(bytes);
        int of = b.getInt();
        int number = b.getInt();
        if (of != id || number < 1 || number > started || isPunch(number)) {
            return "key " + id + " returned state " + number + " of key " + of;
        }
        if (!java.util.Arrays.equals(bytes, value(number)))
            return "key " + id + ": bytes of state " + number + " are wrong";
        if (number < floor) return "key " + id + ": stale, state " + number + " after " + floor + " was known";
        known = Math.max(known, number);
        return null;
    }

    private @Nullable String onAbsent(int floor) {
        for (int number = floor; number <= started; number++) {
            if (isPunch(number)) {
                known = Math.max(known, number);
                return null;
            }
        }
        return "key " + id + ": absent, lost state " + floor + ", at most " + started + " was written";
    }
}
