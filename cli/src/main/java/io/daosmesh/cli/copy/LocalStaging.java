package io.daosmesh.cli.copy;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Where what is copied is made before it gets its name: a folder in the destination, with a name that nobody can guess and
 * open to its owner alone, so that nobody else can put something else in the place of an unfinished file. Any thread, one
 * lock; its tree closes it, which removes the folder.
 */
final class LocalStaging implements AutoCloseable {
    /** What is left when a copy was killed is known by it, and by nobody holding its lock. */
    static final String PREFIX = ".daos-part-";

    private static final String LOCK = "lock";
    private static final Set<OpenOption> OPEN_LOCK = Set.of(StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    private static final Set<OpenOption> MAKE_LOCK =
            Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
    /** Of this process: looking at their locks would end them. */
    private static final Set<String> LIVE = ConcurrentHashMap.newKeySet();

    private static final int NAME_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final FileAttribute<?> OWNER_FILE =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));

    private final LocalFolder home;
    private final String name;
    private final LocalFolder folder;
    /** By its descriptor, which stays: nobody else has it open. */
    private final Path path;

    private @Nullable FileChannel lock;
    private boolean isClosed;

    private LocalStaging(LocalFolder home, String name, LocalFolder folder) throws IOException {
        this.home = home;
        this.name = name;
        this.folder = folder;
        this.path = folder.byPath(here -> here);
    }

    /** @param home what is made goes to folders of the same file system */
    static LocalStaging in(LocalFolder home) throws IOException {
        LocalFolder kept = home.again();
        String name = PREFIX + randomName();
        LIVE.add(name);
        try {
            kept.byPath(here -> Files.createDirectory(here.resolve(name), OWNER_ONLY));
            LocalFolder folder = kept.open(name);
            LocalStaging made = new LocalStaging(kept, name, folder);
            made.checkOwner();
            made.lock = locked(made.path.resolve(LOCK), MAKE_LOCK).orElse(null);
            return made;
        } catch (IOException | RuntimeException e) {
            LIVE.remove(name);
            kept.close();
            throw e;
        }
    }

    /** Empty when another process has it, or the file system has no locks: then nothing is ever taken for left. */
    private static Optional<FileChannel> locked(Path file, Set<OpenOption> how) throws IOException {
        FileChannel channel = FileChannel.open(file, how, OWNER_FILE);
        try {
            if (channel.tryLock() != null) return Optional.of(channel);
        } catch (IOException e) {
            // no locks here
        }
        channel.close();
        return Optional.empty();
    }

    /** Removes what copies to this folder have left that were killed. */
    static void removeLeft(LocalFolder home) throws IOException {
        List<String> names = new ArrayList<>();
        try (LocalFolder all = home.again()) {
            for (Iterator<Path> entries = all.entries(); entries.hasNext(); ) {
                String name = entries.next().toString();
                if (name.startsWith(PREFIX) && !LIVE.contains(name)) names.add(name);
            }
        }
        for (String name : names) {
            try (LocalFolder folder = home.open(name)) {
                if (removeContent(folder)) home.deleteDirectory(name);
            } catch (NoSuchFileException | NotDirectoryException | AccessDeniedException e) {
                // it is none, or not ours
            }
        }
    }

    private static boolean removeContent(LocalFolder folder) throws IOException {
        Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if (!user.equals(folder.byPath(here -> Files.getAttribute(here, "unix:uid")))) return false;
        Optional<FileChannel> lock = folder.byPath(here -> locked(here.resolve(LOCK), OPEN_LOCK));
        if (lock.isEmpty()) return false;
        try (FileChannel held = lock.get()) {
            empty(folder);
            return held.isOpen();
        }
    }

    private static void empty(LocalFolder folder) throws IOException {
        try (LocalFolder rest = folder.again()) {
            for (Iterator<Path> left = rest.entries(); left.hasNext(); ) {
                String name = left.next().toString();
                if (folder.attributes(name).isDirectory()) folder.deleteDirectory(name);
                else folder.delete(name);
            }
        }
    }

    /** Somebody who may write to the destination could have replaced it before it was opened. */
    private void checkOwner() throws IOException {
        Object owner = Files.getAttribute(path, "unix:uid");
        Object user = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
        if (owner.equals(user)) return;
        folder.close();
        throw Fault.of(FaultCode.NO_PERM, "a folder made in the destination belongs to user %s, not %s", owner, user)
                .remedy("choose a destination that others cannot write to, on a file system that keeps owners")
                .asException();
    }

    static String randomName() {
        byte[] random = new byte[NAME_BYTES];
        RANDOM.nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    private void checkOpen() throws IOException {
        if (isClosed) throw new IOException("the copy has ended");
    }

    /** A new file for its owner alone. */
    synchronized SeekableByteChannel create(String part) throws IOException {
        checkOpen();
        return folder.create(part);
    }

    /** Gives a complete file its name. */
    synchronized void publish(String part, LocalFolder in, FileTree.Item item) throws IOException {
        checkOpen();
        folder.setAttributes(part, item.mode(), item.mtimeNs());
        folder.move(part, in, item.name());
    }

    /** What was not published; all of it is gone with the staging. */
    synchronized void discard(String part) throws IOException {
        if (!isClosed) folder.delete(part);
    }

    synchronized void makeDirectory(LocalFolder in, String newName) throws IOException {
        checkOpen();
        String part = randomName();
        Files.createDirectory(path.resolve(part), OWNER_ONLY);
        try {
            folder.move(part, in, newName);
        } catch (IOException e) {
            folder.deleteDirectory(part);
            throw e;
        }
    }

    synchronized void makeLink(LocalFolder in, String newName, Path target) throws IOException {
        checkOpen();
        String part = randomName();
        Files.createSymbolicLink(path.resolve(part), target);
        try {
            folder.move(part, in, newName);
        } catch (IOException e) {
            folder.delete(part);
            throw e;
        }
    }

    @Override
    public synchronized void close() throws IOException {
        isClosed = true;
        LIVE.remove(name);
        try (home;
                folder) {
            // of writes that were cancelled and have not noticed yet
            empty(folder);
            home.deleteDirectory(name);
            if (lock != null) lock.close();
        } catch (NoSuchFileException e) {
            // others have removed it
        }
    }
}
