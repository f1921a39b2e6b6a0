package io.daosmesh.cli;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** A folder of this machine. Any thread; file calls wait on Reactor's elastic threads. */
final class DaosLocalTree implements DaosTree {
    private static final int PIECE_BYTES = 1 << 20;
    private static final String UNFINISHED = ".daos-part";

    private final Path start;

    DaosLocalTree(Path start) {
        this.start = start;
    }

    private Path at(String path) {
        return path.isEmpty() ? start : start.resolve(path);
    }

    private static <T> Mono<T> waiting(Path path, Callable<T> call) {
        return Mono.fromCallable(call)
                .onErrorMap(IOException.class, e -> fault(path, e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private static Throwable fault(Path path, IOException e) {
        return DaosKv.unreadable(path.toString(), e);
    }

    @Override
    public Mono<String> place() {
        return waiting(start, () -> "file:" + place(start.toAbsolutePath().normalize()));
    }

    private static Path place(Path path) throws IOException {
        Path parent = path.getParent();
        if (parent == null || Files.exists(path)) return path.toRealPath();
        return place(parent).resolve(path.getFileName());
    }

    @Override
    public Mono<Item> stat(String path) {
        return Mono.fromCallable(() -> item(path))
                .onErrorResume(NoSuchFileException.class, e -> Mono.empty())
                .onErrorMap(IOException.class, e -> fault(at(path), e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private Item item(String path) throws IOException {
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
        String link = type == Type.LINK ? Files.readSymbolicLink(file).toString() : "";
        Integer mode = (Integer) Objects.requireNonNull(attributes.get("mode"));
        FileTime mtime = (FileTime) Objects.requireNonNull(attributes.get("lastModifiedTime"));
        Long size = (Long) Objects.requireNonNull(attributes.get("size"));
        return new Item(path, type, mode & 07777, mtime.to(TimeUnit.NANOSECONDS), type == Type.FILE ? size : 0, link);
    }

    @Override
    public Flux<Item> list(String path) {
        return Flux.using(
                        () -> Files.newDirectoryStream(at(path)),
                        entries -> names(entries)
                                .map(name -> path.isEmpty() ? name : path + "/" + name)
                                .concatMap(child -> Mono.fromCallable(() -> item(child)), 16),
                        DaosLocalTree::close)
                .onErrorMap(IOException.class, e -> fault(at(path), e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private static Flux<String> names(DirectoryStream<Path> entries) {
        Iterator<Path> paths = entries.iterator();
        return Flux.generate(sink -> {
            if (paths.hasNext()) sink.next(paths.next().getFileName().toString());
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
        return Flux.using(
                        () -> FileChannel.open(at(path), StandardOpenOption.READ),
                        DaosLocalTree::pieces,
                        DaosLocalTree::close)
                .onErrorMap(IOException.class, e -> fault(at(path), e))
                .subscribeOn(Schedulers.boundedElastic());
    }

    private static Flux<ByteBuffer> pieces(FileChannel file) {
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

    @Override
    public Mono<Void> makeDirectory(String path, int mode) {
        Path directory = at(path);
        return waiting(directory, () -> {
                    try {
                        Files.createDirectories(directory);
                    } catch (FileAlreadyExistsException e) {
                        throw new IOException("is not a directory", e);
                    }
                    return true;
                })
                .then();
    }

    /** Under another name until it is complete, so that a copy cut short leaves no half file. */
    @Override
    public Mono<Void> write(Item item, Flux<ByteBuffer> content) {
        Path file = at(item.path());
        Path unfinished = file.resolveSibling("." + item.name() + UNFINISHED);
        return Mono.using(
                        () -> FileChannel.open(
                                unfinished,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING,
                                StandardOpenOption.WRITE),
                        channel -> content.publishOn(Schedulers.boundedElastic(), 2)
                                .concatMap(piece -> Mono.fromCallable(() -> writeAll(channel, piece)), 1)
                                .then(),
                        DaosLocalTree::close)
                .then(waiting(file, () -> {
                    attributes(unfinished, item.mode(), item.mtimeNs());
                    return Files.move(
                            unfinished, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                }))
                .onErrorResume(e -> waiting(unfinished, () -> Files.deleteIfExists(unfinished))
                        .onErrorReturn(false)
                        .then(Mono.error(e instanceof IOException io ? fault(file, io) : e)))
                .subscribeOn(Schedulers.boundedElastic())
                .then();
    }

    private static boolean writeAll(FileChannel channel, ByteBuffer piece) throws IOException {
        ByteBuffer data = piece.duplicate();
        while (data.hasRemaining()) channel.write(data);
        return true;
    }

    @Override
    public Mono<Void> makeLink(Item item) {
        Path link = at(item.path());
        return waiting(link, () -> {
                    Files.deleteIfExists(link);
                    return Files.createSymbolicLink(link, Path.of(item.linkTarget()));
                })
                .then();
    }

    @Override
    public Mono<Void> setAttributes(String path, int mode, long mtimeNs) {
        Path file = at(path);
        return waiting(file, () -> {
                    attributes(file, mode, mtimeNs);
                    return true;
                })
                .then();
    }

    private static void attributes(Path file, int mode, long mtimeNs) throws IOException {
        Set<PosixFilePermission> permissions = new TreeSet<>();
        PosixFilePermission[] all = PosixFilePermission.values();
        for (int bit = 0; bit < all.length; bit++) {
            if ((mode >> (8 - bit) & 1) == 1) permissions.add(all[bit]);
        }
        Files.setPosixFilePermissions(file, permissions);
        Files.setLastModifiedTime(file, FileTime.from(mtimeNs, TimeUnit.NANOSECONDS));
    }
}
