package io.daosmesh.spi;

import java.nio.file.Path;
import org.osgi.annotation.versioning.ConsumerType;

/** An open SCM space: a folder whose files are kept as durably as its class promises. Any thread. */
@ConsumerType
public interface ScmSpace extends AutoCloseable {
    DeviceInfo info();

    /** Folder that holds the files; stays valid while open. */
    Path root();

    long totalBytes();

    long freeBytes();

    /** True if mapped stores are durable without a system call (DAX, JEP 352). */
    boolean isMapSync();

    /**
     * Maps a file, created and zero-filled up to {@code sizeBytes} when shorter. Status: NO_SPACE, MEDIA_ERROR, INVALID.
     */
    DeviceResult<ScmRegion> map(String fileName, long sizeBytes);

    @Override
    void close();
}
