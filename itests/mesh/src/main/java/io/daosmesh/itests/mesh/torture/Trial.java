package io.daosmesh.itests.mesh.torture;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.cli.mesh.MeshSettings;
import io.daosmesh.cli.mesh.net.Network;
import io.daosmesh.itests.mesh.Children;
import io.daosmesh.itests.mesh.LocalMesh;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What real nodes are put through: on the mesh of {@code --dir} if one is given, else on one of its own. However it ends, that one
 * is gone afterwards, or its folder alone is left where something was wrong; a mesh that was given runs as it did. Owner: the main
 * thread, and the one that a signal starts.
 */
public final class Trial {
    private static final int NODES = 4;
    private static final int NODES_MIN = 3;

    private final Path dir;
    /** Beside a folder of its own; null = the mesh was given. */
    private final @Nullable Path lock;

    private final Journal journal = new Journal();
    private volatile boolean isOver;

    private Trial(Path dir, @Nullable Path lock) {
        this.dir = dir;
        this.lock = lock;
    }

    /**
     * IllegalStateException for a mesh of fewer than {@value #NODES_MIN} nodes, and where another run has left something.
     *
     * @param folder of its own mesh, beside the usual one
     * @param trial true when nothing was wrong
     */
    public static boolean run(String folder, BiPredicate<LocalMesh, Journal> trial) {
        Path usual = Path.of(System.getProperty("mesh.dir", ".mesh")).toAbsolutePath();
        if (Boolean.getBoolean("mesh.dir.given")) return new Trial(usual, null).run(trial);
        Path own = usual.resolveSibling(folder);
        Path lock = usual.resolveSibling(folder + ".lock");
        try (FileChannel file = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                @Nullable FileLock held = file.tryLock()) {
            if (held == null) throw new IllegalStateException("another one is at work in " + own);
            refuseLeftovers(own);
            return new Trial(own, lock).run(trial);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A run that was killed could not take its nodes and mounts along. What is in the folder may be wanted. */
    private static void refuseLeftovers(Path own) {
        if (!Files.exists(own)) return;
        clear(LocalMesh.attach(own));
        throw new IllegalStateException(
                own + " holds what an earlier run has left: look at it, then ./mesh down --dir " + own + " --wipe");
    }

    private boolean run(BiPredicate<LocalMesh, Journal> trial) {
        Thread onSignal = new Thread(this::endOnSignal, "end");
        Runtime.getRuntime().addShutdownHook(onSignal);
        boolean isRight = false;
        try {
            LocalMesh mesh = lock != null ? LocalMesh.start(dir, options()) : LocalMesh.attach(dir);
            if (mesh.nodes().size() < NODES_MIN)
                throw new IllegalStateException("there is no mesh of " + NODES_MIN + " nodes in " + dir);
            if (lock == null) mend(mesh);
            isRight = trial.test(mesh, journal);
        } finally {
            // what other threads of it still do must not undo the end
            if (!isRight) Children.end();
            end(isRight);
            isOver = true;
        }
        return isRight;
    }

    /** Of a program that has come to its end by itself, nothing has to be ended. */
    private void endOnSignal() {
        if (isOver) return;
        Children.end();
        System.err.println("torture: ended by a signal");
        end(journal.violations() == 0);
    }

    private void end(boolean isRight) {
        LocalMesh mesh = LocalMesh.attach(dir);
        if (lock == null) {
            mend(mesh);
            return;
        }
        try {
            Files.deleteIfExists(lock);
        } catch (IOException e) {
            System.err.println("torture: " + e);
        }
        clear(mesh);
        boolean neverRan = mesh.nodes().isEmpty();
        if (isRight || neverRan) mesh.mesh("down", "--wipe");
        else
            System.err.println(
                    "torture: logs and data are in " + dir + "; ./mesh down --dir " + dir + " --wipe removes them");
    }

    /** Nodes, their networks and mounts; not the folder. */
    private static void clear(LocalMesh mesh) {
        mesh.mesh("down");
        PowerCuts.unmountAll(mesh.dir());
    }

    /** Whatever could not be ended: all nodes run, and hear each other. */
    public static void mend(LocalMesh mesh) {
        if (mesh.nodes().isEmpty()) return;
        if (MeshSettings.read(mesh.dir()).network().isPresent()) mesh.mesh("heal");
        for (MeshRecord.Entry n : mesh.nodes()) {
            boolean runs =
                    ProcessHandle.of(n.pid()).filter(ProcessHandle::isAlive).isPresent();
            mesh.mesh(runs ? "resume" : "start", Integer.toString(n.number()));
        }
    }

    private static String[] options() {
        List<String> options = new ArrayList<>(List.of("--nodes", Integer.toString(NODES)));
        Optional<String> missing = Network.missing();
        if (missing.isEmpty()) options.add("--namespaces");
        else System.err.println("torture: the network is not cut: " + missing.get());
        return options.toArray(String[]::new);
    }
}
