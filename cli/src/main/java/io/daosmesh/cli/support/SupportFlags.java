package io.daosmesh.cli.support;

import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags of {@code support collect-log}, of dmg and of daos_server alike. Source: daos-admin facts 1.5. Owner: the main thread. */
public final class SupportFlags {
    @Option(
            names = {"-s", "--stop-on-error"},
            description = "end at the first thing that fails")
    public boolean stopOnError;

    @Option(
            names = {"-t", "--target-folder"},
            paramLabel = "DIR",
            description = "where to put it, new or empty (default: /tmp/daos_support_server_logs-TIME)")
    @Nullable
    Path target;

    @Option(
            names = {"-z", "--archive"},
            description = "one file DIR.zip instead of a folder")
    boolean archive;

    @Option(
            names = {"-c", "-e", "--extra-logs-dir"},
            paramLabel = "DIR",
            description = "also the files of this folder of the server, in /var/log or in the node's log folder")
    @Nullable
    String extra;

    public SupportStore open() {
        String time =
                DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT).format(LocalDateTime.now());
        Path folder = target != null ? target : Path.of("/tmp/daos_support_server_logs-" + time);
        return SupportStore.open(folder, archive);
    }

    public String extraFolder() {
        return extra == null ? "" : extra;
    }
}
