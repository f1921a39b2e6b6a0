package io.daosmesh.storage.halt;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.spi.FileSystemProvider;
import java.util.Map;
import java.util.Set;

/**
 * The files of a folder, whose writing and renaming are the stages {@code NAME.write} and {@code NAME.rename}: NAME is that of
 * the file as it is called in the end, without the numbers in it. Other files are what they are.
 */
final class HaltingFiles extends FileSystemProvider {
    private static final String NEW = ".new";

    private final FileSystemProvider real;
    private final Halter halter;
    private final FileSystem system;

    private HaltingFiles(FileSystem system, Halter halter) {
        this.real = system.provider();
        this.halter = halter;
        this.system = new HaltingSystem(system, this);
    }

    /** The same folder, watched. */
    static Path of(Path folder, Halter halter) {
        return new HaltingFiles(folder.getFileSystem(), halter).watched(folder);
    }

    /** What a watched path stands for. */
    private interface Watched {
        Path watchedPath();
    }

    private Path watched(Path path) {
        return (Path) Proxy.newProxyInstance(
                HaltingFiles.class.getClassLoader(), new Class<?>[] {Path.class, Watched.class}, (p, method, args) -> {
                    if (method.getName().equals("watchedPath")) return path;
                    if (method.getName().equals("getFileSystem")) return system;
                    Object[] plain = args == null ? new Object[0] : args.clone();
                    for (int i = 0; i < plain.length; i++)
                        if (plain[i] instanceof Watched w) plain[i] = w.watchedPath();
                    try {
                        Object result = method.invoke(path, plain);
                        return result instanceof Path other ? watched(other) : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    private static Path plain(Path path) {
        return path instanceof Watched w ? w.watchedPath() : path;
    }

    private static String stage(Path path, String what) {
        return path.getFileName().toString().replace(NEW, "").replaceAll("-?[0-9]+|\\.note", "") + "." + what;
    }

    private interface Call<T> {
        T run() throws IOException;
    }

    private <T> T run(String stage, Call<Integer> half, Call<T> whole) throws IOException {
        try {
            return halter.run(stage, () -> unchecked(half), () -> unchecked(whole));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private static <T> T unchecked(Call<T> call) {
        try {
            return call.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public FileChannel newFileChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attrs)
            throws IOException {
        Path file = plain(path);
        if (!options.contains(StandardOpenOption.WRITE)) return real.newFileChannel(file, options, attrs);
        FileChannel opened = real.newFileChannel(file, options, attrs);
        // opened and emptied; some of what comes is there
        return run(stage(file, "write"), () -> opened.write(ByteBuffer.wrap(new byte[17])), () -> opened);
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) throws IOException {
        run(stage(plain(target), "rename"), () -> 0, () -> {
            real.move(plain(source), plain(target), options);
            return 0;
        });
    }

    @Override
    public SeekableByteChannel newByteChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attrs)
            throws IOException {
        return real.newByteChannel(plain(path), options, attrs);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path dir, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        return real.newDirectoryStream(plain(dir), filter);
    }

    @Override
    public void createDirectory(Path dir, FileAttribute<?>... attrs) throws IOException {
        real.createDirectory(plain(dir), attrs);
    }

    @Override
    public void delete(Path path) throws IOException {
        real.delete(plain(path));
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) throws IOException {
        real.copy(plain(source), plain(target), options);
    }

    @Override
    public boolean isSameFile(Path path, Path other) throws IOException {
        return real.isSameFile(plain(path), plain(other));
    }

    @Override
    public boolean isHidden(Path path) throws IOException {
        return real.isHidden(plain(path));
    }

    @Override
    public FileStore getFileStore(Path path) throws IOException {
        return real.getFileStore(plain(path));
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        real.checkAccess(plain(path), modes);
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return real.getFileAttributeView(plain(path), type, options);
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        return real.readAttributes(plain(path), type, options);
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) throws IOException {
        return real.readAttributes(plain(path), attributes, options);
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) throws IOException {
        real.setAttribute(plain(path), attribute, value, options);
    }

    @Override
    public String getScheme() {
        return real.getScheme();
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> env) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        return system;
    }

    @Override
    public Path getPath(URI uri) {
        return watched(real.getPath(uri));
    }
}
