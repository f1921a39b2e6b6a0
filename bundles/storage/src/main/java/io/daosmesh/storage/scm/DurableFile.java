package io.daosmesh.storage.scm;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/** A small file that is always there as a whole: written beside, synced, renamed, folder synced. Owner: its writer. */
public final class DurableFile {
    private final Path file;
    private final Reserve reserve;

    /** @param reserve given up when there is no room for the file */
    DurableFile(Path file, Reserve reserve) {
        this.file = file;
        this.reserve = reserve;
    }

    public Optional<byte[]> read() {
        try {
            return Optional.of(Files.readAllBytes(file));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw fault("read", e);
        }
    }

    public void write(byte[] bytes) {
        try {
            replace(bytes);
        } catch (FaultException e) {
            if (e.code() != FaultCode.NOSPACE || !reserve.giveUp()) throw e;
            replace(bytes);
        }
    }

    private void replace(byte[] bytes) {
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (FileChannel channel = FileChannel.open(
                    next, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                while (in.hasRemaining()) channel.write(in);
                channel.force(true);
            }
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder();
        } catch (IOException e) {
            throw fault("write", e);
        }
    }

    void delete() {
        try {
            if (Files.deleteIfExists(file)) syncFolder();
        } catch (IOException e) {
            throw fault("delete", e);
        }
    }

    private void syncFolder() throws IOException {
        Path folder = file.getParent();
        if (folder == null) return;
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private RuntimeException fault(String what, IOException e) {
        String text = String.valueOf(e.getMessage());
        Fault why = Fault.of(FaultCode.ofMedium(text), "cannot %s %s: %s", what, file, text);
        boolean isFull = why.code() == FaultCode.NOSPACE;
        return (isFull ? why.remedy("free space in " + file.getParent()) : why).asException();
    }
}
