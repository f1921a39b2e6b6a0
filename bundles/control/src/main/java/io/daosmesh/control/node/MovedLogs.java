package io.daosmesh.control.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Notices that a log file was moved away, as logrotate does: the log would go on in the moved one. Owner: whoever calls
 * {@link #look}.
 */
final class MovedLogs {
    /** A file that cannot be opened anew is not tried all the time. */
    static final long PAUSE_NS = 30_000_000_000L;

    private final List<Path> files;
    private final Runnable reopen;
    private final Map<Path, Object> seen = new HashMap<>();
    private long quietUntilNs;

    MovedLogs(List<Path> files, Runnable reopen, long nowNs) {
        this.files = List.copyOf(files);
        this.reopen = reopen;
        this.quietUntilNs = nowNs;
        remember();
    }

    /** Has the logs opened anew by their names when one of them is not the file it was. */
    void look(long nowNs) {
        boolean isMoved = files.stream().anyMatch(f -> seen.containsKey(f) && !Objects.equals(seen.get(f), key(f)));
        if (!isMoved) {
            remember();
            return;
        }
        if (nowNs - quietUntilNs < 0) return;
        quietUntilNs = nowNs + PAUSE_NS;
        reopen.run();
        if (files.stream().allMatch(f -> !seen.containsKey(f) || key(f) != null)) {
            quietUntilNs = nowNs;
            remember();
        }
    }

    private void remember() {
        for (Path f : files) {
            Object key = key(f);
            if (key != null) seen.put(f, key);
        }
    }

    /** Which file it is; null: there is none. */
    private static @Nullable Object key(Path file) {
        try {
            return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        } catch (IOException e) {
            return null;
        }
    }
}
