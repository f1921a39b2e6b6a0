package io.daosmesh.agent;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The folder of the agent's socket: one living agent at a time, everybody may connect, only the agent may replace the socket.
 * Owner: who opened it.
 */
final class SocketPlace implements AutoCloseable {
    static final String NAME = "daos_agent.sock";

    /** Longest path of a Unix socket on Linux is 107 bytes; it is made under a longer name first. */
    private static final int PATH_CHARS_MAX = 100;

    private static final int BACKLOG = 4096;

    private final Path socket;
    private final FileChannel lockFile;
    private final ServerSocketChannel listener;

    private SocketPlace(Path socket, FileChannel lockFile, ServerSocketChannel listener) {
        this.socket = socket;
        this.lockFile = lockFile;
        this.listener = listener;
    }

    /** Replaces the socket of a dead agent. BUSY while another lives; NO_PERM when others may write into the folder. */
    static SocketPlace open(Path folder) {
        if (folder.resolve(NAME).toString().length() > PATH_CHARS_MAX) {
            throw Fault.of(FaultCode.BADPATH, "runtime_dir %s is longer than a socket's path may be", folder)
                    .remedy("choose a runtime_dir of at most 80 characters")
                    .asException();
        }
        FileChannel lockFile = null;
        try {
            prepare(folder);
            lockFile = lock(folder);
            return new SocketPlace(folder.resolve(NAME), lockFile, listen(folder));
        } catch (IOException e) {
            closeQuietly(lockFile);
            throw Fault.of(FaultCode.NO_PERM, "runtime_dir %s cannot be used: %s", folder, e)
                    .remedy("let the user of daos_agent own it, or name another with -s or runtime_dir")
                    .asException();
        } catch (RuntimeException e) {
            closeQuietly(lockFile);
            throw e;
        }
    }

    private static void prepare(Path folder) throws IOException {
        try {
            Files.createDirectory(folder, permissions("rwxr-xr-x"));
            // also against the umask
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (FileAlreadyExistsException e) {
            checkExisting(folder);
        }
    }

    /** Who may write into the folder can put a socket of his own in the agent's place. */
    private static void checkExisting(Path folder) throws IOException {
        PosixFileAttributes found = Files.readAttributes(folder, PosixFileAttributes.class);
        Set<PosixFilePermission> may = found.permissions();
        if (!found.isDirectory()) throw unsafe(folder, "is no folder");
        if (may.contains(PosixFilePermission.GROUP_WRITE) || may.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw unsafe(folder, "may be written by others");
        }
        String owner = found.owner().getName();
        if (!owner.equals("root") && !owner.equals(System.getProperty("user.name"))) {
            throw unsafe(folder, "belongs to " + owner);
        }
    }

    private static RuntimeException unsafe(Path folder, String why) {
        return Fault.of(FaultCode.NO_PERM, "runtime_dir %s %s", folder, why)
                .remedy("choose a folder of mode 0755 that the user of daos_agent owns")
                .asException();
    }

    /** A lock ends with its process: unlike a socket it cannot be stale. */
    private static FileChannel lock(Path folder) throws IOException {
        FileChannel file = FileChannel.open(
                folder.resolve("daos_agent.lock"),
                Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS),
                permissions("rw-------"));
        try {
            FileLock lock = file.tryLock();
            if (lock != null) return file;
        } catch (OverlappingFileLockException e) {
            // another one in this process, which counts as well
        }
        file.close();
        throw Fault.of(FaultCode.BUSY, "another daos_agent serves %s", folder)
                .remedy("stop it first, or give this one another runtime_dir")
                .asException();
    }

    /** Nobody ever finds the socket without its permissions, or none where there was one. */
    private static ServerSocketChannel listen(Path folder) throws IOException {
        Path made = folder.resolve(NAME + ".new");
        Files.deleteIfExists(made);
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listener.bind(UnixDomainSocketAddress.of(made), BACKLOG);
            listener.configureBlocking(false);
            Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rw-rw-rw-"));
            Files.move(made, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return listener;
        } catch (IOException e) {
            listener.close();
            throw e;
        }
    }

    private static java.nio.file.attribute.FileAttribute<Set<PosixFilePermission>> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }

    ServerSocketChannel listener() {
        return listener;
    }

    /** The lock last: a successor finds no half removed socket. */
    @Override
    public void close() {
        closeQuietly(listener);
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            return; // the next agent replaces it
        } finally {
            closeQuietly(lockFile);
        }
    }

    private static void closeQuietly(@Nullable AutoCloseable open) {
        try {
            if (open != null) open.close();
        } catch (Exception e) {
            return; // it is gone with the process at the latest
        }
    }
}
