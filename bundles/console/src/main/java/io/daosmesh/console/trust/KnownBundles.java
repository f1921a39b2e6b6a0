package io.daosmesh.console.trust;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which bundles a node may run: those that lie, byte for byte, in one of its folders, or whose SHA-256 is in its list. What a
 * bundle came from says nothing: its bytes do. Immutable; the folders and the list are read anew each time.
 */
final class KnownBundles {
    private static final Logger log = LoggerFactory.getLogger(KnownBundles.class);
    /** Of a list of digests: 10,000 lines. */
    private static final long LIST_BYTES_MAX = 1 << 20;

    private static final int BLOCK_BYTES = 64 << 10;
    private static final int FOLDER_DEPTH_MAX = 16;

    private final List<Path> folders;
    private final Path digests;

    KnownBundles(List<Path> folders, Path digests) {
        this.folders = folders;
        this.digests = digests;
    }

    boolean isKnown(Path jar) {
        try {
            Path real = jar.toRealPath();
            for (Path folder : folders) {
                if (Files.isDirectory(folder) && real.startsWith(folder.toRealPath())) return true;
            }
            String digest = sha256(real);
            return isListed(digest) || isInFolders(Files.size(real), digest);
        } catch (IOException e) {
            log.warn("{} cannot be compared with what this node knows: {}", jar, e.toString());
            return false;
        }
    }

    private boolean isListed(String digest) throws IOException {
        if (!Files.isRegularFile(digests)) return false;
        if (Files.size(digests) > LIST_BYTES_MAX) throw new IOException(digests + " is too long");
        return Files.readAllLines(digests, StandardCharsets.UTF_8).stream()
                .anyMatch(line ->
                        line.strip().toLowerCase(Locale.ROOT).split("\\s+")[0].equals(digest));
    }

    private boolean isInFolders(long sizeBytes, String digest) throws IOException {
        for (Path folder : folders) {
            if (!Files.isDirectory(folder)) continue;
            try (Stream<Path> files =
                    Files.find(folder, FOLDER_DEPTH_MAX, (p, a) -> a.isRegularFile() && a.size() == sizeBytes)) {
                for (Path file : (Iterable<Path>) files::iterator)
                    if (sha256(file).equals(digest)) return true;
            }
        }
        return false;
    }

    static String sha256(Path file) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
                byte[] block = new byte[BLOCK_BYTES];
                while (in.read(block) >= 0) continue;
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
