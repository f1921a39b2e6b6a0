package io.daosmesh.storage.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.storage.halt.Halter;
import io.daosmesh.storage.halt.Halter.Point;
import io.daosmesh.storage.log.LogLimits;
import io.daosmesh.storage.log.runtime.LogSegments;
import io.daosmesh.storage.scm.ScmFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The storage of one engine over many processes, each of which ends at a chosen point. Owner: one thread of a test. */
final class KilledEngine {
    /** Small: full, trimmed and used again within forty writes. */
    private static final LogLimits LIMITS = new LogLimits(256 << 10, 8);

    private static final int CHILD_MAX_S = 60;
    private static final int SHOWN_LINES = 40;

    private final Path folder;
    private final Path library;
    private long acknowledged;
    private String before = "the format";

    /** @param library folder of the native library of the indexes */
    KilledEngine(Path folder, Path library) {
        this.folder = folder;
        this.library = library;
    }

    private NodeFixture node() {
        NodeFixture f = new NodeFixture(folder, "daos_server", StageWriter.TARGETS, 30_000);
        f.addDriver("1");
        return f;
    }

    void format() {
        UUID engine;
        try (NodeFixture f = node()) {
            engine = f.start().formatted().engineUuid();
        }
        try (NodeFixture f = node()) {
            Path root = folder.resolve("scm");
            deleteLog(root);
            ScmFolder scm = ScmFolder.open(0, f.pmem, new DeviceSpec("file", root.toString(), 256L << 20, Map.of()));
            LogSegments.format(scm, engine, LIMITS, 11);
        }
    }

    private static void deleteLog(Path root) {
        try (Stream<Path> files = Files.list(root)) {
            for (Path p : files.filter(p -> p.getFileName().toString().startsWith(LogSegments.PREFIX))
                    .toList()) Files.delete(p);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Opens and checks what is there, and writes until the process ends where it shall. */
    void runTo(Point point) {
        List<String> said;
        int status;
        try {
            Process child = child(point);
            if (!child.waitFor(CHILD_MAX_S, TimeUnit.SECONDS)) {
                child.destroyForcibly().waitFor();
                throw new AssertionError(point + " hangs, after " + before);
            }
            status = child.exitValue();
            said = new ArrayList<>(Files.readAllLines(out()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        for (String line : said) if (line.matches("\\d+")) acknowledged = Long.parseLong(line);
        List<String> end = said.subList(Math.max(0, said.size() - SHOWN_LINES), said.size());
        assertEquals(Halter.STATUS, status, () -> "to " + point + ", after " + before + ":\n" + String.join("\n", end));
        before = point.toString();
    }

    private Path out() {
        return folder.resolve("child.log");
    }

    private Process child(Point point) throws IOException {
        return new ProcessBuilder(
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
                .redirectOutput(out().toFile())
                .start();
    }

    /** The last number acknowledged, with all before it there. */
    long check() {
        try (NodeFixture f = node()) {
            StageWriter.check(f.start().ready(), acknowledged);
        }
        return acknowledged;
    }
}
