package io.daosmesh.nvmespdk;

import io.daosmesh.spi.DeviceInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Emulated devices that were plugged in: ordinary files in the folder of a known one whose names differ from its name in the
 * number at the end only. Stateless.
 */
final class Neighbours {
    private static final Logger log = LoggerFactory.getLogger(Neighbours.class);
    static final int MAX = 128;
    private static final String NUMBER = "[0-9]+$";

    private Neighbours() {}

    /** @param known absolute paths */
    static List<DeviceInfo> of(List<Path> known) {
        Set<Path> stems = new TreeSet<>();
        for (Path file : known) {
            String stem = name(file).replaceFirst(NUMBER, "");
            if (!stem.equals(name(file))) stems.add(file.resolveSibling(stem + "0"));
        }
        List<DeviceInfo> found = new ArrayList<>();
        for (Path stem : stems) {
            for (Path file : numbered(stem)) if (!known.contains(file)) add(found, file);
        }
        return List.copyOf(found.subList(0, Math.min(MAX, found.size())));
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private static List<Path> numbered(Path first) {
        Path folder = first.getParent();
        String stem = name(first).replaceFirst(NUMBER, "");
        if (folder == null || !Files.isDirectory(folder)) return List.of();
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> name(f).startsWith(stem))
                    .filter(f -> name(f).substring(stem.length()).matches("[0-9]{1,9}"))
                    .filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS))
                    .sorted(Comparator.comparing((Path f) -> name(f).length()).thenComparing(Neighbours::name))
                    .limit(2L * MAX)
                    .toList();
        } catch (IOException e) {
            log.warn("cannot look for devices in {}: {}", folder, e.getMessage());
            return List.of();
        }
    }

    private static void add(List<DeviceInfo> found, Path file) {
        try {
            long bytes = Files.size(file);
            if (bytes >= FileBlockDevice.BLOCK_BYTES) found.add(FileBlockDevice.info(file, bytes));
        } catch (IOException e) {
            log.debug("{} has gone between two looks", file);
        }
    }
}
