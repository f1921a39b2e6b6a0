package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.client.Meddler;
import io.daosmesh.client.Meddler.Fate;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.FaultException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;

/**
 * Two clients and one file system: while the first is at work, between any two of its requests, the second does something
 * to the same names; and any of the requests is lost, late, or the last that its client sends.
 */
@Timeout(300)
class DfsRaceTest {
    private static final Map<String, String> INITIAL = Map.of("/a/f", "f", "/a/g", "g", "/b/h", "h");

    /** What a client does; its own content is the letter that stands for it. */
    private enum Op {
        CREATE("/a/n") {
            @Override
            void run(Side s) {
                s.write("/a/n");
            }
        },
        REPLACE("/a/f") {
            @Override
            void run(Side s) {
                s.write("/a/f");
            }
        },
        REPLACE_OTHER("/a/g") {
            @Override
            void run(Side s) {
                s.write("/a/g");
            }
        },
        REPLACE_FAR("/b/h") {
            @Override
            void run(Side s) {
                s.write("/b/h");
            }
        },
        ATTRIBUTES("no path") {
            @Override
            void run(Side s) {
                Blocking.run(s.dfs.setAttributes(DfsPath.parse("/a/f"), new DfsEntry.Attributes(0600, 5)));
            }
        },
        REMOVE("/a/f") {
            @Override
            void run(Side s) {
                s.files.remove("/a/f", false);
            }
        },
        RENAME("/a/n") {
            @Override
            void run(Side s) {
                s.files.rename("/a/f", "/a/n");
            }
        },
        RENAME_OVER("/a/g") {
            @Override
            void run(Side s) {
                s.files.rename("/a/f", "/a/g");
            }
        },
        RENAME_BACK("/a/f") {
            @Override
            void run(Side s) {
                s.files.rename("/a/g", "/a/f");
            }
        },
        MOVE("/b/m") {
            @Override
            void run(Side s) {
                s.files.rename("/a/f", "/b/m");
            }
        },
        MOVE_OVER("/b/h") {
            @Override
            void run(Side s) {
                s.files.rename("/a/f", "/b/h");
            }
        },
        MOVE_BACK("/a/f") {
            @Override
            void run(Side s) {
                s.files.rename("/b/m", "/a/f");
            }
        },
        RENAME_FAR("/b/k") {
            @Override
            void run(Side s) {
                s.files.rename("/b/m", "/b/k");
            }
        },
        REMOVE_FAR("/b/m") {
            @Override
            void run(Side s) {
                s.files.remove("/b/m", false);
            }
        },
        REMOVE_ALL("/a/") {
            @Override
            void run(Side s) {
                s.files.remove("/a", true);
            }
        };

        private final String victim;

        /** @param victim start of the paths whose content it takes away or replaces */
        Op(String victim) {
            this.victim = victim;
        }

        boolean isVictim(String path) {
            return path.startsWith(victim);
        }

        abstract void run(Side s);

        /** Its effect is one step of one directory. */
        boolean isAtomic() {
            return this != MOVE && this != MOVE_OVER && this != MOVE_BACK && this != REMOVE_ALL;
        }
    }

    /** One client's view. */
    private static final class Side {
        final String letter;
        final Dfs dfs;
        final BlockingDfs files;

        Side(String letter, ClientConfig config) {
            this.letter = letter;
            Pool pool = Blocking.get(Blocking.get(DaosClient.connect(config)).connectPool("tank"));
            Container container = Blocking.get(pool.openContainer("fs"));
            // nobody waits: whoever meets a rename under way acts as if its client were gone
            dfs = Blocking.get(Dfs.mount(container, new Marks(0)));
            files = new BlockingDfs(dfs);
        }

        void write(String path) {
            write(path, letter);
        }

        void write(String path, String content) {
            files.write(path, 0644, new ByteArrayInputStream(content.getBytes(StandardCharsets.UTF_8)));
        }

        /** How it ended. */
        String attempt(Op op) {
            try {
                op.run(this);
                return "ok";
            } catch (FaultException e) {
                return e.code().name();
            }
        }
    }

    /** A fresh file system with a few files. */
    private static final class Scene {
        final FakeCluster cluster = new FakeCluster(3);
        final Meddler way = new Meddler(cluster);
        final Side first;
        final Side second;

        Scene() {
            Pool pool = Blocking.get(
                    Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
            Blocking.get(pool.createContainer(ContainerSpec.posix("fs")));
            first = new Side("A", way.config());
            second = new Side("B", cluster.config());
            for (String path : List.of("/a", "/b")) second.files.makeDirectories(path);
            INITIAL.forEach(second::write);
        }

        /** Everything that can be seen, read to its last byte: a name without its object fails here. */
        Map<String, String> look() {
            Map<String, String> tree = new TreeMap<>();
            for (DfsDirectory.Named d : second.files.list("/")) {
                for (DfsDirectory.Named n : second.files.list("/" + d.name())) {
                    String path = "/" + d.name() + "/" + n.name();
                    tree.put(path, read(path) + " " + n.entry().modeText());
                }
            }
            return tree;
        }

        private String read(String path) {
            try (var in = second.files.read(path)) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (FaultException e) {
                throw new AssertionError(path + " leads to nothing: " + e.getMessage());
            }
        }
    }

    /** Results of both and what can be seen then. */
    private record Result(String first, String second, Map<String, String> tree) {}

    private static Result oneAfterTheOther(Op a, Op b, boolean isFirstFirst) {
        Scene scene = new Scene();
        String second = isFirstFirst ? "" : scene.second.attempt(b);
        String first = scene.first.attempt(a);
        if (isFirstFirst) second = scene.second.attempt(b);
        return new Result(first, second, scene.look());
    }

    @ParameterizedTest
    @EnumSource(Op.class)
    void shouldEndAsOneAfterTheOtherWhenTheyMeet(Op a) {
        for (Op b : Op.values()) {
            Result ab = oneAfterTheOther(a, b, true);
            Result ba = oneAfterTheOther(a, b, false);
            for (int at = 0; ; at++) {
                Scene scene = new Scene();
                List<String> second = new ArrayList<>();
                scene.way.choose(at, Fate.DELIVERED, () -> second.add(scene.second.attempt(b)));
                String first = scene.first.attempt(a);
                if (!scene.way.wasReached()) break;
                Result met = new Result(first, second.get(0), scene.look());
                String what = a + " meets " + b + " at request " + at + ": " + met + ", not " + ab + " or " + ba;
                if (a.isAtomic() && b.isAtomic()) {
                    assertTrue(met.equals(ab) || met.equals(ba), what);
                } else {
                    // two leaders: what must not happen is that something is gone which neither order would have
                    // removed
                    Set<String> must = contents(ab.tree);
                    must.retainAll(contents(ba.tree));
                    assertTrue(contents(met.tree).containsAll(must), what);
                    assertFalse(met.toString().contains("TX_RESTART"), what);
                }
            }
        }
    }

    private static Set<String> contents(Map<String, String> tree) {
        Set<String> all = new TreeSet<>();
        tree.values().forEach(v -> all.add(v.substring(0, 1)));
        return all;
    }

    @ParameterizedTest
    @EnumSource(Op.class)
    void shouldEndTheSameWhenOneMessageIsLostOrTheLeaderChanges(Op a) {
        Scene calm = new Scene();
        String wanted = calm.first.attempt(a);
        Map<String, String> tree = calm.look();
        for (Fate fate : List.of(Fate.LOST, Fate.ANSWER_LOST, Fate.DELIVERED)) {
            for (int at = 0; ; at++) {
                Scene scene = new Scene();
                int gone = at % 3;
                scene.way.choose(at, fate, () -> {
                    scene.cluster.exclude(gone);
                    // three servers less one refuse every new file
                    if (tree.toString().contains("A")) scene.cluster.reintegrate(gone);
                });
                String got = scene.first.attempt(a);
                if (!scene.way.wasReached()) break;
                assertEquals(wanted, got, a + " " + fate + " at " + at);
                assertEquals(tree, scene.look(), a + " " + fate + " at " + at);
            }
        }
    }

    /** The client is told nothing, or ends; then somebody else goes on, and a late request arrives. */
    @ParameterizedTest
    @EnumSource(Op.class)
    void shouldKeepContentAndNamesTogetherWhenTheOutcomeIsUnknown(Op a) {
        for (Fate fate : EnumSet.of(Fate.FAILED_BEFORE, Fate.FAILED_AFTER, Fate.LATE, Fate.CRASH_AFTER)) {
            for (Op b : Op.values()) {
                for (int at = 0; ; at++) {
                    Scene scene = new Scene();
                    scene.way.choose(at, fate, () -> {});
                    runOrCrash(scene, a, fate);
                    if (!scene.way.wasReached()) break;
                    String what = a + " " + fate + " at " + at + ", then " + b;
                    Set<String> lost = new TreeSet<>();
                    INITIAL.forEach((path, content) -> {
                        if (a.isVictim(path)) lost.add(content);
                    });
                    Map<String, String> tree = scene.look();
                    Set<String> must = new TreeSet<>(INITIAL.values());
                    must.removeAll(lost);
                    assertTrue(contents(tree).containsAll(must), what + ": before it " + tree);
                    Map<String, String> taken = new TreeMap<>(tree);
                    taken.keySet().removeIf(path -> !b.isVictim(path));
                    tree.keySet().removeAll(taken.keySet());

                    scene.second.attempt(b);
                    scene.way.deliverLate();

                    Set<String> kept = contents(tree);
                    if (fate == Fate.LATE) kept.removeAll(lost);
                    // a move that was done at last: the first name goes after the second one was taken by others
                    if (fate == Fate.LATE && !a.isAtomic()) kept.removeAll(contents(taken));
                    Map<String, String> now = scene.look();
                    assertTrue(contents(now).containsAll(kept), what + ": " + now + " without some of " + kept);
                }
            }
        }
    }

    /** A crash answers nothing for ever: it is over when the chosen request is done. */
    private static void runOrCrash(Scene scene, Op a, Fate fate) {
        if (fate != Fate.CRASH_AFTER) {
            scene.first.attempt(a);
            return;
        }
        var process = Mono.fromRunnable(() -> scene.first.attempt(a))
                .subscribeOn(reactor.core.scheduler.Schedulers.boundedElastic())
                .subscribe(x -> {}, e -> {});
        scene.way.awaitCrash(process::isDisposed, Duration.ofSeconds(20));
        process.dispose();
    }

    @Test
    void shouldFreeWhatHasNoNameAnyMoreAndNothingElse() {
        Scene scene = new Scene();
        Side s = scene.first;
        DfsEntry f = s.files.stat("/a/f");
        DfsEntry g = s.files.stat("/a/g");
        DfsEntry h = s.files.stat("/b/h");

        s.files.rename("/a/f", "/a/g");
        assertTrue(isFreed(s, g) && !isFreed(s, f));
        s.files.rename("/a/g", "/b/h");
        assertTrue(isFreed(s, h) && !isFreed(s, f));
        assertEquals(f.object(), s.files.stat("/b/h").object());
        assertFalse(s.files.stat("/b/h").isShared(), "it has one name again");
        s.files.remove("/b/h", false);

        assertTrue(isFreed(s, f));
        assertEquals(Map.of(), scene.look());
    }

    private static boolean isFreed(Side s, DfsEntry e) {
        return Blocking.get(s.dfs.container().array(e.object(), e.chunkBytes()).size()) == 0;
    }

    @Test
    void shouldMoveADirectoryWithAllThatIsInIt() {
        Scene scene = new Scene();
        scene.first.files.makeDirectories("/a/d");
        scene.first.write("/a/d/x", "x");

        scene.first.files.rename("/a/d", "/b/e");

        assertEquals(
                List.of("x"),
                scene.second.files.list("/b/e").stream()
                        .map(DfsDirectory.Named::name)
                        .toList());
        assertFalse(scene.second.files.stat("/b/e").isShared());
        scene.second.files.remove("/b/e", true);
    }

    /** What a rename that was cut off has left: two names of one directory. */
    @Test
    void shouldRemoveOneOfTwoNamesOfADirectoryWithoutWhatIsInIt() {
        for (int at = 0; at < 12; at++) {
            Scene scene = new Scene();
            scene.second.files.makeDirectories("/a/d");
            scene.second.write("/a/d/x", "x");
            scene.way.choose(at, Fate.FAILED_AFTER, () -> {});
            try {
                scene.first.files.rename("/a/d", "/b/e");
            } catch (FaultException e) {
                scene.way.choose(-1, Fate.DELIVERED, () -> {});
            }
            boolean hasOld = names(scene, "/a").contains("d");
            boolean hasNew = names(scene, "/b").contains("e");
            assertTrue(hasOld || hasNew, "at " + at);
            if (hasOld && hasNew) scene.second.files.remove("/a/d", true);

            String left = hasNew ? "/b/e" : "/a/d";
            assertEquals(List.of("x"), names(scene, left), "at " + at);
        }
    }

    private static List<String> names(Scene scene, String path) {
        return scene.second.files.list(path).stream()
                .map(DfsDirectory.Named::name)
                .toList();
    }
}
