package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.halt.Halter;
import io.daosmesh.storage.halt.Halter.Point;
import io.daosmesh.storage.halt.Halter.When;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.runtime.LogSegments;
import io.daosmesh.storage.scm.ScmFolder;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * kill -9 in each stage of a write, of its way to the device and the tables, of the reuse of the log, and of a start: before the
 * call, in its middle and after it. Each start checks what the one before it has left.
 */
@Timeout(300)
@Tag("slow")
class KillStagesTest {
    /** Small: full, trimmed and used again within forty writes. */
    private static final LogLimits LIMITS = new LogLimits(256 << 10, 8);

    /** From here on there is something to recover. */
    private static final int FIRST_START = 4;

    private static final int CHILD_MAX_S = 60;

    @TempDir
    Path folder;

    private long acknowledged;

    private static Stream<Point> points(String stage, int before, int half, int after) {
        return Stream.of(
                        new Point(stage, When.BEFORE, before),
                        new Point(stage, When.HALF, half),
                        new Point(stage, When.AFTER, after))
                .filter(p -> p.number() > 0);
    }

    /** What happens once in the life of an engine comes first. Numbers of calls; 0: there is no such point. */
    private static List<Point> served() {
        return Stream.of(
                        points("superblock.write", 0, 1, 0),
                        points("superblock.rename", 1, 0, 1),
                        points("append", 6, 9, 31),
                        points("write", 3, 8, 2),
                        points("flush", 3, 0, 2),
                        points("answer", 4, 0, 17),
                        points("back", 1, 1, 1),
                        points("back", 2, 1, 2),
                        points("back-flush", 1, 0, 2),
                        points("target-0.sst", 1, 0, 0),
                        points("target-1.sst", 1, 0, 0),
                        points("target-0.sst", 2, 0, 0),
                        points("header", 1, 3, 6),
                        points("header", 7, 9, 5),
                        points("log-in-use.write", 1, 5, 0),
                        points("log-in-use.rename", 2, 0, 6),
                        points("target.write", 0, 1, 0),
                        points("target.rename", 1, 0, 2),
                        points("smd.write", 1, 2, 0),
                        points("smd.rename", 2, 0, 1))
                .flatMap(p -> p)
                .toList();
    }

    private static List<Point> started() {
        return Stream.of(
                        points("start.target-0.sst", 1, 0, 0),
                        points("start.target-0.MANIFEST", 1, 0, 0),
                        points("start.target-1.MANIFEST", 1, 0, 0),
                        points("start.back", 1, 1, 1),
                        points("start.back-flush", 1, 0, 1),
                        points("start.target.write", 1, 2, 3),
                        points("start.target.rename", 3, 0, 1),
                        points("start.header", 1, 1, 1),
                        points("start.log-in-use.write", 1, 1, 0),
                        points("start.log-in-use.rename", 1, 0, 1))
                .flatMap(p -> p)
                .toList();
    }

    @Test
    void shouldKeepEverythingAcknowledgedWhereverItIsKilled() throws Exception {
        format();
        Path library = library();
        List<Point> serving = served();
        String before = "the format";
        Iterator<Point> starts = started().iterator();
        for (int i = 0; i < serving.size(); i++) {
            before = runTo(serving.get(i), library, before);
            if (i < FIRST_START) continue;
            // every other start is killed twice before it has ended
            for (int k = 0; k <= i % 2 && starts.hasNext(); k++) before = runTo(starts.next(), library, before);
        }
        assertFalse(starts.hasNext());
        try (NodeFixture f = new NodeFixture(folder, "daos_server", StageWriter.TARGETS, 30_000)) {
            f.addDriver("1");
            EngineStorage storage = f.start().ready();
            StageWriter.check(storage, acknowledged);
        }
        assertTrue(acknowledged > 500, "acknowledged " + acknowledged);
    }

    private void format() throws IOException {
        UUID engine;
        try (NodeFixture f = new NodeFixture(folder, "daos_server", StageWriter.TARGETS, 30_000)) {
            f.addDriver("1");
            engine = f.start().formatted().engineUuid();
        }
        try (NodeFixture f = new NodeFixture(folder, "daos_server", StageWriter.TARGETS, 30_000)) {
            Path root = folder.resolve("scm");
            try (Stream<Path> files = Files.list(root)) {
                for (Path p : files.filter(p -> p.getFileName().toString().startsWith(LogSegments.PREFIX))
                        .toList()) Files.delete(p);
            }
            ScmFolder scm = ScmFolder.open(
                    0, f.pmem, new io.daosmesh.spi.DeviceSpec("file", root.toString(), 256L << 20, Map.of()));
            LogSegments.format(scm, engine, LIMITS, 11);
        }
    }

    /** Unpacked once, not by each process into a file that it then leaves behind. */
    private Path library() throws IOException {
        String name = Environment.getJniLibraryFileName("rocksdb");
        Path to = Files.createDirectory(folder.resolve("lib")).resolve(name);
        try (InputStream in = RocksDB.class.getClassLoader().getResourceAsStream(name)) {
            Files.copy(in, to);
        }
        return to.getParent();
    }

    /** The point, for the one that comes next. */
    private String runTo(Point point, Path library, String before) throws IOException, InterruptedException {
        File out = folder.resolve("child.log").toFile();
        Process child = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx128m",
                        "-Djava.library.path=" + library,
                        "-cp",
                        System.getProperty("java.class.path"),
                        StageWriter.class.getName(),
                        folder.toString(),
                        String.valueOf(acknowledged),
                        point.toString())
                .redirectErrorStream(true)
                .redirectOutput(out)
                .start();
        if (!child.waitFor(CHILD_MAX_S, TimeUnit.SECONDS)) {
            child.destroyForcibly().waitFor();
            throw new AssertionError(point + " hangs");
        }
        List<String> said = new ArrayList<>(Files.readAllLines(out.toPath()));
        for (String line : said) if (line.matches("\\d+")) acknowledged = Long.parseLong(line);
        assertEquals(
                Halter.STATUS,
                child.exitValue(),
                () -> "to " + point + ", after " + before + ":\n" + String.join("\n", last(said)));
        return point.toString();
    }

    private static List<String> last(List<String> lines) {
        return lines.subList(Math.max(0, lines.size() - 40), lines.size());
    }
}
