package io.daosmesh.control.node;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
    /** Opening takes a moment. */
    private boolean isOpening;

    MovedLogs(List<Path> files, Runnable reopen, long nowNs) {
        this.files = List.copyOf(files);
        this.reopen = reopen;
        this.quietUntilNs = nowNs;
        remember();
    }

    /** Has the logs opened anew by their names when one of them is not the file it was; true once, when that is done. */
    boolean look(long nowNs) {
        boolean isOpened = isOpening && seen.keySet().stream().allMatch(f -> key(f) != null);
        if (isOpened) {
            isOpening = false;
            remember();
        }
        boolean isMoved = seen.entrySet().stream().anyMatch(e -> !e.getValue().equals(key(e.getKey())));
        if (!isMoved) {
            remember();
        } else if (nowNs - quietUntilNs >= 0) {
            quietUntilNs = nowNs + PAUSE_NS;
            isOpening = true;
            reopen.run();
        }
        return isOpened;
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
