package io.daosmesh.cli.mesh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An emulated device of a node. What it is told to do wrong is in a small file beside it, at which the driver of the class
 * {@code file} looks some times a second. Immutable.
 */
record Device(Node node, Path file) {
    static final String WORDS = "hang, slow MS, fail, tear, flip [reads|writes], fill, clear, pull or plug";
    static final String CLEAR = "clear";
    private static final String PULL = "pull";
    private static final String PLUG = "plug";
    private static final String SUFFIX = ".trouble";
    /** Of the file of a device that was pulled out. */
    private static final String PULLED = ".pulled";

    private static final int SLOW_MS_MAX = 600_000;
    private static final Pattern KNOWN =
            Pattern.compile("hang|fail|tear|fill|" + CLEAR + "|flip( reads| writes)?|slow [1-9][0-9]{0,5}");

    /** @param name of its file, with or without the folder, as dmg shows it */
    static Device of(Node node, String name) throws IOException {
        Path folder = node.dir().resolve("nvme");
        List<String> names = names(folder);
        Path file = folder.resolve(name).normalize();
        if (folder.equals(file.getParent()) && names.contains(file.getFileName().toString()))
            return new Device(node, file);
        throw MeshException.failed(
                "node %d has no device %s: %s",
                node.number(), name, names.isEmpty() ? "it has none yet" : "it has " + String.join(", ", names));
    }

    private static List<String> names(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) return List.of();
        try (var files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString())
                    .filter(n -> n.matches("ssd[0-9]+(" + PULLED + ")?"))
                    .map(n -> n.replace(PULLED, ""))
                    .distinct()
                    .sorted()
                    .collect(Collectors.toList());
        }
    }

    private Path trouble() {
        return file.resolveSibling(file.getFileName() + SUFFIX);
    }

    private Path pulled() {
        return file.resolveSibling(file.getFileName() + PULLED);
    }

    /** What it does wrong now; empty for nothing. */
    String told() throws IOException {
        return Files.exists(file) ? Texts.read(trouble()) : PULL;
    }

    /** Its file has another name for as long as it is out. */
    private void move(boolean isPlugged) throws IOException {
        if (Files.exists(file) == isPlugged)
            throw MeshException.failed("%s is %s already", file.getFileName(), isPlugged ? "plugged" : "pulled");
        Path from = isPlugged ? pulled() : file;
        Files.move(from, isPlugged ? file : pulled(), StandardCopyOption.ATOMIC_MOVE);
    }

    /** @param words one of {@link #WORDS} */
    void tell(List<String> words) throws IOException {
        String text = String.join(" ", words);
        if (text.equals(PULL) || text.equals(PLUG)) {
            move(text.equals(PLUG));
            return;
        }
        boolean isKnown = KNOWN.matcher(text).matches()
                && (!text.startsWith("slow") || Integer.parseInt(words.get(1)) <= SLOW_MS_MAX);
        if (!isKnown)
            throw MeshException.usage("'%s' is nothing a device does: %s; MS to %d", text, WORDS, SLOW_MS_MAX);
        if (text.equals(CLEAR)) {
            Files.deleteIfExists(trouble());
            return;
        }
        if (!node.runs()) throw MeshException.failed("node %d is not running", node.number());
        Texts.replace(trouble(), text + "\n");
    }
}
