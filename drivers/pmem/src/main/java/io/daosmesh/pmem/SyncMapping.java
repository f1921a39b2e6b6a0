package io.daosmesh.pmem;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** JEP 352: mappings whose stores are made durable by cache-line flushes. Works on real DAX mounts only. Any thread. */
final class SyncMapping {
    private SyncMapping() {}

    /** Null on a JDK without it. Reflection, because no bundle can import jdk.nio.mapmode on Karaf. */
    static @Nullable MapMode mode() {
        try {
            Class<?> type =
                    Class.forName("jdk.nio.mapmode.ExtendedMapMode", true, ClassLoader.getPlatformClassLoader());
            return (MapMode) type.getField("READ_WRITE_SYNC").get(null);
        } catch (ReflectiveOperationException e) {
            return null;
        }
    }

    /** Tried once per mount: asking the file system is the only way to know. */
    static boolean isPossible(Path folder) throws IOException {
        MapMode sync = mode();
        if (sync == null) return false;
        Path probe = Files.createTempFile(folder, ".probe", null);
        try (FileChannel channel = FileChannel.open(probe, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            channel.map(sync, 0, 4096);
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        } finally {
            Files.deleteIfExists(probe);
        }
    }
}
