package io.daosmesh.console.trust;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the framework keeps the bytes of a bundle: Felix's cache, {@code bundleID/versionR.N/bundle.jar}, or the file that
 * {@code revision.location} refers to. Immutable.
 */
record BundleCache(Path folder) {
    private static final String REFERENCE = "reference:";

    /** The jar of the newest revision; empty when it is not where it should be. */
    Optional<Path> jar(long bundleId) {
        Path bundle = folder.resolve("bundle" + bundleId);
        try (Stream<Path> versions = Files.list(bundle)) {
            Optional<Path> newest = versions.filter(
                            p -> p.getFileName().toString().matches("version\\d{1,9}\\.\\d{1,9}"))
                    .max(Comparator.comparingInt((Path p) -> number(p, 0)).thenComparingInt(p -> number(p, 1)));
            return newest.isEmpty() ? Optional.empty() : content(newest.get());
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Optional<Path> content(Path version) throws IOException {
        Path jar = version.resolve("bundle.jar");
        if (Files.isRegularFile(jar)) return Optional.of(jar);
        String location = Files.readString(version.resolve("revision.location"), StandardCharsets.UTF_8);
        if (!location.startsWith(REFERENCE)) return Optional.empty();
        Path file = Path.of(URI.create(location.substring(REFERENCE.length())));
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }

    private static int number(Path version, int index) {
        return Integer.parseInt(
                version.getFileName().toString().substring("version".length()).split("\\.")[index]);
    }
}
