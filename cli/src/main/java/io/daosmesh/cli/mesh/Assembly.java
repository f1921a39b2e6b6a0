package io.daosmesh.cli.mesh;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * What the nodes of a mesh run from: a copy of the build, so that a build under way never pulls files from under them, and of it
 * each node's own folder for Karaf. Owner: the main thread.
 */
final class Assembly {
    private static final List<String> PARTS = List.of("bin/setenv", "bin/daos_server", "etc", "lib", "system");

    /** Of the tools: nodes do not load it. */
    private static final String TOOLS = "lib/daos-mesh";

    /** Users of a console, one of each role. */
    private static final Map<String, String> USERS = new TreeMap<>(Map.of(
            "mesh", "admin,manager,viewer,systembundles",
            "manager", "manager,viewer",
            "viewer", "viewer"));

    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path built;
    private final Path home;

    Assembly(Path built, Path mesh) {
        this.built = built;
        this.home = home(mesh);
    }

    static Path home(Path mesh) {
        return mesh.resolve("home");
    }

    private Path stamp() {
        return home.resolve("stamp");
    }

    /** Takes a new build over, unless nodes run on the old one; false then. */
    boolean copy(boolean isInUse) throws IOException {
        List<Path> files = files();
        String stamp = stamp(files);
        if (stamp.equals(Texts.read(stamp()))) return true;
        if (isInUse) return false;
        delete(home);
        for (Path file : files) {
            Path copy = home.resolve(built.relativize(file).toString());
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy);
        }
        Texts.replace(stamp(), stamp + "\n");
        return true;
    }

    private List<Path> files() throws IOException {
        Path tools = built.resolve(TOOLS);
        List<Path> files = new java.util.ArrayList<>();
        for (String part : PARTS) {
            try (Stream<Path> all = Files.walk(built.resolve(part))) {
                all.filter(p -> !p.startsWith(tools) && Files.isRegularFile(p))
                        .sorted()
                        .forEach(files::add);
            }
        }
        return files;
    }

    private String stamp(List<Path> files) throws IOException {
        CRC32 all = new CRC32();
        for (Path file : files) {
            all.update(built.relativize(file).toString().getBytes(StandardCharsets.UTF_8));
            all.update(Files.readAllBytes(file));
        }
        return Long.toHexString(all.getValue()) + " " + files.size();
    }

    /**
     * A new build starts with an empty bundle cache, and so does a node whose first start was cut short (Karaf does not recover
     * from half a cache); else the cache, and what was updated in it, stays.
     */
    void prepare(Node node) throws IOException {
        Path base = node.dir().resolve("karaf");
        boolean isCurrent = Texts.read(base.resolve("stamp")).equals(Texts.read(stamp()));
        if (isCurrent && Files.exists(complete(node))) return;
        delete(base);
        Path etc = base.resolve("etc");
        copyTree(home.resolve("etc"), etc);
        Files.writeString(etc.resolve("users.properties"), users(node));
        Files.copy(stamp(), base.resolve("stamp"));
    }

    /** There when the node's first start with this build has come to its end. */
    static Path complete(Node node) {
        return node.dir().resolve("karaf/complete");
    }

    /**
     * The node itself keeps digests; the random passwords stand where the console's client finds them: a folder each, because it
     * logs in as the first user of the file it is given.
     */
    private String users(Node node) throws IOException {
        StringBuilder digests = new StringBuilder();
        for (Map.Entry<String, String> user : USERS.entrySet()) {
            Path folder = console(node, user.getKey());
            Files.createDirectories(folder);
            Path shell = folder.resolve("org.apache.karaf.shell.cfg");
            Files.deleteIfExists(shell);
            Files.copy(home.resolve("etc/org.apache.karaf.shell.cfg"), shell);
            Path own = folder.resolve("users.properties");
            if (Texts.read(own).isEmpty()) Files.writeString(own, user.getKey() + " = " + password() + "\n");
            String password = Texts.read(own).replaceFirst(".* = ", "");
            digests.append(String.format(
                    Locale.ROOT, "%s = {CRYPT}%s{CRYPT},%s,ssh%n", user.getKey(), digest(password), user.getValue()));
        }
        return digests.toString();
    }

    static boolean isUser(String name) {
        return USERS.containsKey(name);
    }

    static Path console(Node node, String user) {
        return node.dir().resolve("etc/console").resolve(user);
    }

    private static String password() {
        byte[] bytes = new byte[16];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static String digest(String password) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            return HexFormat.of().formatHex(sha.digest(password.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path file : all.toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(copy);
                else Files.copy(file, copy);
            }
        }
    }

    /** Links in it are not followed. */
    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) return;
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(file);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
