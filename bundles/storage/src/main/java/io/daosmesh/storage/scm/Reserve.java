package io.daosmesh.storage.scm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that is there for its room: given up on a full file system, so that an engine can still open its files and delete
 * data. Any thread; making it writes all of it.
 */
public final class Reserve {
    static final String NAME = "reserve";
    private static final int PART_BYTES = 1 << 20;
    private static final Logger log = LoggerFactory.getLogger(Reserve.class);

    private final Path file;

    Reserve(Path folder) {
        this.file = folder.resolve(NAME);
    }

    /** False for one that was cut off while it was made. */
    public boolean isThere(long sizeBytes) {
        try {
            return sizeBytes > 0 && Files.exists(file) && Files.size(file) >= sizeBytes;
        } catch (IOException e) {
            return false;
        }
    }

    /** True when there was something to give up. */
    public synchronized boolean giveUp() {
        try {
            boolean wasThere = Files.deleteIfExists(file);
            if (wasThere) log.warn("the file system of {} is full: the reserve is given up", file.getParent());
            return wasThere;
        } catch (IOException e) {
            log.error("the reserve {} cannot be given up: {}", file, e.getMessage());
            return false;
        }
    }

    /** With real blocks, durably; false, and nothing is left of it, when it cannot be. */
    public synchronized boolean make(long sizeBytes) {
        try (FileChannel channel = FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            // nothing that a file system could store as a hole
            byte[] part = new byte[PART_BYTES];
            new SplittableRandom(sizeBytes).nextBytes(part);
            for (long at = 0; at < sizeBytes; ) {
                ByteBuffer in = ByteBuffer.wrap(part, 0, (int) Math.min(PART_BYTES, sizeBytes - at));
                while (in.hasRemaining()) at += channel.write(in);
            }
            channel.force(true);
            return true;
        } catch (IOException e) {
            log.warn("no reserve is made in {}: {}", file.getParent(), e.getMessage());
            remove();
            return false;
        }
    }

    private void remove() {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            log.debug("{}: {}", file, e.getMessage());
        }
    }
}
