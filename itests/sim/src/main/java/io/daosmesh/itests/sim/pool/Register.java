package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.history.Call;
import io.daosmesh.itests.sim.history.Linearizability;
import io.daosmesh.itests.sim.history.RegisterModel;
import io.daosmesh.itests.sim.history.RegisterModel.Operation;
import io.daosmesh.itests.sim.history.Verdict;
import io.daosmesh.model.id.ObjectId;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One key with its numbered states, each written once: number 0 is "never written", every seventh a punch. Keeps the
 * history of its calls, and finds at once what is wrong while a single client writes it and knows all outcomes. Owner: the
 * timeline.
 */
final class Register {
    private static final int PUNCH_EVERY = 7;
    /** Histories of a run need a few thousand; what needs more is reported as undecided. */
    private static final long STEPS_MAX = 2_000_000;

    final ObjectId oid;
    final byte[] dkey;
    /** Written by several clients, under conditions too. */
    final boolean isContested;

    private final int id;
    private final List<Call<Operation>> history = new ArrayList<>();
    private int started;
    /** The newest state that somebody has been told of: its writer, or a reader. */
    private int known;

    private boolean hasOpenWrite;

    Register(ObjectId oid, int id, boolean isContested) {
        this.oid = oid;
        this.id = id;
        this.isContested = isContested;
        this.dkey = oddKey(id);
    }

    /** Keys that are the beginning of others, with zeros and 0xff where separators could be. */
    private static byte[] oddKey(int id) {
        byte n = (byte) (id + 1);
        return switch (id % 6) {
            case 0 -> new byte[] {n};
            case 1 -> new byte[] {n, 0};
            case 2 -> new byte[] {0, n};
            case 3 -> new byte[] {n, 0, (byte) 0xff};
            case 4 -> new byte[] {(byte) 0xff, (byte) 0xff, n};
            default -> ("key" + id).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        };
    }

    String name() {
        return "key " + id + " of " + oid.objectClass().replicas() + " x " + oid.groupCount();
    }

    int startWrite() {
        return ++started;
    }

    /** What a read that starts now must at least return. */
    int floor() {
        return known;
    }

    static boolean isPunch(int number) {
        return number % PUNCH_EVERY == 0;
    }

    /** The number as the history names it. */
    static int asValue(int number) {
        return isPunch(number) ? RegisterModel.ABSENT : number;
    }

    /** Of sizes on both sides of the threshold between memory and device; every byte says whose it is. */
    byte[] value(int number) {
        int[] sizes = {40, 700, 5_000, 100, 9_000};
        byte[] bytes = new byte[sizes[number % sizes.length]];
        ByteBuffer b = ByteBuffer.wrap(bytes).putInt(id).putInt(number);
        while (b.hasRemaining()) b.put((byte) (number * 31 + b.position()));
        return bytes;
    }

    void onWritten(int client, int number, Operation operation, long fromNs, long nowNs) {
        if (!operation.isUnmet()) known = Math.max(known, number);
        history.add(new Call<>(client, operation, fromNs, nowNs));
    }

    /** It may have happened, may still happen, or never. */
    void onUnknown(int client, Operation operation, long fromNs) {
        hasOpenWrite = true;
        history.add(new Call<>(client, operation, fromNs, Call.NEVER));
    }

    /**
     * Takes note of what a read has returned.
     *
     * @param bytes null = the key is absent
     * @param floor what was known when it started
     * @return what is wrong with it; null if nothing is that can be seen without the whole history
     */
    @Nullable
    String onRead(int client, byte @Nullable [] bytes, int floor, long fromNs, long nowNs) {
        int number = RegisterModel.ABSENT;
        if (bytes != null) {
            if (bytes.length < 8) return name() + ": " + bytes.length + " bytes";
            ByteBuffer b = ByteBuffer.wrap(bytes);
            int of = b.getInt();
            number = b.getInt();
            if (of != id || number < 1 || number > started || isPunch(number))
                return name() + " returned state " + number + " of key " + of;
            if (!Arrays.equals(bytes, value(number))) return name() + ": bytes of state " + number + " are wrong";
        }
        history.add(new Call<>(client, Operation.read(number), fromNs, nowNs));
        if (isContested || hasOpenWrite) return null;
        if (bytes == null) return onAbsent(floor);
        if (number < floor) return name() + ": stale, state " + number + " after " + floor + " was known";
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
        return name() + ": absent, lost state " + floor + ", at most " + started + " was written";
    }

    /** For whoever looks for the cause of a difference. */
    String describe(byte @Nullable [] bytes) {
        if (bytes == null || bytes.length < 8) return bytes == null ? "absent" : bytes.length + " bytes";
        return "state " + ByteBuffer.wrap(bytes).getInt(4) + " of " + started;
    }

    Verdict verdict() {
        return Linearizability.check(new RegisterModel(), RegisterModel.relevant(history), STEPS_MAX);
    }
}
