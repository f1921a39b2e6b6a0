package io.daosmesh.model.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Makes damaged inputs of good ones; the same seed makes the same ones. Owner: the test. */
public final class Mutator {
    /** Inputs do not grow beyond this by copying. */
    private static final int BYTES_MAX = 64 << 10;

    private static final int CHANGES_MAX = 6;
    private static final int PIECE_MAX = 64;
    private static final long[] EDGES = {
        0,
        1,
        -1,
        Byte.MAX_VALUE,
        Byte.MIN_VALUE,
        255,
        256,
        Short.MAX_VALUE,
        65_535,
        1 << 24,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        0xFFFFFFFFL,
        Long.MAX_VALUE,
        Long.MIN_VALUE
    };

    private final Random random;
    private final List<byte[]> good;
    private final List<byte[]> words;

    /**
     * @param good inputs that are accepted; at least one
     * @param words pieces that mean something to the reader; may be none
     */
    public Mutator(long seed, List<byte[]> good, List<String> words) {
        this.random = new Random(seed);
        this.good = good;
        this.words = words.stream().map(w -> w.getBytes(StandardCharsets.UTF_8)).toList();
    }

    /** One to six changes to one of the good inputs. */
    public byte[] next() {
        byte[] bytes = pick(good).clone();
        for (int n = 1 + random.nextInt(CHANGES_MAX); n > 0; n--) bytes = change(bytes);
        return bytes;
    }

    private byte[] change(byte[] in) {
        if (in.length == 0) return piece();
        int at = random.nextInt(in.length);
        return switch (random.nextInt(9)) {
            case 0 -> {
                in[at] ^= (byte) (1 << random.nextInt(8));
                yield in;
            }
            case 1 -> {
                in[at] = (byte) random.nextInt(256);
                yield in;
            }
            case 2 -> Arrays.copyOf(in, at);
            case 3 -> replaced(in, at, lengthFrom(in, at), new byte[0]);
            case 4 -> replaced(in, at, 0, piece());
            case 5 -> replaced(in, at, 0, Arrays.copyOfRange(in, at, at + lengthFrom(in, at)));
            case 6 -> spliced(in, at);
            case 7 -> edge(in, at);
            default -> repeated(in, at);
        };
    }

    private byte[] piece() {
        if (!words.isEmpty() && random.nextInt(4) > 0) return pick(words);
        byte[] bytes = new byte[1 + random.nextInt(PIECE_MAX)];
        random.nextBytes(bytes);
        return bytes;
    }

    private int lengthFrom(byte[] in, int at) {
        return 1 + random.nextInt(Math.min(PIECE_MAX, in.length - at));
    }

    private static byte[] replaced(byte[] in, int at, int length, byte[] by) {
        if (in.length + by.length > BYTES_MAX) return in;
        byte[] out = Arrays.copyOf(in, in.length - length + by.length);
        System.arraycopy(by, 0, out, at, by.length);
        System.arraycopy(in, at + length, out, at + by.length, in.length - at - length);
        return out;
    }

    /** The front of this one and the end of another one. */
    private byte[] spliced(byte[] in, int at) {
        byte[] other = pick(good);
        int from = other.length == 0 ? 0 : random.nextInt(other.length);
        return replaced(in, at, in.length - at, Arrays.copyOfRange(other, from, other.length));
    }

    /** A number at the end of its range, of one to eight bytes, in either order. */
    private byte[] edge(byte[] in, int at) {
        long value = EDGES[random.nextInt(EDGES.length)];
        int bytes = 1 << random.nextInt(4);
        boolean isLittle = random.nextBoolean();
        for (int i = 0; i < bytes && at + i < in.length; i++) {
            in[at + i] = (byte) (value >>> 8 * (isLittle ? i : bytes - 1 - i));
        }
        return in;
    }

    /** The same piece many times over: depth and counts. */
    private byte[] repeated(byte[] in, int at) {
        byte[] once = random.nextBoolean() ? piece() : Arrays.copyOfRange(in, at, at + lengthFrom(in, at));
        int times = 1 << random.nextInt(13);
        if (once.length * times > BYTES_MAX) times = BYTES_MAX / once.length;
        byte[] all = new byte[once.length * times];
        for (int i = 0; i < times; i++) System.arraycopy(once, 0, all, i * once.length, once.length);
        return replaced(in, at, 0, all);
    }

    private byte[] pick(List<byte[]> from) {
        return from.get(random.nextInt(from.size()));
    }
}
