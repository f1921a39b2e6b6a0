package io.daosmesh.itests.mesh;

import io.daosmesh.cli.mesh.MeshRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What the nodes of a mesh and this process, their client, have used so far. Immutable; Linux only. */
record Costs(double switches, double cpuUs, double persists, double turns) {
    static final PerOperation UNKNOWN = new PerOperation(0, 0, 0);

    /** @param persists of the engine logs of all nodes together */
    record PerOperation(double switches, double cpuUs, double persists) {}

    static Costs of(LocalMesh mesh) {
        List<MeshRecord.Entry> nodes = mesh.nodes();
        Costs sum = process(ProcessHandle.current().pid());
        for (MeshRecord.Entry node : nodes) {
            String scraped = Metrics.scrape(node);
            sum = sum.plus(process(node.pid()))
                    .plus(new Costs(
                            0,
                            0,
                            Metrics.sum(scraped, "engine_log_persists_total"),
                            Metrics.sum(scraped, "engine_sched_total_turns")));
        }
        return sum;
    }

    /** Switches and processor time of one process; what a thread used that has ended is not in it. */
    static Costs process(long pid) {
        try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
            return tasks.map(Costs::thread).reduce(new Costs(0, 0, 0, 0), Costs::plus);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Costs thread(Path task) {
        try {
            double switches = Files.readAllLines(task.resolve("status")).stream()
                    .filter(l -> l.contains("voluntary_ctxt_switches"))
                    .mapToDouble(l -> Double.parseDouble(l.replaceAll("\\D+", "")))
                    .sum();
            String[] ran = Files.readString(task.resolve("schedstat")).split(" ");
            return new Costs(switches, Double.parseDouble(ran[0]) / 1e3, 0, 0);
        } catch (NoSuchFileException ended) {
            return new Costs(0, 0, 0, 0);
        } catch (IOException e) {
            // a thread that ends while it is read
            return new Costs(0, 0, 0, 0);
        }
    }

    Costs plus(Costs other) {
        return new Costs(
                switches + other.switches, cpuUs + other.cpuUs, persists + other.persists, turns + other.turns);
    }

    Costs since(Costs before) {
        return new Costs(
                switches - before.switches, cpuUs - before.cpuUs, persists - before.persists, turns - before.turns);
    }

    PerOperation per(double operations) {
        return operations == 0
                ? UNKNOWN
                : new PerOperation(switches / operations, cpuUs / operations, persists / operations);
    }
}
