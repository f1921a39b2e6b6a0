package io.daosmesh.cli.copy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** Zeros are not written to a new file: its file system keeps no blocks for them. Owner: one write. */
final class Holes {
    /** A hole is worth it from here on; a multiple of the blocks of file systems. */
    static final int BLOCK_BYTES = 64 << 10;

    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(BLOCK_BYTES).asReadOnlyBuffer();

    private Holes() {}

    /** Appends; what is skipped reads as zeros once something follows. */
    static void write(SeekableByteChannel file, ByteBuffer data) throws IOException {
        while (data.hasRemaining()) {
            int from = data.position();
            int end = from;
            boolean isHole = isZero(data, from);
            while (end < data.limit() && isZero(data, end) == isHole) end = Math.min(data.limit(), end + BLOCK_BYTES);
            if (isHole) file.position(file.position() + end - from);
            ByteBuffer part = data.slice(from, isHole ? 0 : end - from);
            while (part.hasRemaining()) file.write(part);
            data.position(end);
        }
    }

    private static boolean isZero(ByteBuffer data, int from) {
        int length = Math.min(BLOCK_BYTES, data.limit() - from);
        return data.slice(from, length).mismatch(ZEROS.slice(0, length)) < 0;
    }

    /** A hole at the end needs its last byte. */
    static void finish(SeekableByteChannel file) throws IOException {
        long end = file.position();
        if (end == file.size()) return;
        file.position(end - 1);
        file.write(ByteBuffer.allocate(1));
    }
}
