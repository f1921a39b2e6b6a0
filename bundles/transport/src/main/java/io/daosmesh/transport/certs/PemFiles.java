package io.daosmesh.transport.certs;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Set;

/** Writes PEM files whole or not at all, with the permissions that nodes want. Stateless. */
final class PemFiles {
    private static final String KEY_MODE = "r--------";
    private static final String OPEN_MODE = "rw-r--r--";
    private static final SecureRandom RANDOM = new SecureRandom();

    private PemFiles() {}

    static void key(Path file, byte[] der) {
        write(file, "PRIVATE KEY", der, KEY_MODE);
    }

    static void certificate(Path file, byte[] der) {
        write(file, "CERTIFICATE", der, OPEN_MODE);
    }

    static void revocationList(Path file, byte[] der) {
        write(file, "X509 CRL", der, OPEN_MODE);
    }

    /** @param mode of folders that are not there yet */
    static void folder(Path dir, String mode) {
        try {
            if (!Files.isDirectory(dir)) Files.createDirectories(dir, attribute(mode));
        } catch (IOException e) {
            throw unwritable(dir, e);
        }
    }

    private static void write(Path file, String kind, byte[] der, String mode) {
        Path fresh = file.resolveSibling(file.getFileName() + "." + Long.toHexString(RANDOM.nextLong()) + ".new");
        try {
            try (SeekableByteChannel out = Files.newByteChannel(
                    fresh, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), attribute(mode))) {
                ByteBuffer text = ByteBuffer.wrap(pem(kind, der).getBytes(StandardCharsets.US_ASCII));
                while (text.hasRemaining()) out.write(text);
            }
            if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) throw new IOException(file + " is a folder");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            deleteQuietly(fresh);
            throw unwritable(file, e);
        }
    }

    private static FileAttribute<Set<PosixFilePermission>> attribute(String mode) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode));
    }

    private static void deleteQuietly(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            return; // the first failure is the one to tell
        }
    }

    private static RuntimeException unwritable(Path file, IOException e) {
        return Fault.of(FaultCode.BADPATH, "%s cannot be written: %s", file, String.valueOf(e.getMessage()))
                .remedy("check path and permissions")
                .asException();
    }

    private static String pem(String kind, byte[] der) {
        String text = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII))
                .encodeToString(der);
        return "-----BEGIN " + kind + "-----\n" + text + "\n-----END " + kind + "-----\n";
    }
}
