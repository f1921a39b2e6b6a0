package io.daosmesh.model.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Which files of a folder belong into a collection: plain files, the newest first, without keys. Any thread; reads the disk. */
public final class SupportFiles {
    private static final int FILES_MAX = 256;
    private static final int ENTRIES_MAX = 10_000;
    private static final int CONFIG_BYTES_MAX = 256 << 10;

    private SupportFiles() {}

    /** @param into folder of the collection; a link is not followed, and what cannot be read is left out */
    public static List<SupportItem> of(Path folder, String into) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            int seen = 0;
            for (Path entry : entries) {
                if (++seen > ENTRIES_MAX) break;
                boolean isPlain = Files.isRegularFile(entry, LinkOption.NOFOLLOW_LINKS);
                if (isPlain && !Secrets.isKey(entry.getFileName().toString())) found.add(entry);
            }
        } catch (IOException | DirectoryIteratorException e) {
            return List.of();
        }
        found.sort(Comparator.comparingLong(SupportFiles::changedMs).reversed().thenComparing(Path::toString));
        return found.stream()
                .limit(FILES_MAX)
                .map(f -> SupportItem.of(into + "/" + f.getFileName(), f))
                .toList();
    }

    private static long changedMs(Path file) {
        try {
            return Files.getLastModifiedTime(file).toMillis();
        } catch (IOException e) {
            return 0;
        }
    }

    /** A configuration as it is written, without secrets. */
    public static String config(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return new String(in.readNBytes(CONFIG_BYTES_MAX), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return file + " cannot be read: " + e;
        }
    }
}
