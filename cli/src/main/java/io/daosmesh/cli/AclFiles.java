package io.daosmesh.cli;

import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Access control lists as the tools read and write them: files, single entries, names. Owner: the main thread. */
public final class AclFiles {
    /** A list has some 200 entries at most; the rest are comments. */
    private static final int FILE_MAX_BYTES = 1 << 20;

    private AclFiles() {}

    /** The entries of a file; INVAL when it has none. */
    public static List<String> read(String name) {
        byte[] bytes;
        try (var in = Files.newInputStream(Path.of(name))) {
            bytes = in.readNBytes(FILE_MAX_BYTES + 1);
        } catch (IOException | java.nio.file.InvalidPathException e) {
            throw Fault.of(FaultCode.INVAL, "opening ACL file: %s", reason(e))
                    .remedy("name a readable file with one entry a line, such as A::ada@:rw")
                    .asException();
        }
        if (bytes.length > FILE_MAX_BYTES) {
            throw Fault.of(FaultCode.INVAL, "ACL file '%s' has more than %d bytes", name, FILE_MAX_BYTES)
                    .asException();
        }
        List<String> lines =
                Acl.parseFile(new String(bytes, StandardCharsets.UTF_8)).lines();
        if (!lines.isEmpty()) return lines;
        throw Fault.of(FaultCode.INVAL, "ACL file '%s' contains no entries", name)
                .remedy("write one entry a line, such as A::ada@:rw")
                .asException();
    }

    /** Of a file, or the one entry: exactly one of the two is given. */
    public static List<String> either(@Nullable String file, @Nullable String entry) {
        if (file != null && entry == null) return read(file);
        if (entry != null && file == null) return Acl.of(entry).lines();
        throw Fault.of(FaultCode.INVAL, "either ACL file or entry parameter is required")
                .asException();
    }

    /** A name without a domain is a local one. */
    public static String name(@Nullable String given) {
        if (given == null) return "";
        String local = given.contains("@") ? given : given + "@";
        Principal.checkName(local);
        return local;
    }

    /** A principal to delete. */
    public static String principal(String given) {
        return Principal.parse(given).toString();
    }

    /** What to say about it; EXIST when it is there and may not be replaced. */
    public static String write(String name, String text, boolean mayReplace) {
        try {
            Path file = Path.of(name);
            if (mayReplace) Files.writeString(file, text);
            else Files.writeString(file, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (FileAlreadyExistsException e) {
            throw Fault.of(FaultCode.EXIST, "file already exists: %s", name)
                    .remedy("give --force to replace it")
                    .asException();
        } catch (IOException | java.nio.file.InvalidPathException e) {
            throw Fault.of(FaultCode.INVAL, "failed to open file %s", reason(e)).asException();
        }
        return "Wrote ACL to output file: " + name + "\n";
    }

    /** The primary group of this process; its number where the machine has no name for it. */
    public static Optional<String> processGroup() {
        try {
            return Optional.of(
                    Files.readAttributes(Path.of("/proc/self"), java.nio.file.attribute.PosixFileAttributes.class)
                            .group()
                            .getName());
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.empty();
        }
    }

    private static String reason(Exception e) {
        return e instanceof java.nio.file.NoSuchFileException n ? n.getFile() + ": no such file" : e.toString();
    }
}
