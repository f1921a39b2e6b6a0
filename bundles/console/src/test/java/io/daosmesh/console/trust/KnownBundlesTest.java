package io.daosmesh.console.trust;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnownBundlesTest {
    @TempDir
    private Path dir;

    private Path system;
    private Path digests;
    private KnownBundles known;

    @BeforeEach
    void setUp() throws IOException {
        system = Files.createDirectories(dir.resolve("system/io/daosmesh"));
        digests = dir.resolve("bundles.sha256");
        known = new KnownBundles(List.of(dir.resolve("system"), dir.resolve("absent")), digests);
    }

    @Test
    void shouldKnowWhatLiesInItsFolders() throws IOException {
        assertTrue(known.isKnown(Files.writeString(system.resolve("a.jar"), "a")));
    }

    @Test
    void shouldKnowTheSameBytesElsewhere() throws IOException {
        Files.writeString(system.resolve("a.jar"), "aaaa");

        assertTrue(known.isKnown(Files.writeString(dir.resolve("copy.jar"), "aaaa")));
        assertFalse(known.isKnown(Files.writeString(dir.resolve("other.jar"), "aaab")));
        assertFalse(known.isKnown(Files.writeString(dir.resolve("longer.jar"), "aaaaa")));
    }

    @Test
    void shouldNotBeMisledByALinkInTheFolder() throws IOException {
        Path evil = Files.writeString(dir.resolve("evil.jar"), "evil");
        Files.createSymbolicLink(system.resolve("evil.jar"), evil);

        assertFalse(known.isKnown(system.resolve("evil.jar")));
    }

    @Test
    void shouldKnowListedDigests() throws IOException {
        Path jar = Files.writeString(dir.resolve("new.jar"), "new");
        assertFalse(known.isKnown(jar));

        Files.writeString(
                digests, "# drivers of the vendor\n" + KnownBundles.sha256(jar).toUpperCase() + "  new.jar\n");

        assertTrue(known.isKnown(jar));
    }

    @Test
    void shouldNotKnowWhatIsNotThere() {
        assertFalse(known.isKnown(dir.resolve("absent.jar")));
    }

    @Test
    void shouldTakeTheNewestRevisionOfTheCache() throws IOException {
        for (String version : List.of("version0.0", "version0.9", "version0.10")) {
            Path folder = Files.createDirectories(dir.resolve("cache/bundle7/" + version));
            Files.writeString(folder.resolve("bundle.jar"), version);
        }
        BundleCache cache = new BundleCache(dir.resolve("cache"));

        assertEquals(Optional.of(dir.resolve("cache/bundle7/version0.10/bundle.jar")), cache.jar(7));
        assertEquals(Optional.empty(), cache.jar(8));
    }

    @Test
    void shouldFollowAReferenceOfTheCache() throws IOException {
        Path jar = Files.writeString(system.resolve("a b.jar"), "a");
        Path folder = Files.createDirectories(dir.resolve("cache/bundle1/version0.0"));
        Files.writeString(folder.resolve("revision.location"), "reference:" + jar.toUri());

        assertEquals(Optional.of(jar), new BundleCache(dir.resolve("cache")).jar(1));
    }
}
