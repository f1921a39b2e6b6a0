package io.daosmesh.spi;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The file system a folder or file lies on: its kind and how much room it has. Works too where the root folder is no mount point, as
 * in a chroot: there {@link Files#getFileStore} finds no entry for it among the mounts and fails, while its room can be asked by path.
 * Immutable, any thread; each question is one system call.
 */
public final class BackingFileSystem {
    /** The kind where nothing says it. */
    public static final String UNKNOWN = "unknown";

    /** Finds the store of a path as the JDK does. IOException where it cannot. */
    @FunctionalInterface
    interface Lookup {
        FileStore find(Path path) throws IOException;
    }

    private final File file;
    // null where the JDK finds no mount
    private final @Nullable FileStore store;

    private BackingFileSystem(File file, @Nullable FileStore store) {
        this.file = file;
        this.store = store;
    }

    /** IOException when there is no such folder or file, or its file system cannot be asked. */
    public static BackingFileSystem of(Path path) throws IOException {
        return of(path, Files::getFileStore);
    }

    static BackingFileSystem of(Path path, Lookup lookup) throws IOException {
        try {
            return new BackingFileSystem(new File(path.toString()), lookup.find(path));
        } catch (IOException e) {
            File file = new File(path.toString());
            // a file system without a single byte is none that could be asked
            if (file.getTotalSpace() == 0) throw e;
            return new BackingFileSystem(file, null);
        }
    }

    /** Such as ext4, xfs or tmpfs; {@link #UNKNOWN} where the mount is not to be seen from here. */
    public String type() {
        return store == null ? UNKNOWN : store.type();
    }

    /** All of it, in bytes. IOException when the file system cannot be asked. */
    public long totalBytes() throws IOException {
        return store == null ? asked(file.getTotalSpace()) : store.getTotalSpace();
    }

    /** What this process can still write, in bytes. IOException when the file system cannot be asked. */
    public long usableBytes() throws IOException {
        if (store != null) return store.getUsableSpace();
        asked(file.getTotalSpace());
        return file.getUsableSpace();
    }

    /** Bytes of a block; 0 where that is not to be seen from here. IOException when the file system cannot be asked. */
    public long blockBytes() throws IOException {
        return store == null ? 0 : store.getBlockSize();
    }

    private long asked(long totalBytes) throws IOException {
        if (totalBytes == 0) throw new IOException(file + ": the file system cannot be asked for its size");
        return totalBytes;
    }
}
