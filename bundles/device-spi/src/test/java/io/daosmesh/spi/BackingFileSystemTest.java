package io.daosmesh.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackingFileSystemTest {
    /** Run with a folder, the Java to use in it and the classes: shows it from a root that is a plain folder. */
    private static final String IN_A_ROOT_THAT_IS_NO_MOUNT_POINT = """
            set -e
            mount --make-rprivate /
            cd "$1"
            for d in usr lib lib64 bin etc proc dev opt; do
              [ -e "/$d" ] || continue
              mkdir -p "$d"; mount --rbind "/$d" "$d"
            done
            mkdir -p data classes "./${2%/bin/java}"; mount --bind "${2%/bin/java}" "./${2%/bin/java}"; mount --bind "$3" classes
            exec chroot . "$2" -cp /classes io.daosmesh.spi.BackingFileSystemTest\\$Main /data
            """;

    /** What the JDK says, and what we say. */
    static final class Main {
        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[0]);
            try {
                System.out.print(Files.getFileStore(folder).type());
            } catch (IOException e) {
                System.out.print(e.getMessage());
            }
            BackingFileSystem found = BackingFileSystem.of(folder);
            boolean hasRoom = found.usableBytes() > 0 && found.totalBytes() >= found.usableBytes();
            System.out.println("|" + found.type() + "|" + hasRoom + "|" + found.blockBytes());
        }
    }

    @TempDir
    Path dir;

    @Test
    void shouldSayWhatTheJdkSaysWhereItCan() throws IOException {
        BackingFileSystem found = BackingFileSystem.of(dir);

        assertEquals(Files.getFileStore(dir).type(), found.type());
        assertEquals(Files.getFileStore(dir).getTotalSpace(), found.totalBytes());
        assertEquals(Files.getFileStore(dir).getBlockSize(), found.blockBytes());
        assertTrue(found.usableBytes() > 0);
    }

    @Test
    void shouldAskByPathWhereTheMountIsNotToBeSeen() throws IOException {
        BackingFileSystem found = BackingFileSystem.of(dir, path -> {
            throw new IOException("Mount point not found");
        });

        assertEquals(BackingFileSystem.UNKNOWN, found.type());
        assertEquals(Files.getFileStore(dir).getTotalSpace(), found.totalBytes());
        assertTrue(found.usableBytes() > 0 && found.usableBytes() <= found.totalBytes());
        assertEquals(0, found.blockBytes());
    }

    @Test
    void shouldFailForAFolderThatIsNotThere() {
        assertThrows(IOException.class, () -> BackingFileSystem.of(dir.resolve("absent")));
    }

    @Test
    void shouldFailWhenTheFolderVanishesLater() throws IOException {
        Path folder = Files.createDirectory(dir.resolve("folder"));
        BackingFileSystem found = BackingFileSystem.of(folder, path -> {
            throw new IOException("Mount point not found");
        });

        Files.delete(folder);

        assertThrows(IOException.class, found::usableBytes);
    }

    @Test
    void shouldFindRoomInARootThatIsNoMountPoint() throws IOException, InterruptedException, URISyntaxException {
        assumeTrue(mayUnshare(), "needs root and mount namespaces");
        Path classes = Files.createDirectory(dir.resolve("classes"));
        for (Class<?> each : new Class<?>[] {BackingFileSystem.class, BackingFileSystem.Lookup.class, Main.class}) {
            Path target = classes.resolve(each.getName().replace('.', '/') + ".class");
            Files.createDirectories(target.getParent());
            try (var in = each.getResourceAsStream(
                    each.getName().substring(each.getPackageName().length() + 1) + ".class")) {
                Files.copy(in, target);
            }
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java")
                .toRealPath()
                .toString();
        Path root = Files.createDirectory(dir.resolve("root"));

        String said =
                run("unshare", "-m", "sh", "-c", IN_A_ROOT_THAT_IS_NO_MOUNT_POINT, "sh", root + "", java, classes + "");

        assertEquals("Mount point not found|unknown|true|0", said.strip());
    }

    private static boolean mayUnshare() throws InterruptedException {
        try {
            return "yes"
                    .equals(run("unshare", "-m", "sh", "-c", "mount --make-rprivate / && echo yes")
                            .strip());
        } catch (IOException e) {
            return false;
        }
    }

    private static String run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) process.destroyForcibly();
        return said;
    }
}
