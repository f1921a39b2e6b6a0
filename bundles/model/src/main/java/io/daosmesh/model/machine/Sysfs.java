package io.daosmesh.model.machine;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The tree that Linux shows its devices in: small files that may be missing or refuse to be read at any time. What is not there reads as
 * nothing. Any thread.
 *
 * @param root {@code /sys}, elsewhere in tests
 */
public record Sysfs(Path root) {
    private static final int FILE_BYTES_MAX = 64 << 10;
    private static final int ENTRIES_MAX = 4096;

    /** Of this machine; the system property {@code daosmesh.sysfs} names another root. */
    public static Sysfs ofThisMachine() {
        return new Sysfs(Path.of(System.getProperty("daosmesh.sysfs", "/sys")));
    }

    public Path at(String path) {
        return root.resolve(path);
    }

    /** First 64 KiB without blanks at the ends; empty when it cannot be read. */
    public String text(String path) {
        try (InputStream in = Files.newInputStream(at(path))) {
            return new String(in.readNBytes(FILE_BYTES_MAX), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            return "";
        }
    }

    /** Decimal, or hexadecimal after 0x. */
    public long number(String path, long otherwise) {
        try {
            return Long.decode(text(path));
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    /** A device on a machine without NUMA, or of none, counts to node 0. */
    public int numaNode(String device) {
        return (int) Math.max(0, Math.min(Short.MAX_VALUE, number(device + "/numa_node", 0)));
    }

    /** Names in a folder, sorted, at most 4096. */
    public List<String> names(String folder) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(at(folder))) {
            for (Path entry : entries) {
                if (names.size() < ENTRIES_MAX) names.add(entry.getFileName().toString());
            }
        } catch (IOException | java.nio.file.DirectoryIteratorException e) {
            return List.of();
        }
        Collections.sort(names);
        return names;
    }

    public boolean has(String path) {
        return Files.exists(at(path));
    }

    /** Last name of what a link leads to; empty without the link. */
    public String linkName(String path) {
        try {
            return Files.readSymbolicLink(at(path)).getFileName().toString();
        } catch (IOException | UnsupportedOperationException e) {
            return "";
        }
    }
}
