package io.daosmesh.management.raft;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32C;

/** A small file with one message in it, that is there as a whole or not at all. One thread at a time. */
public final class WholeFile<M extends MessageLite> {
    private static final int LAYOUT = 1;
    private static final int HEADER_BYTES = 12;
    /** 4,096 engines and as many addresses of 260 bytes. */
    private static final long BYTES_MAX = 4L << 20;

    private static final int INTERRUPTS_MAX = 10;

    private final Path file;
    private final int magic;
    private final Parser<M> parser;
    private final String remedy;

    /** @param remedy what to do when it is damaged */
    public WholeFile(Path file, int magic, Parser<M> parser, String remedy) {
        this.file = file;
        this.magic = magic;
        this.parser = parser;
        this.remedy = remedy;
    }

    /** DF_INVAL when damaged. */
    public Optional<M> read() {
        try {
            if (!Files.exists(file)) return Optional.empty();
            if (Files.size(file) > BYTES_MAX) throw damaged();
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
            if (in.remaining() < HEADER_BYTES || in.getInt() != magic || in.getInt() != LAYOUT) throw damaged();
            int crc = in.getInt();
            if (crc != crc(in.duplicate())) throw damaged();
            return Optional.of(parser.parseFrom(in));
        } catch (InvalidProtocolBufferException e) {
            throw damaged();
        } catch (IOException e) {
            throw failed("read", e);
        }
    }

    /** Durable on return, even if whoever has asked for it has gone, which interrupts. */
    public void write(M message) {
        boolean isInterrupted = Thread.interrupted();
        try {
            for (int i = 0; !isWritten(message); i++) {
                isInterrupted = Thread.interrupted() || isInterrupted;
                if (i == INTERRUPTS_MAX) throw failed("write", new IOException("interrupted again and again"));
            }
        } finally {
            if (isInterrupted) Thread.currentThread().interrupt();
        }
    }

    /** False when interrupted. */
    private boolean isWritten(M message) {
        byte[] body = message.toByteArray();
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + body.length);
        out.putInt(magic)
                .putInt(LAYOUT)
                .putInt(crc(ByteBuffer.wrap(body)))
                .put(body)
                .flip();
        Path next = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.createDirectories(folder());
            try (FileChannel channel = FileChannel.open(
                    next, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
                while (out.hasRemaining()) channel.write(out);
                channel.force(true);
            }
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder();
            return true;
        } catch (ClosedByInterruptException e) {
            return false;
        } catch (IOException e) {
            throw failed("write", e);
        }
    }

    /** Durable on return. */
    public void delete() {
        try {
            if (Files.deleteIfExists(file)) syncFolder();
        } catch (IOException e) {
            throw failed("delete", e);
        }
    }

    private Path folder() {
        return Objects.requireNonNull(file.toAbsolutePath().getParent(), "it lies in a folder");
    }

    private void syncFolder() throws IOException {
        try (FileChannel channel = FileChannel.open(folder(), StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static int crc(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private FaultException damaged() {
        return Fault.of(FaultCode.DF_INVAL, "%s is damaged", file)
                .remedy(remedy)
                .asException();
    }

    private FaultException failed(String what, IOException e) {
        return Fault.of(FaultCode.IO, "cannot %s %s: %s", what, file, String.valueOf(e.getMessage()))
                .remedy("see to the file system of control_metadata or scm_mount")
                .asException();
    }
}
