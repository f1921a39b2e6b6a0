package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MovedLogsTest {
    @TempDir
    Path dir;

    private int opened;

    private Path log() {
        return dir.resolve("node.log");
    }

    private void open() {
        opened++;
        try {
            if (!Files.exists(log())) Files.createFile(log());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldOpenAMovedFileAnewOnce() throws IOException {
        Files.createFile(log());
        MovedLogs logs = new MovedLogs(List.of(log(), dir.resolve("never.log")), this::open, 0);
        logs.look(1);
        assertEquals(0, opened);

        Files.move(log(), dir.resolve("node.log.1"));
        logs.look(2);
        logs.look(3);

        assertEquals(1, opened);
    }

    /** logrotate with "create" has made the next one already. */
    @Test
    void shouldOpenAnewWhenAnotherFileIsInItsPlace() throws IOException {
        Files.createFile(log());
        MovedLogs logs = new MovedLogs(List.of(log()), this::open, 0);
        Files.move(log(), dir.resolve("node.log.1"));
        Files.createFile(log());

        logs.look(1);
        logs.look(2);

        assertEquals(1, opened);
    }

    @Test
    void shouldNotTryAllTheTimeWhenItCannotBeOpened() throws IOException {
        Files.createFile(log());
        MovedLogs logs = new MovedLogs(List.of(log()), () -> opened++, 0);
        Files.delete(log());

        for (int i = 0; i < 100; i++) logs.look(i);
        assertEquals(1, opened);
        logs.look(MovedLogs.PAUSE_NS);

        assertEquals(2, opened);
    }
}
