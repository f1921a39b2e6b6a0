package io.daosmesh.client.dfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.FakeCluster;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients side by side on the same names, while messages are lost and leaders change. */
@Timeout(120)
class DfsStressTest {
    private static final List<String> DIRECTORIES = List.of("/a", "/b", "/c");
    private static final int CLIENTS = 3;

    private FakeCluster cluster;
    private BlockingDfs files;

    private BlockingDfs mount() {
        Pool pool =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        return new BlockingDfs(Blocking.get(Dfs.mount(Blocking.get(pool.openContainer("fs")))));
    }

    private void start(long seed) {
        cluster = new FakeCluster(seed);
        Pool pool =
                Blocking.get(Blocking.get(DaosClient.connect(cluster.config())).connectPool("tank"));
        Blocking.get(pool.createContainer(ContainerSpec.posix("fs")));
        files = mount();
        DIRECTORIES.forEach(files::makeDirectories);
    }

    private static void write(BlockingDfs to, String path, String content) {
        to.write(path, 0644, new ByteArrayInputStream(content.getBytes()));
    }

    /** Every name with its content: a name without its object fails here. */
    private Map<String, String> look() {
        Map<String, String> tree = new TreeMap<>();
        for (String d : DIRECTORIES) {
            for (DfsDirectory.Named n : files.list(d)) {
                String path = d + "/" + n.name();
                try (var in = files.read(path)) {
                    tree.put(path, new String(in.readAllBytes()));
                } catch (IOException | FaultException e) {
                    throw new AssertionError(path + " leads to nothing: " + e.getMessage());
                }
            }
        }
        return tree;
    }

    private interface Work {
        void run(BlockingDfs on, Random random, String unique);
    }

    /** What may be refused when others are at the same names, or when an answer was lost. */
    private static final Set<FaultCode> EXPECTED =
            EnumSet.of(FaultCode.NONEXIST, FaultCode.EXIST, FaultCode.AGAIN, FaultCode.INVAL, FaultCode.CSUM);

    private void together(long seed, int times, Work work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(CLIENTS);
        List<Future<?>> all = new ArrayList<>();
        for (int c = 0; c < CLIENTS; c++) {
            BlockingDfs mine = mount();
            Random random = new Random(seed * 31 + c);
            int client = c;
            all.add(threads.submit(() -> {
                for (int i = 0; i < times; i++) {
                    try {
                        work.run(mine, random, client + "." + i);
                    } catch (FaultException e) {
                        if (!EXPECTED.contains(e.code())) throw e;
                    }
                }
            }));
        }
        for (Future<?> f : all) f.get();
        threads.shutdown();
    }

    /** Names are only ever given that nobody else gives: nothing may vanish, whoever was faster. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldNeverLoseAFileToRenames(long seed) throws Exception {
        start(seed);
        Set<String> contents = new TreeSet<>();
        for (int i = 0; i < 8; i++) {
            write(files, DIRECTORIES.get(i % 3) + "/f" + i, "content " + i);
            contents.add("content " + i);
        }
        cluster.loseMessages(0.05);

        together(seed, 40, (on, random, unique) -> {
            List<String> names = new ArrayList<>();
            String directory = DIRECTORIES.get(random.nextInt(3));
            on.list(directory).forEach(n -> names.add(directory + "/" + n.name()));
            if (names.isEmpty()) return;
            String from = names.get(random.nextInt(names.size()));
            if (random.nextInt(20) == 0) {
                cluster.exclude(2);
                cluster.reintegrate(2);
            }
            on.rename(from, DIRECTORIES.get(random.nextInt(3)) + "/n" + unique);
        });

        cluster.loseMessages(0);
        List<String> found = new ArrayList<>(look().values());
        found.sort(null);
        assertEquals(List.copyOf(contents), found, "each once");
        for (String d : DIRECTORIES)
            files.list(d).forEach(n -> assertFalse(n.entry().isShared(), n.name()));
    }

    /** Few names that all write, rename over each other, and remove. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldNeverLeaveANameWithoutItsContent(long seed) throws Exception {
        start(seed);
        cluster.loseMessages(0.05);

        together(seed, 60, (on, random, unique) -> {
            String one = DIRECTORIES.get(random.nextInt(2)) + "/f" + random.nextInt(3);
            String other = DIRECTORIES.get(random.nextInt(2)) + "/f" + random.nextInt(3);
            switch (random.nextInt(4)) {
                case 0 -> on.remove(one, false);
                case 1 -> write(on, one, unique);
                default -> on.rename(one, other);
            }
        });

        cluster.loseMessages(0);
        Map<String, String> tree = look();
        assertTrue(tree.size() <= 6, tree.toString());
    }
}
