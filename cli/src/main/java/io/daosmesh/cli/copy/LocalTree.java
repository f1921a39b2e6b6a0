package io.daosmesh.cli.copy;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * A folder of this machine. Any thread; file calls wait on Reactor's elastic threads. Links are followed in the name that the
 * user has given for it, and nowhere below: what is written stays in that folder, whatever names it is told and whatever
 * others put there meanwhile.
 */
public final class LocalTree implements FileTree {
    private static final int PIECE_BYTES = 1 << 20;

    private final Path start;
    /** Opened at the first use and held: its name may come to mean something else. Guarded by this. */
    private @Nullable LocalFolder opened;

    /** By device. Guarded by itself. */
    private final Map<String, LocalStaging> stagings = new HashMap<>();

    private volatile boolean isClosed;

    public LocalTree(Path start) {
        this.start = start;
    }

    private Path at(String path) {
        return path.isEmpty() ? start : start.resolve(LocalNames.path(path));
    }

    private <T> Mono<T> waiting(String path, Callable<T> call) {
        return Mono.fromCallable(call)
                .onErrorMap(IOException.class, e -> fault(path, e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    Throwable fault(String path, IOException e) {
        String shown = path.isEmpty() ? start.toString() : start + "/" + path;
        if (e instanceof NotDirectoryException) {
            return Fault.of(
                            FaultCode.NOTDIR,
                            "'%s': '%s' is not a directory; links are not followed",
                            shown,
                            String.valueOf(e.getMessage()))
                    .remedy("remove it, or choose another destination")
                    .asException();
        }
        if (e instanceof NoSuchFileException) {
            return Fault.of(FaultCode.NONEXIST, "'%s' does not exist", shown)
                    .remedy("check the path")
                    .asException();
        }
        if (e instanceof AccessDeniedException) {
            return Fault.of(FaultCode.NO_PERM, "'%s': permission denied", shown)
                    .remedy("check who may use it")
                    .asException();
        }
        if (e instanceof AtomicMoveNotSupportedException) {
            return Fault.of(FaultCode.NOTSUPPORTED, "'%s' is on another mount than the folder above it", shown)
                    .remedy("copy to that mount on its own")
                    .asException();
        }
        return unreadable(shown, e);
    }

    public static RuntimeException unreadable(String file, IOException e) {
        return Fault.of(
                        FaultCode.IO,
                        "'%s': %s",
                        file,
                        e instanceof java.nio.file.NoSuchFileException
                                ? "no such file"
                                : String.valueOf(e.getMessage()))
                .remedy("check the path and its permissions")
                .asException();
    }

    @Override
    public Mono<String> place() {
        return waiting("", () -> "file:" + place(start.toAbsolutePath().normalize()));
    }

    private static Path place(Path path) throws IOException {
        Path parent = path.getParent();
        if (parent == null || Files.exists(path)) return path.toRealPath();
        return place(parent).resolve(path.getFileName());
    }

    // ------------------------------------------------------------ folders

    /** Reactor may still begin what has been cancelled. */
    private void checkOpen() throws IOException {
        if (isClosed) throw new IOException("the copy has ended");
    }

    private synchronized LocalFolder start() throws IOException {
        checkOpen();
        LocalFolder open = opened == null ? LocalFolder.open(start) : opened;
        opened = open;
        return open;
    }

    /** Step by step from the start, each from the one above it; the caller closes it. */
    private LocalFolder folder(String path) throws IOException {
        List<String> names = path.isEmpty() ? List.of() : names(path);
        LocalFolder at = start().again();
        for (String name : names) {
            try (LocalFolder above = at) {
                at = above.open(name);
            }
        }
        return at;
    }

    /** BADPATH when one of them is no name. */
    private static List<String> names(String path) {
        List<String> names = List.of(path.split("/", -1));
        names.forEach(LocalFolder::single);
        return names;
    }

    private LocalFolder parentOf(String path) throws IOException {
        names(path);
        return folder(path.substring(0, Math.max(0, path.lastIndexOf('/'))));
    }

    private static String nameOf(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** At the start, where the next copy finds what is left of one that was killed; on another device in the target. */
    private LocalStaging staging(LocalFolder target) throws IOException {
        String device = device(target);
        LocalFolder home = start();
        synchronized (stagings) {
            LocalStaging known = stagings.get(device);
            if (known != null) return known;
            checkOpen();
            LocalStaging made = LocalStaging.in(device.equals(device(home)) ? home : target);
            stagings.put(device, made);
            return made;
        }
    }

    private static String device(LocalFolder folder) throws IOException {
        return folder.key().replaceFirst(",.*", "");
    }

    private void removeStagings() throws IOException {
        synchronized (stagings) {
            List<LocalStaging> all = List.copyOf(stagings.values());
            stagings.clear();
            for (LocalStaging staging : all) staging.close();
        }
    }

    // ------------------------------------------------------------ reading

    @Override
    public Mono<Item> stat(String path) {
        return Mono.fromCallable(() -> item(path))
                .onErrorResume(NoSuchFileException.class, e -> Mono.empty())
                .onErrorMap(IOException.class, e -> fault(path, e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    /** By its path: it may show what is elsewhere when others replace folders meanwhile, but nothing is read or written so. */
    private Item item(String path) throws IOException {
        if (!path.isEmpty()) names(path);
        Path file = at(path);
        Map<String, Object> attributes = Files.readAttributes(
                file,
                "unix:mode,lastModifiedTime,size,isDirectory,isRegularFile,isSymbolicLink",
                LinkOption.NOFOLLOW_LINKS);
        Type type = Boolean.TRUE.equals(attributes.get("isDirectory"))
                ? Type.DIRECTORY
                : Boolean.TRUE.equals(attributes.get("isRegularFile"))
                        ? Type.FILE
                        : Boolean.TRUE.equals(attributes.get("isSymbolicLink")) ? Type.LINK : Type.OTHER;
        Path target = type == Type.LINK ? Files.readSymbolicLink(file) : Path.of("");
        Integer mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
        FileTime mtime = (FileTime) Objects.requireNonNull(attributes.get("lastModifiedTime"));
        Long size = (Long) Objects.requireNonNull(attributes.get("size"));
        return new Item(
                path,
                type,
                mode & 07777,
                mtime.to(TimeUnit.NANOSECONDS),
                type == Type.FILE ? size : 0,
                LocalNames.text(target),
                "");
    }

    @Override
    public Flux<Item> list(String path) {
        return Flux.using(
                        () -> folder(path),
                        folder -> names(folder).concatMap(name -> Mono.fromCallable(() -> item(path, name)), 16),
                        LocalTree::close)
                .onErrorMap(IOException.class, e -> fault(path, e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private Item item(String path, Path name) throws IOException {
        String child = (path.isEmpty() ? "" : path + "/") + LocalNames.text(name);
        try {
            return item(child);
        } catch (NoSuchFileException e) {
            return Item.gone(child);
        }
    }

    private static Flux<Path> names(LocalFolder folder) {
        Iterator<Path> names = folder.entries();
        return Flux.generate(sink -> {
            if (names.hasNext()) sink.next(names.next());
            else sink.complete();
        });
    }

    private static void close(AutoCloseable resource) {
        try {
            resource.close();
        } catch (Exception e) {
            throw Fault.of(FaultCode.IO, String.valueOf(e.getMessage())).asException();
        }
    }

    @Override
    public Flux<ByteBuffer> read(String path) {
        return Flux.using(() -> open(path), LocalTree::pieces, LocalTree::close)
                .onErrorMap(IOException.class, e -> fault(path, e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private SeekableByteChannel open(String path) throws IOException {
        if (path.isEmpty()) return Files.newByteChannel(start, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        try (LocalFolder parent = parentOf(path)) {
            return parent.read(nameOf(path));
        }
    }

    private static Flux<ByteBuffer> pieces(SeekableByteChannel file) {
        return Flux.generate(sink -> {
            try {
                long left = file.size() - file.position();
                ByteBuffer piece = ByteBuffer.allocate((int) Math.max(1, Math.min(PIECE_BYTES, left)));
                while (piece.hasRemaining() && file.read(piece) >= 0) {
                    // Whole pieces: each of them is one request.
                }
                if (piece.flip().hasRemaining()) sink.next(piece);
                else sink.complete();
            } catch (IOException e) {
                sink.error(e);
            }
        });
    }

    // ------------------------------------------------------------ writing

    /** Open to its owner alone, until its attributes are set. The start is made with all above it. */
    @Override
    public Mono<Void> makeDirectory(String path, int mode) {
        return waiting(path, () -> {
                    if (path.isEmpty()) makeStart();
                    else makeBelow(path);
                    return true;
                })
                .then();
    }

    private void makeStart() throws IOException {
        try {
            Files.createDirectories(start);
        } catch (FileAlreadyExistsException e) {
            throw new NotDirectoryException(start.toString());
        }
        LocalStaging.removeLeft(start());
    }

    private void makeBelow(String path) throws IOException {
        String name = nameOf(path);
        try (LocalFolder parent = parentOf(path)) {
            try {
                if (!parent.attributes(name).isDirectory()) throw new NotDirectoryException(name);
            } catch (NoSuchFileException e) {
                staging(parent).makeDirectory(parent, name);
            }
        }
    }

    /** Under another name until it is complete, so that a copy cut short leaves no half file. */
    @Override
    public Mono<Void> write(Item item, Flux<ByteBuffer> content) {
        return Mono.using(
                        () -> new Part(item),
                        part -> content.publishOn(Schedulers.boundedElastic(), 2)
                                .concatMap(piece -> Mono.fromCallable(() -> part.write(piece)), 1)
                                .then(Mono.fromCallable(part::finish)),
                        LocalTree::close)
                .onErrorMap(IOException.class, e -> fault(item.path(), e))
                .subscribeOn(Schedulers.boundedElastic())
                .then();
    }

    /** A file that is not complete yet. Owner: one write; closing it removes what has not got its name. */
    private final class Part implements AutoCloseable {
        private final Item item;
        private final LocalFolder target;
        private final LocalStaging staging;
        private final String name = LocalStaging.randomName();
        private final SeekableByteChannel channel;
        private boolean isPublished;

        Part(Item item) throws IOException {
            this.item = item;
            target = parentOf(item.path());
            try {
                staging = staging(target);
                channel = staging.create(name);
            } catch (IOException | RuntimeException e) {
                target.close();
                throw e;
            }
        }

        boolean write(ByteBuffer piece) throws IOException {
            Holes.write(channel, piece.duplicate());
            return true;
        }

        boolean finish() throws IOException {
            Holes.finish(channel);
            channel.close();
            staging.publish(name, target, item);
            isPublished = true;
            return true;
        }

        @Override
        public void close() throws IOException {
            try (target) {
                channel.close();
                if (!isPublished) staging.discard(name);
            }
        }
    }

    @Override
    public Mono<Void> makeLink(Item item) {
        return waiting(item.path(), () -> {
                    try (LocalFolder parent = parentOf(item.path())) {
                        staging(parent).makeLink(parent, item.name(), LocalNames.path(item.text()));
                    }
                    return true;
                })
                .then();
    }

    @Override
    public Mono<Void> setAttributes(String path, int mode, long mtimeNs) {
        return waiting(path, () -> {
                    // they would change the time again
                    removeStagings();
                    try (LocalFolder folder = folder(path)) {
                        folder.setOwnAttributes(mode, mtimeNs);
                    }
                    return true;
                })
                .then();
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        LocalFolder last = opened;
        opened = null;
        try {
            removeStagings();
            if (last != null) last.close();
        } catch (IOException e) {
            throw Fault.of(FaultCode.IO, "'%s': %s", start, String.valueOf(e.getMessage()))
                    .asException();
        }
    }
}
