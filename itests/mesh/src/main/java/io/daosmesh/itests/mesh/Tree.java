package io.daosmesh.itests.mesh;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The files below a folder with their SHA-256 and modification times (in seconds), and where symbolic links point to. Immutable.
 *
 * @param digests by path relative to the folder
 */
record Tree(Map<String, String> digests, long bytes) {

    static Tree of(Path root) throws IOException {
        Map<String, String> digests = new TreeMap<>();
        long bytes = 0;
        try (var paths = Files.walk(root)) {
            for (Path p : paths.toList()) {
                if (Files.isSymbolicLink(p))
                    digests.put(root.relativize(p).toString(), "-> " + Files.readSymbolicLink(p));
                if (!Files.isRegularFile(p, LinkOption.NOFOLLOW_LINKS) || !Files.isReadable(p)) continue;
                bytes += Files.size(p);
                digests.put(
                        root.relativize(p).toString(),
                        sha256(p) + " " + Files.getLastModifiedTime(p).toMillis() / 1000);
            }
        }
        return new Tree(digests, bytes);
    }

    /** Paths that are missing there, or other there. */
    List<String> differences(Tree other) {
        List<String> differences = new ArrayList<>();
        digests.forEach((path, digest) -> {
            if (!digest.equals(other.digests.get(path))) differences.add(path);
        });
        return differences;
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest d = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 16];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) d.update(buffer, 0, n);
            return HexFormat.of().formatHex(d.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
