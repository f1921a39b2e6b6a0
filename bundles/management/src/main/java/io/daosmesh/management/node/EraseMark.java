package io.daosmesh.management.node;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.EraseNodeRequest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.CRC32C;

/** A small file that is there as a whole or not at all: what the node has written down about its erasure. One thread at a time. */
final class EraseMark {
    private static final int MAGIC = 0x45524153; // "ERAS"
    private static final int LAYOUT = 1;
    private static final int HEADER_BYTES = 12;
    /** 4,096 engines and as many addresses of 260 bytes. */
    private static final long BYTES_MAX = 4L << 20;

    private final Path file;

    EraseMark(Path file) {
        this.file = file;
    }

    /** DF_INVAL when damaged. */
    Optional<EraseNodeRequest> read() {
        try {
            if (!Files.exists(file)) return Optional.empty();
            if (Files.size(file) > BYTES_MAX) throw damaged();
            ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(file));
            if (in.remaining() < HEADER_BYTES || in.getInt() != MAGIC || in.getInt() != LAYOUT) throw damaged();
            int crc = in.getInt();
            if (crc != crc(in.duplicate())) throw damaged();
            return Optional.of(EraseNodeRequest.parseFrom(in));
        } catch (InvalidProtocolBufferException e) {
            throw damaged();
        } catch (IOException e) {
            throw failed("read", e);
        }
    }

    /** Durable on return. */
    void write(EraseNodeRequest mark) {
        byte[] body = mark.toByteArray();
        ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + body.length);
        out.putInt(MAGIC)
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
        } catch (IOException e) {
            throw failed("write", e);
        }
    }

    /** Durable on return. */
    void delete() {
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
                .remedy("remove it, start the node, and run dmg system erase again")
                .asException();
    }

    private FaultException failed(String what, IOException e) {
        return Fault.of(FaultCode.IO, "cannot %s %s: %s", what, file, String.valueOf(e.getMessage()))
                .remedy("see to the file system of control_metadata or scm_mount")
                .asException();
    }
}
