package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.halt.Halter.Point;
import io.daosmesh.storage.halt.Halter.When;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * kill -9 in each stage of a write, of a merge of older values beside it, of its way to the device and the tables, of the reuse of the log, and of a start: before the
 * call, in its middle and after it. Each start checks what the one before it has left.
 */
@Timeout(300)
@Tag("slow")
class KillStagesTest {
    @TempDir
    Path folder;

    private Path library;

    /** Numbers of calls; 0: there is no such point, or it is the same as that of another stage. */
    private static Stream<Point> points(String stage, int before, int half, int after) {
        return Stream.of(
                        new Point(stage, When.BEFORE, before),
                        new Point(stage, When.HALF, half),
                        new Point(stage, When.AFTER, after))
                .filter(p -> p.number() > 0);
    }

    /** A write up to its answer; what happens once in the life of an engine comes first. */
    private static final List<Point> WRITES = Stream.of(
                    points("superblock.write", 0, 1, 0),
                    points("superblock.rename", 1, 0, 1),
                    points("append", 6, 9, 31),
                    points("write", 3, 8, 2),
                    points("merge", 2, 0, 2),
                    points("write", 5, 4, 6),
                    points("flush", 3, 0, 2),
                    points("answer", 4, 0, 17),
                    points("smd.write", 1, 2, 0),
                    points("smd.rename", 2, 0, 1),
                    points("target.write", 0, 1, 0),
                    points("target.rename", 1, 0, 2))
            .flatMap(p -> p)
            .toList();

    private static final List<Point> RECOVERIES = Stream.of(
                    points("start.target-0.sst", 1, 0, 0),
                    points("start.target-0.MANIFEST", 1, 0, 0),
                    points("start.target-1.MANIFEST", 1, 0, 0),
                    points("start.back", 1, 1, 1),
                    points("start.back-flush", 1, 0, 1),
                    points("start.target.write", 1, 2, 3),
                    points("start.target.rename", 3, 0, 1))
            .flatMap(p -> p)
            .toList();

    /** Values to their devices, indexes into tables, the log trimmed and used again. */
    private static final List<Point> CHECKPOINTS = Stream.of(
                    points("append", 8, 14, 40),
                    points("merge", 1, 0, 1),
                    points("merge", 4, 0, 3),
                    points("back", 1, 1, 1),
                    points("back", 2, 1, 2),
                    points("back-flush", 1, 0, 2),
                    points("target-0.sst", 1, 0, 0),
                    points("target-1.sst", 1, 0, 0),
                    points("target-0.sst", 2, 0, 0),
                    points("header", 1, 3, 6),
                    points("header", 7, 9, 5),
                    points("log-in-use.write", 1, 5, 0),
                    points("log-in-use.rename", 2, 0, 6))
            .flatMap(p -> p)
            .toList();

    private static final List<Point> BEGINNINGS = Stream.of(
                    points("start.log-in-use.write", 1, 1, 0),
                    points("start.log-in-use.rename", 1, 0, 1),
                    points("start.header", 1, 1, 1),
                    points("start.log-in-use.write", 2, 2, 0),
                    points("start.log-in-use.rename", 2, 0, 2))
            .flatMap(p -> p)
            .toList();

    /** Unpacked once, not by each process into a file that it then leaves behind. */
    @BeforeEach
    void unpack() throws IOException {
        String name = Environment.getJniLibraryFileName("rocksdb");
        library = Files.createDirectory(folder.resolve("lib"));
        try (InputStream in = RocksDB.class.getClassLoader().getResourceAsStream(name)) {
            Files.copy(in, library.resolve(name));
        }
    }

    /** Two engines at the same time, because most of the time is the start of processes. */
    @Test
    void shouldKeepEverythingAcknowledgedWhereverItIsKilled() throws Exception {
        CompletableFuture<Long> writes = CompletableFuture.supplyAsync(() -> lives("writes", WRITES, RECOVERIES));
        long checkpoints = lives("checkpoints", CHECKPOINTS, BEGINNINGS);

        assertTrue(checkpoints > 500, "acknowledged " + checkpoints);
        try {
            assertTrue(writes.get() > 100, "acknowledged " + writes.get());
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    /** How many numbers were acknowledged. */
    private long lives(String name, List<Point> served, List<Point> started) {
        KilledEngine engine = new KilledEngine(folder.resolve(name), library);
        engine.format();
        int starts = 0;
        for (int i = 0; i < served.size(); i++) {
            engine.runTo(served.get(i));
            // from here on there is something to recover; every other start is killed twice before it has ended
            for (int k = 0; i > 3 && k <= i % 2 && starts < started.size(); k++) engine.runTo(started.get(starts++));
        }
        assertEquals(started.size(), starts, name + " has more starts than writes");
        return engine.check();
    }
}
