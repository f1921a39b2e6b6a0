package io.daosmesh.nvmespdk;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes an emulated device behave badly for as long as a file beside it says so, so that bad devices can be tried on nodes that
 * run. Without the file it costs a request one look at a field. Requests: threads of the device; {@link #look}: the
 * driver's.
 */
final class Troubles {
    private static final Logger log = LoggerFactory.getLogger(Troubles.class);
    private static final int TEXT_BYTES_MAX = 100;

    /** The device itself. */
    interface Medium {
        void read(long offsetBytes, ByteBuffer dst) throws IOException;

        void write(long offsetBytes, ByteBuffer src) throws IOException;
    }

    private final Path file;
    private final Path deviceFile;
    private volatile String refused = "(none yet)";
    private volatile Trouble now = Trouble.NONE;
    private boolean isClosed;

    private Troubles(Path file, Path deviceFile) {
        this.file = file;
        this.deviceFile = deviceFile;
    }

    static Troubles of(Path deviceFile) {
        return new Troubles(deviceFile.resolveSibling(deviceFile.getFileName() + ".trouble"), deviceFile);
    }

    void delete() throws IOException {
        Files.deleteIfExists(file);
    }

    /** Reads the file; what it says holds from now on. A file that makes no sense is none. */
    void look() {
        Trouble next = read();
        if (next.equals(now)) return;
        log.warn("device {} is told what to do wrong: {}", deviceFile, next);
        synchronized (this) {
            now = next;
            notifyAll();
        }
    }

    private Trouble read() {
        if (!Files.exists(file)) return Trouble.NONE;
        String text = "";
        try {
            text = Files.size(file) > TEXT_BYTES_MAX
                    ? "(more than " + TEXT_BYTES_MAX + " bytes)"
                    : Files.readString(file);
            return Trouble.parse(text);
        } catch (IOException | IllegalArgumentException e) {
            if (!text.equals(refused)) log.warn("{}: {}", file, e.getMessage());
            refused = text;
            return Trouble.NONE;
        }
    }

    /** Before a request of any kind: waits, or fails. */
    void enter() throws IOException {
        Trouble t = now;
        switch (t.kind()) {
            case HANG -> stay(t, Long.MAX_VALUE);
            case SLOW -> stay(t, TimeUnit.MILLISECONDS.toNanos(t.ms()));
            case FAIL -> throw new IOException("told to fail");
            default -> {}
        }
    }

    private synchronized void stay(Trouble because, long ns) throws IOException {
        long startNs = System.nanoTime();
        while (now.equals(because) && !isClosed) {
            long leftMs = TimeUnit.NANOSECONDS.toMillis(ns - (System.nanoTime() - startNs));
            if (leftMs <= 0) return;
            try {
                wait(leftMs);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while it was told to wait");
            }
        }
        if (isClosed) throw new IOException("closed while it was told to wait");
    }

    /** What is written in place of the bytes given, which stay as they are; an error when they are written in part or not. */
    ByteBuffer toWrite(Medium medium, long offsetBytes, ByteBuffer src) throws IOException {
        switch (now.kind()) {
            case FILL -> throw new IOException("No space left on device: told to be full");
            case FLIP_WRITES -> {
                ByteBuffer wrong = aligned(src.remaining()).put(src).flip();
                flip(wrong, 0, wrong.limit());
                return wrong;
            }
            case TEAR -> {
                int length = src.remaining();
                ByteBuffer torn = aligned(length);
                medium.read(offsetBytes, torn);
                torn.clear().put(0, src, src.position(), length / 2);
                medium.write(offsetBytes, torn);
                throw new IOException("told to tear: " + length / 2 + " of " + length + " bytes are written");
            }
            default -> {
                return src;
            }
        }
    }

    /** After a read of so many bytes, up to the buffer's position. */
    void onRead(ByteBuffer dst, int lengthBytes) {
        if (now.kind() == Trouble.Kind.FLIP_READS) flip(dst, dst.position() - lengthBytes, lengthBytes);
    }

    private static void flip(ByteBuffer bytes, int from, int length) {
        int at = from + length / 2;
        bytes.put(at, (byte) (bytes.get(at) ^ 1));
    }

    private static ByteBuffer aligned(int lengthBytes) {
        int align = FileBlockDevice.BLOCK_BYTES;
        return ByteBuffer.allocateDirect(lengthBytes + align)
                .alignedSlice(align)
                .slice(0, lengthBytes);
    }

    /** Whoever waits fails. */
    synchronized void close() {
        isClosed = true;
        notifyAll();
    }
}
