package io.daosmesh.cli.copy;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Others go on working in the tree that is copied: what they remove is counted, and the rest is copied. */
@Timeout(120)
class MeanwhileTest {
    private static final int FILES = 400;

    @TempDir
    Path folder;

    private Path source;
    private Path destination;
    /** What happens before the name is read or listed. */
    private final Map<String, Consumer<Path>> before = new TreeMap<>();

    /** The source, with others at work. */
    private final class Shared implements FileTree {
        private final LocalTree tree = new LocalTree(source);

        private void meet(String path) {
            Consumer<Path> happens = before.remove(path);
            if (happens != null) happens.accept(source.resolve(path));
        }

        @Override
        public Mono<String> place() {
            return tree.place();
        }

        @Override
        public Mono<Item> stat(String path) {
            return tree.stat(path);
        }

        @Override
        public Flux<Item> list(String path) {
            return Flux.defer(() -> {
                meet(path);
                return tree.list(path);
            });
        }

        @Override
        public Flux<ByteBuffer> read(String path) {
            return Flux.defer(() -> {
                try {
                    meet(path);
                } catch (UncheckedIOException e) {
                    return Flux.error(FaultException.faultOf(tree.fault(path, e.getCause()))
                            .asException());
                }
                return tree.read(path);
            });
        }

        @Override
        public Mono<Void> makeDirectory(String path, int mode) {
            return tree.makeDirectory(path, mode);
        }

        @Override
        public Mono<Void> write(Item item, Flux<ByteBuffer> content) {
            return tree.write(item, content);
        }

        @Override
        public Mono<Void> makeLink(Item item) {
            return tree.makeLink(item);
        }

        @Override
        public Mono<Void> setAttributes(String path, int mode, long mtimeNs) {
            return tree.setAttributes(path, mode, mtimeNs);
        }

        @Override
        public void close() {
            tree.close();
        }
    }

    @BeforeEach
    void make() throws IOException {
        source = Files.createDirectory(folder.resolve("source"));
        destination = folder.resolve("destination");
        for (String name : List.of("a", "b", "d/e", "f/g", "h")) {
            Files.createDirectories(source.resolve(name).getParent());
            Files.writeString(source.resolve(name), name);
        }
    }

    private static void remove(Path path) {
        try (Stream<Path> below = Files.walk(path)) {
            for (Path p : below.sorted(java.util.Comparator.reverseOrder()).toList()) Files.delete(p);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TreeCopy copy() {
        try (FileTree from = new Shared();
                FileTree to = new LocalTree(destination);
                Progress progress = new Progress(false, System.err, 0)) {
            TreeCopy copy = new TreeCopy(from, to, new TreeCopy.Choice(true, false), progress);
            Blocking.run(copy.run(Blocking.get(from.stat("")), ""));
            return copy;
        }
    }

    private List<String> copied() throws IOException {
        try (Stream<Path> all = Files.walk(destination)) {
            return all.filter(Files::isRegularFile)
                    .map(p -> destination.relativize(p).toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void shouldCountWhatVanishesAndCopyTheRest() throws IOException {
        before.put("b", MeanwhileTest::remove);
        before.put("f", MeanwhileTest::remove);
        before.put("h", path -> {
            remove(path);
            path.toFile().mkdir();
        });

        TreeCopy copy = copy();

        assertEquals(List.of("a", "d/e"), copied());
        assertEquals(3, copy.vanished.sum());
        assertEquals(2, copy.files.sum());
        assertEquals(0, copy.refused.count());
        assertTrue(before.isEmpty(), before::toString);
    }

    @Test
    void shouldTellWhatMayNotBeReadAndCopyTheRest() throws IOException {
        before.put("b", path -> {
            throw new UncheckedIOException(new AccessDeniedException(path.toString()));
        });

        TreeCopy copy = copy();

        assertEquals(List.of("a", "d/e", "f/g", "h"), copied());
        assertEquals(1, copy.refused.count());
        assertTrue(copy.refused.fault().text().contains("'b'"), copy.refused.fault()::text);
    }

    /** What else goes wrong with the source is no reason to call a copy complete. */
    @Test
    void shouldEndWithAnErrorThatIsNoneOfThese() {
        before.put("b", path -> {
            throw new UncheckedIOException(new IOException("the disk is broken"));
        });

        FaultException e = assertThrows(FaultException.class, this::copy);

        assertEquals(FaultCode.IO, e.code());
    }

    @Test
    void shouldListWhatHasVanishedSinceTheDirectoryWasRead() throws IOException {
        Path many = Files.createDirectory(source.resolve("many"));
        for (int i = 0; i < FILES; i++) Files.writeString(many.resolve("f" + i), "");
        List<Item> items = new ArrayList<>();
        try (LocalTree tree = new LocalTree(source)) {
            Flux<Item> all = tree.list("many");
            all.subscribe(new BaseSubscriber<>() {
                @Override
                protected void hookOnSubscribe(Subscription subscription) {
                    request(1);
                }

                @Override
                protected void hookOnNext(Item item) {
                    items.add(item);
                    if (items.size() == 1) remove(many);
                    requestUnbounded();
                }
            });
            long endNs = System.nanoTime() + 20_000_000_000L;
            while (items.size() < FILES && System.nanoTime() < endNs) Thread.onSpinWait();
        }

        assertEquals(FILES, items.size());
        assertTrue(items.stream().filter(i -> i.type() == Type.GONE).count() > FILES / 2, items::toString);
    }
}
