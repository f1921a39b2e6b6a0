package io.daosmesh.itests.mesh;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.ContainerSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Isolated;

/** Ten thousand hostile connections of one address against a mesh that is in use by others. */
@Isolated("others are to get what they get without the siege")
@ExtendWith(SharedMesh.class)
class SiegeIT {
    private static final int CONNECTIONS = 10_000;
    private static final int PER_SECOND = 1_000;
    private static final int QUERIES = 3;
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration SPAN = Duration.ofSeconds(4);

    /** What a node keeps of one unknown address, and what its own work may add. */
    private static final int DESCRIPTORS_MORE = 128 + 72;

    private static final int DESCRIPTORS_LEFT = 24;
    private static final int MEMORY_MORE_MB = 96;

    @Test
    void shouldServeOthersUnderSiegeAndKeepNothingOfIt() throws Exception {
        LocalMesh mesh = SharedMesh.mesh();
        mesh.dmg("pool", "create", "siege", "--size", "2GB").orFail();
        try (MeshClient client = MeshClient.open(mesh);
                Workload load = load(client)) {
            rate(load); // warm
            Service before = Service.of(mesh, load);
            List<Level> levels = levels(mesh);

            Service during;
            String seen;
            try (Siege siege = new Siege(addresses(mesh), "127.0.0.2", CONNECTIONS, PER_SECOND)) {
                LocalMesh.await("all have knocked", LONG, () -> siege.opened() >= CONNECTIONS);
                during = Service.of(mesh, load);
                int more = Level.most(levels, levels(mesh), Level::descriptors);
                seen = siege + ", " + more + " descriptors more on a node";
                assertEquals("", siege.problem());
                assertTrue(more < DESCRIPTORS_MORE, seen);
            }

            LocalMesh.await(
                    "descriptors are free again",
                    LONG,
                    () -> Level.most(levels, levels(mesh), Level::descriptors) < DESCRIPTORS_LEFT);
            int grown = Level.most(levels, levels(mesh), Level::residentMb);
            System.out.printf("siege: %s; before: %s; under it: %s; %d MB more%n", seen, before, during, grown);
            load.stopAndVerify();
            assertEquals("", load.problem());
            assertTrue(grown < MEMORY_MORE_MB, "memory grew by MB: " + grown);
        }
        SharedMesh.destroy("siege");
    }

    private static Workload load(MeshClient client) {
        return new Workload(
                MeshClient.await(client.container("siege", ContainerSpec.of("c").withClass("RP_3G1"))
                        .keyValueRoot()),
                "siege",
                4,
                4096);
    }

    private static List<InetSocketAddress> addresses(LocalMesh mesh) {
        return mesh.controls().stream()
                .map(c -> c.split(":"))
                .map(c -> new InetSocketAddress(c[0], Integer.parseInt(c[1])))
                .toList();
    }

    /** Operations a second. */
    private static double rate(Workload load) {
        long from = load.operations();
        long start = System.nanoTime();
        LocalMesh.await("time has passed", LONG, () -> System.nanoTime() - start > SPAN.toNanos());
        return (load.operations() - from) / ((System.nanoTime() - start) / 1e9);
    }

    /** What others get; fails when a query does. */
    private record Service(double operations, double longestMs, double querySeconds) {
        static Service of(LocalMesh mesh, Workload load) {
            load.takeLongestMs();
            double operations = rate(load);
            long start = System.nanoTime();
            for (int i = 0; i < QUERIES; i++) mesh.dmg("system", "query").orFail();
            return new Service(operations, load.takeLongestMs(), (System.nanoTime() - start) / 1e9 / QUERIES);
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "%.0f puts and gets a second of 4 KiB, longest %.0f ms, dmg system query in %.2f s",
                    operations,
                    longestMs,
                    querySeconds);
        }
    }

    private static List<Level> levels(LocalMesh mesh) {
        return mesh.nodes().stream().map(n -> Level.of(n.pid())).toList();
    }

    private record Level(int descriptors, int residentMb) {
        static Level of(long pid) {
            try (var open = Files.list(Path.of("/proc/" + pid + "/fd"))) {
                int descriptors = (int) open.count();
                for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
                    if (line.startsWith("VmRSS:"))
                        return new Level(descriptors, Integer.parseInt(line.replaceAll("\\D+", "")) / 1024);
                }
                throw new IllegalStateException("no VmRSS of process " + pid);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** How much more the node has that has most. */
        static int most(List<Level> then, List<Level> now, ToIntFunction<Level> of) {
            return IntStream.range(0, now.size())
                    .map(i -> of.applyAsInt(now.get(i)) - of.applyAsInt(then.get(i)))
                    .max()
                    .orElseThrow();
        }
    }
}
