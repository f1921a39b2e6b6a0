package io.daosmesh.cli.copy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.copy.FileTree.Item;
import io.daosmesh.cli.copy.FileTree.Type;
import io.daosmesh.client.Blocking;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Whatever a container holds and others do meanwhile: nothing is written outside of the destination. */
@Timeout(120)
class CopyOutTest {
    private static final String CONTENT = "from the container";

    @TempDir
    Path folder;

    private Path outside;
    private Path destination;
    private Map<String, String> before = Map.of();

    /** A container that says whatever its owner wants. */
    private static class Hostile implements FileTree {
        private final Map<String, List<Item>> listings = new TreeMap<>();

        Hostile with(String directory, Item... items) {
            listings.computeIfAbsent(directory, d -> new ArrayList<>()).addAll(List.of(items));
            return this;
        }

        @Override
        public Mono<String> place() {
            return Mono.just("hostile:");
        }

        @Override
        public Mono<Item> stat(String path) {
            return Mono.just(directory(path));
        }

        @Override
        public Flux<Item> list(String path) {
            return Flux.fromIterable(listings.getOrDefault(path, List.of()));
        }

        @Override
        public Flux<ByteBuffer> read(String path) {
            return Flux.just(ByteBuffer.wrap(CONTENT.getBytes(StandardCharsets.UTF_8)));
        }

        @Override
        public Mono<Void> makeDirectory(String path, int mode) {
            return Mono.error(new UnsupportedOperationException());
        }

        @Override
        public Mono<Void> write(Item item, Flux<ByteBuffer> content) {
            return Mono.error(new UnsupportedOperationException());
        }

        @Override
        public Mono<Void> makeLink(Item item) {
            return Mono.error(new UnsupportedOperationException());
        }

        @Override
        public Mono<Void> setAttributes(String path, int mode, long mtimeNs) {
            return Mono.error(new UnsupportedOperationException());
        }
    }

    private static Item file(String path) {
        return new Item(path, Type.FILE, 0644, 1_000_000_000L, CONTENT.length(), "", "");
    }

    private static Item directory(String path) {
        return new Item(path, Type.DIRECTORY, 0755, 1_000_000_000L, 0, "", "");
    }

    private static Item link(String path, Object target) {
        return new Item(path, Type.LINK, 0777, 1_000_000_000L, 0, target.toString(), "");
    }

    @BeforeEach
    void lookAtWhatMustStay() throws IOException {
        outside = Files.createDirectories(folder.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "of the caller");
        Files.setPosixFilePermissions(outside.resolve("secret"), PosixFilePermissions.fromString("rw-------"));
        Files.createDirectories(outside.resolve("d"));
        destination = Files.createDirectories(folder.resolve("destination"));
        before = describe();
    }

    /** Everything but the destination. */
    private Map<String, String> describe() {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : (Iterable<Path>) paths.filter(p -> !p.startsWith(destination))::iterator) {
                if (path.equals(folder)) continue;
                String content = Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) ? Files.readString(path) : "";
                all.put(
                        folder.relativize(path).toString(),
                        Files.readAttributes(path, "unix:mode,ino,lastModifiedTime", LinkOption.NOFOLLOW_LINKS)
                                + content);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return all;
    }

    private TreeCopy copy(FileTree from) {
        try (LocalTree to = new LocalTree(destination)) {
            try (Progress progress = new Progress(false, System.err, 0)) {
                TreeCopy copy = new TreeCopy(from, to, new TreeCopy.Choice(true, false), progress);
                Blocking.run(copy.run(directory(""), ""));
                return copy;
            }
        }
    }

    private List<String> inside() {
        try (Stream<Path> paths = Files.walk(destination)) {
            return paths.filter(p -> !p.equals(destination))
                    .map(p -> destination.relativize(p).toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldLeaveOutNamesThatAreNone() {
        List<String> names = List.of(
                "..", ".", "", "../outside/secret", outside + "/secret", "a/b", "a/../../outside/x", "z\0", "\ud800");
        Hostile from = new Hostile().with("", file("good"), directory("d")).with("d", file("d/good"));
        for (String name : names) {
            from.with("", file(name), directory(name), link(name, outside));
            from.with("d", file("d/" + name), directory("d/" + name), link("d/" + name, outside));
            if (!name.isEmpty()) from.with(name, file(name + "/secret"));
            from.with("d/" + name, file("d/" + name + "/secret"));
        }

        TreeCopy done = copy(from);

        assertEquals(before, describe());
        assertEquals(List.of("d", "d/good", "good"), inside());
        assertEquals(names.size() * 6, done.refused.count());
    }

    @Test
    void shouldRefuseSuchNamesAlsoBelowTheCopy() {
        for (String path : List.of("..", "../x", "d/../../x", "/x", outside + "/x", "", ".", "a//b", "a\0")) {
            try (LocalTree to = new LocalTree(destination)) {
                List<Mono<Void>> changes = List.of(
                        to.write(file(path), Flux.empty()), to.makeLink(link(path, "t")), to.makeDirectory(path, 0755));
                for (Mono<Void> change : changes.subList(0, path.isEmpty() ? 2 : 3)) {
                    FaultException e = assertThrows(FaultException.class, () -> Blocking.run(change), path);
                    assertTrue(e.code() == FaultCode.BADPATH, () -> path + ": " + e);
                }
            }
        }

        assertEquals(before, describe());
        assertEquals(List.of(), inside());
    }

    @Test
    void shouldKeepNamesThatAreOnlyOdd() {
        copy(new Hostile().with("", file("a\nb"), file("\u001b]0;x\u0007"), file("..."), file("-rf"), file("\\")));

        assertEquals(5, inside().size());
        assertEquals(before, describe());
    }

    @Test
    void shouldNotWriteThroughLinksOfTheContainer() throws IOException {
        Hostile from = new Hostile()
                .with("", link("d", outside), directory("e"), link(".f.daos-part", outside.resolve("secret")))
                .with("", file("f"), link("f", outside.resolve("secret")), link("g", outside.resolve("new")))
                .with("e", link("e/x", outside), file("e/x"));

        copy(from);

        assertEquals(before, describe());
        assertEquals(List.of(".f.daos-part", "d", "e", "e/x", "f", "g"), inside());
        copy(new Hostile().with("", file("f"), file("g")));
        assertEquals(CONTENT, Files.readString(destination.resolve("g")));
        assertEquals(before, describe());
    }

    @Test
    void shouldNotTakeALinkForAFolder() throws IOException {
        Hostile twice = new Hostile()
                .with("", link("d", outside), directory("d"))
                .with("d", file("d/secret"), file("d/new"), directory("d/d"), link("d/l", "x"));

        // the directory is there when the link is to be made
        assertThrows(FaultException.class, () -> copy(twice));

        assertEquals(before, describe());
    }

    @Test
    void shouldNotTakeALinkThatOthersHavePlacedForAFolder() throws IOException {
        Files.createSymbolicLink(destination.resolve("d"), outside);
        Files.createSymbolicLink(destination.resolve("e"), Path.of("../outside/d"));

        for (String planted : List.of("d", "e")) {
            Hostile from = new Hostile()
                    .with("", directory(planted))
                    .with(planted, file(planted + "/secret"), link(planted + "/l", "x"), directory(planted + "/d"));
            assertEquals(
                    FaultCode.NOTDIR,
                    assertThrows(FaultException.class, () -> copy(from)).code());
        }

        assertEquals(before, describe());
        assertEquals(List.of("d", "e"), inside());
    }

    @Test
    void shouldNotWriteIntoFilesThatHaveAnotherName() throws IOException {
        Files.createLink(destination.resolve("f"), outside.resolve("secret"));

        copy(new Hostile().with("", file("f")));

        assertEquals(before, describe());
        assertEquals(CONTENT, Files.readString(destination.resolve("f")));
    }

    @Test
    void shouldKeepInsideWhenFoldersBecomeLinksMeanwhile() throws Exception {
        Hostile from = new Hostile().with("", directory("d")).with("d", directory("d/d"));
        for (int i = 0; i < 40; i++)
            from.with("d", file("d/f" + i)).with("d/d", file("d/d/f" + i), link("d/d/l" + i, "x"));
        AtomicBoolean isOver = new AtomicBoolean();
        long[] swaps = {0};
        Thread racer = new Thread(() -> {
            while (!isOver.get()) if (swap(destination.resolve("d"))) swaps[0]++;
        });
        Files.createDirectory(destination.resolve("d"));
        racer.start();
        int failures = 0;

        for (int round = 0; round < 200 || swaps[0] < 500 && round < 2000; round++) {
            try {
                copy(from);
            } catch (FaultException e) {
                failures++;
            }
            Files.deleteIfExists(destination.resolve("d/f" + round % 40));
        }
        isOver.set(true);
        racer.join();

        assertEquals(before, describe(), () -> swaps[0] + " swaps");
        assertTrue(failures > 0, "the racer has won sometimes");
        assertFalse(inside().stream().anyMatch(n -> n.contains(".daos-part")), () -> "left behind: " + inside());
    }

    @Test
    void shouldNeverOpenALinkForAFolder() throws Exception {
        AtomicBoolean isOver = new AtomicBoolean();
        Thread racer = new Thread(() -> {
            while (!isOver.get()) swap(destination.resolve("d"));
        });
        Files.createDirectory(destination.resolve("d"));
        racer.start();
        int opened = 0;
        try (LocalFolder start = LocalFolder.open(destination);
                LocalFolder other = LocalFolder.open(outside)) {
            for (int i = 0; i < 50_000; i++) {
                try (LocalFolder d = start.open("d")) {
                    assertNotEquals(other.key(), d.key());
                    opened++;
                } catch (IOException e) {
                    // a link, or nothing, at this moment
                }
            }
        } finally {
            isOver.set(true);
            racer.join();
        }

        assertTrue(opened > 100, () -> "hardly ever a folder");
    }

    /** A folder, then a link to another, then the folder again. */
    private boolean swap(Path at) {
        Path aside = at.resolveSibling("aside-" + System.nanoTime());
        try {
            Files.move(at, aside);
            Files.createSymbolicLink(at, outside);
            Files.delete(at);
            Files.move(aside, at);
            return true;
        } catch (IOException e) {
            // the copy was faster: what is there now is as good, or is taken away
            try {
                if (Files.isSymbolicLink(at)) Files.delete(at);
                if (!Files.exists(at)) Files.createDirectory(at);
            } catch (IOException again) {
                return false;
            }
            return false;
        }
    }

    @Test
    void shouldGiveNobodyElseAWayInWhileItCopies() throws IOException {
        List<String> seen = new ArrayList<>();
        Hostile from = new Hostile() {
            @Override
            public Flux<ByteBuffer> read(String path) {
                return super.read(path).doOnComplete(() -> seen.addAll(modes()));
            }
        };
        from.with("", new Item("d", Type.DIRECTORY, 0777, 1, 0, "", ""))
                .with("d", new Item("d/f", Type.FILE, 0666, 1, CONTENT.length(), "", ""));

        copy(from);

        assertTrue(seen.size() >= 2, seen::toString);
        assertTrue(seen.stream().allMatch(m -> m.endsWith("------")), seen::toString);
        assertEquals(
                "rwxrwxrwx", PosixFilePermissions.toString(Files.getPosixFilePermissions(destination.resolve("d"))));
        assertEquals(
                "rw-rw-rw-", PosixFilePermissions.toString(Files.getPosixFilePermissions(destination.resolve("d/f"))));
    }

    private List<String> modes() {
        try (Stream<Path> paths = Files.walk(destination)) {
            List<String> modes = new ArrayList<>();
            for (Path path : (Iterable<Path>) paths.filter(p -> !p.equals(destination))::iterator) {
                modes.add(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
            }
            return modes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
