package io.daosmesh.itests.arch;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Where the modules of this checkout lie and which of them may import which. Immutable. */
final class Project {
    private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");

    private Project() {}

    /** The checkout: the nearest folder upwards that holds the `mesh` script. */
    static Path root() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.isRegularFile(folder.resolve("mesh")) && Files.isRegularFile(folder.resolve("pom.xml"))) {
                return folder;
            }
        }
        throw new IllegalStateException("no checkout above " + Path.of("").toAbsolutePath());
    }

    /** Every module that ships: what the root pom lists, without packaging and integration tests. */
    static List<Module> modules() {
        List<Module> modules = new ArrayList<>();
        var names = MODULE.matcher(read(root().resolve("pom.xml")));
        while (names.find()) {
            String path = names.group(1);
            if (path.startsWith("bundles/") || path.startsWith("drivers/") || path.equals("cli")) {
                modules.add(new Module(path.substring(path.indexOf('/') + 1), root().resolve(path)));
            }
        }
        return List.copyOf(modules);
    }

    static List<Path> sources(Path folder) {
        return files(folder, ".java");
    }

    static List<Path> files(Path folder, String suffix) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .filter(Files::isRegularFile)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One module by the name of its folder. Immutable. */
    record Module(String name, Path folder) {
        Path classes() {
            return folder.resolve("target/classes");
        }

        /** Our own classes only: some bundles unpack a foreign library beside them. */
        Path ownClasses() {
            return classes().resolve("io/daosmesh");
        }

        Path mainSources() {
            return folder.resolve("src/main/java");
        }
    }
}
