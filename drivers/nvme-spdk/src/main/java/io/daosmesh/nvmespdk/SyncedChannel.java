package io.daosmesh.nvmespdk;

import io.daosmesh.spi.BlockDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A second descriptor of the device's file, on which every write is durable when it returns (O_DSYNC). Ranges that follow
 * each other, as they do when the blocks were allocated one behind the other, go in one system call instead of a write
 * each and a flush. Any thread, one at a time, because a gathering write goes to the descriptor's position; closed together
 * with the first descriptor, because closing either drops the file's lock.
 */
final class SyncedChannel implements AutoCloseable {
    private final FileChannel channel;
    private final ReentrantLock position = new ReentrantLock();

    SyncedChannel(FileChannel channel) {
        this.channel = channel;
    }

    /** False, and nothing is written, when the ranges do not follow each other or another thread is writing here. */
    boolean write(List<BlockDevice.Write> writes) throws IOException {
        ByteBuffer[] sources = new ByteBuffer[writes.size()];
        long end = writes.get(0).offsetBytes();
        long left = 0;
        for (int i = 0; i < sources.length; i++) {
            BlockDevice.Write w = writes.get(i);
            if (w.offsetBytes() != end) return false;
            sources[i] = w.src();
            end += w.src().remaining();
            left += w.src().remaining();
        }
        if (!position.tryLock()) return false;
        try {
            channel.position(writes.get(0).offsetBytes());
            while (left > 0) left -= channel.write(sources);
            return true;
        } finally {
            position.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
