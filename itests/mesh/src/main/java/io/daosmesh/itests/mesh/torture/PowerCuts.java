package io.daosmesh.itests.mesh.torture;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.itests.mesh.Children;
import io.daosmesh.itests.mesh.LocalMesh;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * What nodes keep, on file systems of their own that are shut down under them: what was not synced is gone, as after a power
 * cut. Ext4 on loop devices; takes root, {@code mkfs.ext4} and {@code python3}, which asks the file system to go; {@link Trial} takes them away. Owner: one thread.
 */
final class PowerCuts {
    /** Files with holes: as large as they are written to. */
    private static final long IMAGE_BYTES = 20L << 30;

    private static final List<String> KEPT = List.of("scm", "nvme");
    private static final Path MOUNTS = Path.of("/proc/self/mounts");
    private static final int COMMAND_MAX_S = 120;
    /** EXT4_IOC_SHUTDOWN without a flush of the journal. */
    private static final String SHUT_DOWN = """
            import fcntl, os, struct, sys
            for folder in sys.argv[1:]:
                fcntl.ioctl(os.open(folder, os.O_RDONLY), 0x8004587D, struct.pack('I', 2))
            """;

    /** Stops the mesh, moves what its nodes keep, and starts it again. IllegalStateException with the reason where it cannot be done. */
    PowerCuts(LocalMesh mesh) {
        mesh.mesh("down").orFail();
        try {
            for (MeshRecord.Entry node : mesh.nodes())
                for (String kept : KEPT) move(node.dir().resolve(kept));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        mesh.mesh("up").orFail();
    }

    private static Path image(Path folder) {
        return folder.resolveSibling(folder.getFileName() + ".img");
    }

    private static void move(Path folder) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image(folder).toFile(), "rw")) {
            file.setLength(IMAGE_BYTES);
        }
        run("mkfs.ext4", "-q", "-F", image(folder).toString());
        Path aside = folder.resolveSibling(folder.getFileName() + ".aside");
        Files.move(folder, aside);
        Files.createDirectory(folder);
        mount(folder);
        run("cp", "-a", "--sparse=always", aside + "/.", folder.toString());
        run("sync", "-f", folder.toString());
        run("rm", "-r", aside.toString());
    }

    private static void mount(Path folder) {
        run("mount", "-o", "loop", image(folder).toString(), folder.toString());
    }

    private static void unmount(Path folder) {
        run("umount", folder.toString());
    }

    /** All at the same time, each while it runs; they are started again by somebody else. */
    void cut(List<MeshRecord.Entry> nodes) {
        List<Path> folders =
                nodes.stream().flatMap(n -> KEPT.stream().map(n.dir()::resolve)).toList();
        List<String> shutDown = new ArrayList<>(List.of("python3", "-c", SHUT_DOWN));
        folders.forEach(f -> shutDown.add(f.toString()));
        run(shutDown.toArray(String[]::new));
        Faults.end(nodes);
        folders.forEach(PowerCuts::unmount);
        folders.forEach(PowerCuts::mount);
    }

    private static void run(String... line) {
        try {
            Process p = Children.start(new ProcessBuilder(line).redirectErrorStream(true));
            p.getOutputStream().close();
            String said =
                    new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8).strip();
            if (!p.waitFor(COMMAND_MAX_S, TimeUnit.SECONDS)) {
                p.destroyForcibly();
                throw new IllegalStateException("no end of " + line[0]);
            }
            if (p.exitValue() != 0)
                throw new IllegalStateException(
                        "power cuts cannot be made here: " + line[0] + " ended with " + p.exitValue() + ": "
                                + said.lines().reduce((a, b) -> b).orElse(""));
        } catch (IOException e) {
            throw new IllegalStateException("power cuts cannot be made here: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** What is mounted below a folder; its nodes have ended. The kernel frees the loop devices by itself. */
    static void unmountAll(Path dir) {
        try {
            for (String line : Files.readAllLines(MOUNTS)) {
                Path at = Path.of(line.split(" ")[1].replace("\\040", " "));
                if (at.startsWith(dir) && !at.equals(dir)) unmount(at);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
