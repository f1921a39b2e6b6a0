package io.daosmesh.cli.mesh;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * An emulated device of a node. What it is told to do wrong, and how worn and hot it is, is in small files beside it, at which
 * the driver of the class {@code file} looks some times a second. Immutable.
 */
record Device(Node node, Path file) {
    static final String WORDS =
            "hang, slow MS, fail, tear, flip [reads|writes], fill, wear PERCENT, heat KELVIN, clear, pull, plug or plug new";
    static final String CLEAR = "clear";
    private static final String PULL = "pull";
    private static final String PLUG = "plug";
    private static final String NEW = "new";
    private static final String SUFFIX = ".trouble";
    private static final String SMART = ".smart";
    /** Of the file of a device that was pulled out, and of one that another has the place of. */
    private static final String PULLED = ".pulled";

    private static final String REPLACED = ".replaced";
    /** What the driver keeps beside the file. */
    private static final String HEALTH = ".health";

    private static final int SLOW_MS_MAX = 600_000;
    private static final Pattern KNOWN =
            Pattern.compile("hang|fail|tear|fill|" + CLEAR + "|flip( reads| writes)?|slow [1-9][0-9]{0,5}");
    /** Up to 255 percent; 200 to 500 kelvin. */
    private static final Pattern BEING =
            Pattern.compile("wear ([0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]|25[0-5])|heat ([2-4][0-9]{2}|500)");

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

    static boolean isPlug(List<String> words) {
        return words.equals(List.of(PLUG)) || words.equals(List.of(PLUG, NEW));
    }

    /**
     * One that is plugged in: the one that was pulled out, or a new one as large as the others of the node.
     *
     * @param name ssd and a number
     * @param isNew not the one that was pulled out of this place
     */
    static Device plugged(Node node, String name, boolean isNew) throws IOException {
        Path folder = node.dir().resolve("nvme");
        List<String> names = names(folder);
        Device added = new Device(node, folder.resolve(name).normalize());
        String file = String.valueOf(added.file.getFileName());
        boolean isPlace = folder.equals(added.file.getParent()) && file.matches("ssd[0-9]{1,3}");
        if (!isPlace || names.isEmpty()) return of(node, name);
        if (names.contains(file) && !isNew) {
            added.move(true);
            return added;
        }
        if (Files.exists(added.file)) throw MeshException.failed("%s is plugged already: pull it first", file);
        Path other = new Device(node, folder.resolve(names.get(0))).present();
        Path made = folder.resolve(file + ".made");
        try (RandomAccessFile bytes = new RandomAccessFile(made.toFile(), "rw")) {
            bytes.setLength(Files.size(other));
        }
        for (String ofTheOld : List.of(SUFFIX, SMART, HEALTH))
            Files.deleteIfExists(added.file.resolveSibling(file + ofTheOld));
        Files.move(made, added.file, StandardCopyOption.ATOMIC_MOVE);
        Path old = added.pulled();
        if (Files.exists(old)) Files.move(old, folder.resolve(file + REPLACED), StandardCopyOption.REPLACE_EXISTING);
        return added;
    }

    private Path present() {
        return Files.exists(file) ? file : pulled();
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
        if (!Files.exists(file)) return PULL;
        List<String> all = new ArrayList<>(being());
        String trouble = Texts.read(trouble());
        if (!trouble.isEmpty()) all.add(0, trouble);
        return String.join(", ", all);
    }

    private List<String> being() throws IOException {
        return Texts.read(smart()).lines().filter(l -> !l.isBlank()).toList();
    }

    private Path smart() {
        return file.resolveSibling(file.getFileName() + SMART);
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
        if (text.equals(PULL)) {
            move(false);
            return;
        }
        boolean isBeing = BEING.matcher(text).matches();
        boolean isKnown = KNOWN.matcher(text).matches()
                && (!text.startsWith("slow") || Integer.parseInt(words.get(1)) <= SLOW_MS_MAX);
        if (!isKnown && !isBeing)
            throw MeshException.usage("'%s' is nothing a device does: %s; MS to %d", text, WORDS, SLOW_MS_MAX);
        if (text.equals(CLEAR)) {
            Files.deleteIfExists(trouble());
            Files.deleteIfExists(smart());
            return;
        }
        if (isBeing) {
            List<String> lines = new ArrayList<>(being());
            lines.removeIf(l -> l.startsWith(words.get(0)));
            lines.add(text);
            Texts.replace(smart(), String.join("\n", lines) + "\n");
            return;
        }
        if (!node.runs()) throw MeshException.failed("node %d is not running", node.number());
        Texts.replace(trouble(), text + "\n");
    }
}
