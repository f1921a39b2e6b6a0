package io.daosmesh.cli.copy;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * A folder of this machine held open: what is done, is done in this very folder, whatever becomes of its name meanwhile.
 * Names are single ones, and links are not followed. Any thread; whoever has opened one closes it.
 */
public final class LocalFolder implements AutoCloseable {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    /** Who opens or closes a folder reads; so while it is written, a descriptor that has been found stays what it is. */
    private static final ReentrantReadWriteLock OPENING = new ReentrantReadWriteLock();

    private final SecureDirectoryStream<Path> stream;

    private LocalFolder(DirectoryStream<Path> stream) throws IOException {
        if (!(stream instanceof SecureDirectoryStream<Path> secure)) {
            stream.close();
            throw Fault.of(FaultCode.NOTSUPPORTED, "this file system gives no hold on its folders")
                    .remedy("copy from or to a local file system of Linux")
                    .asException();
        }
        this.stream = secure;
    }

    private interface Opening {
        DirectoryStream<Path> open() throws IOException;
    }

    private static LocalFolder open(Opening opening) throws IOException {
        OPENING.readLock().lock();
        try {
            return new LocalFolder(opening.open());
        } finally {
            OPENING.readLock().unlock();
        }
    }

    /** As the user has named it: links in a path of theirs are meant. */
    public static LocalFolder open(Path path) throws IOException {
        return open(() -> Files.newDirectoryStream(path));
    }

    /** The same folder once more, to be closed on its own. */
    public LocalFolder again() throws IOException {
        return open(() -> stream.newDirectoryStream(Path.of("."), LinkOption.NOFOLLOW_LINKS));
    }

    /** NotDirectoryException for all but a folder; a link to one is none. */
    public LocalFolder open(String name) throws IOException {
        Path single = single(name);
        // before it is opened: a pipe would wait for its writer
        if (!attributes(name).isDirectory()) throw new NotDirectoryException(name);
        try {
            return open(() -> stream.newDirectoryStream(single, LinkOption.NOFOLLOW_LINKS));
        } catch (NoSuchFileException e) {
            throw e;
        } catch (FileSystemException e) {
            // it has become a link or a file since
            if (!attributes(name).isDirectory()) throw new NotDirectoryException(name);
            throw e;
        }
    }

    /** BADPATH for what is not one name: it could lead elsewhere. */
    public static Path single(String name) {
        if (!isName(name)) {
            throw Fault.of(FaultCode.BADPATH, "'%s' is no name", name).asException();
        }
        return LocalNames.path(name);
    }

    /** One step down, and nowhere else. */
    public static boolean isName(String text) {
        boolean isDots = text.equals(".") || text.equals("..");
        return !text.isEmpty() && !isDots && text.indexOf('/') < 0 && text.indexOf('\0') < 0;
    }

    /** Names of what is in it, as bytes of the system; once. */
    public Iterator<Path> entries() {
        Iterator<Path> paths = stream.iterator();
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return paths.hasNext();
            }

            @Override
            public Path next() {
                return Objects.requireNonNull(paths.next().getFileName());
            }
        };
    }

    /** Of what has this name, be it a link. */
    public BasicFileAttributes attributes(String name) throws IOException {
        return view(single(name)).readAttributes();
    }

    private PosixFileAttributeView view(Path name) {
        return Objects.requireNonNull(
                stream.getFileAttributeView(name, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS));
    }

    private PosixFileAttributeView ownView() {
        return Objects.requireNonNull(stream.getFileAttributeView(PosixFileAttributeView.class));
    }

    public SeekableByteChannel read(String name) throws IOException {
        if (!attributes(name).isRegularFile()) throw new FileSystemException(name, null, "is not a file");
        return stream.newByteChannel(single(name), options(StandardOpenOption.READ));
    }

    /** For its owner alone, and only if there is nothing of this name. */
    public SeekableByteChannel create(String name) throws IOException {
        return stream.newByteChannel(
                single(name),
                options(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(
                        EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE)));
    }

    private static Set<OpenOption> options(OpenOption... options) {
        Set<OpenOption> all = new java.util.HashSet<>(Set.of(options));
        all.add(LinkOption.NOFOLLOW_LINKS);
        return all;
    }

    /** Replaces a file or link of the new name, never what a link leads to. */
    public void move(String name, LocalFolder to, String newName) throws IOException {
        stream.move(single(name), to.stream, single(newName));
    }

    public void delete(String name) throws IOException {
        stream.deleteFile(single(name));
    }

    public void deleteDirectory(String name) throws IOException {
        stream.deleteDirectory(single(name));
    }

    /** Of a file in it; only where nobody else can put something else in its place. */
    public void setAttributes(String name, int mode, long mtimeNs) throws IOException {
        Path single = single(name);
        if (isPlain(mode)) set(view(single), mode, mtimeNs);
        else byPath(here -> setMode(here.resolve(single), mode, mtimeNs));
    }

    public void setOwnAttributes(int mode, long mtimeNs) throws IOException {
        if (isPlain(mode)) set(ownView(), mode, mtimeNs);
        // what a descriptor leads to is this folder
        else byPath(here -> setMode(here.resolve("."), mode, mtimeNs));
    }

    /** Java's permissions are no more than these bits. */
    private static boolean isPlain(int mode) {
        return (mode & 07777) == (mode & 0777);
    }

    private static boolean setMode(Path file, int mode, long mtimeNs) throws IOException {
        PosixFileAttributeView view = Objects.requireNonNull(
                Files.getFileAttributeView(file, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS));
        view.setTimes(FileTime.from(mtimeNs, TimeUnit.NANOSECONDS), null, null);
        Files.setAttribute(file, "unix:mode", mode & 07777, LinkOption.NOFOLLOW_LINKS);
        return true;
    }

    /** The time first: a mode may forbid it. */
    private static void set(PosixFileAttributeView view, int mode, long mtimeNs) throws IOException {
        view.setTimes(FileTime.from(mtimeNs, TimeUnit.NANOSECONDS), null, null);
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] all = PosixFilePermission.values();
        for (int bit = 0; bit < all.length; bit++) {
            if ((mode >> (8 - bit) & 1) == 1) permissions.add(all[bit]);
        }
        view.setPermissions(permissions);
    }

    /** The same for two opened folders that are one; where it is known, it begins with the device. */
    public String key() throws IOException {
        return String.valueOf(ownView().readAttributes().fileKey());
    }

    public interface Use<T> {
        T in(Path here) throws IOException;
    }

    /**
     * Does what Java offers for paths only. The path leads to this folder by its descriptor, not by names, and is good until
     * the end of the call; where nobody else has this folder open, until it is closed.
     */
    public <T> T byPath(Use<T> use) throws IOException {
        OPENING.writeLock().lock();
        try {
            return use.in(descriptor());
        } finally {
            OPENING.writeLock().unlock();
        }
    }

    private Path descriptor() throws IOException {
        Object key = ownView().readAttributes().fileKey();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(DESCRIPTORS)) {
            for (Path descriptor : all) {
                if (key != null && key.equals(keyOf(descriptor))) return descriptor;
            }
        } catch (NoSuchFileException e) {
            // told below
        }
        throw Fault.of(FaultCode.NOTSUPPORTED, "a copy to a folder needs %s", DESCRIPTORS)
                .remedy("mount /proc")
                .asException();
    }

    private static @Nullable Object keyOf(Path descriptor) throws IOException {
        try {
            return Files.readAttributes(descriptor, BasicFileAttributes.class).fileKey();
        } catch (FileSystemException closedMeanwhile) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        OPENING.readLock().lock();
        try {
            stream.close();
        } finally {
            OPENING.readLock().unlock();
        }
    }
}
