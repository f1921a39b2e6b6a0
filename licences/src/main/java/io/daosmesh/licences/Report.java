package io.daosmesh.licences;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/** Components with their licences, what is wrong with them, and the texts that go with them. One thread. */
final class Report {
    /** What a jar carries about its licence. */
    private static final Pattern TEXT = Pattern.compile(
            "(?:META-INF/)?(?:LICEN[SC]E|NOTICE|COPYRIGHT|about)[^/]{0,40}(?<!\\.class)|META-INF/license/[^/]+|about_files/[^/]+",
            Pattern.CASE_INSENSITIVE);

    private static final int TEXT_BYTES_MAX = 1 << 20;

    private final Tables tables;
    private final Poms poms;
    private final TreeMap<Component, String> licences = new TreeMap<>();
    private final TreeMap<String, Path> jars = new TreeMap<>();
    private final List<String> complaints = new ArrayList<>();

    Report(Tables tables, Poms poms) {
        this.tables = tables;
        this.poms = poms;
    }

    void add(Component component, Path jar) throws IOException {
        if (Files.isRegularFile(jar)) jars.putIfAbsent(component.artifact() + "-" + component.version(), jar);
        licences.put(component, licence(component, jar));
        if (tables.isFaulty(component)) {
            complaints.add(component.key() + " " + component.version() + " has known faults: raise it (least.txt)");
        }
    }

    /** Already decided by an earlier report. */
    void add(Component component, String licence) {
        licences.put(component, licence);
    }

    private String licence(Component component, Path jar) throws IOException {
        String known = tables.known().get(component.key());
        if (known != null) return allowed(component, List.of(known), known);
        List<String> said = poms.said(component, jar);
        List<String> identifiers =
                said.stream().map(tables::identifier).flatMap(Optional::stream).toList();
        return allowed(component, identifiers, said.toString());
    }

    private String allowed(Component component, List<String> offered, String said) {
        Optional<String> taken =
                tables.allowed().stream().filter(offered::contains).findFirst();
        if (taken.isEmpty()) {
            complaints.add(component.key() + " " + component.version() + " (" + component.where()
                    + ") has no licence that is allowed; it says " + said + " (names.txt, known.txt, allowed.txt)");
        }
        return taken.orElse("unknown");
    }

    void complain(String text) {
        complaints.add(text);
    }

    List<String> complaints() {
        return List.copyOf(complaints);
    }

    int count() {
        return licences.size();
    }

    /** One line a component, tabs between. */
    String table() {
        StringBuilder text = new StringBuilder(
                "# Software of others delivered with Daos Mesh: component, version, licence, where. Texts: folder licenses.\n");
        licences.forEach((c, licence) -> text.append(c.key())
                .append('\t')
                .append(c.version())
                .append('\t')
                .append(licence)
                .append('\t')
                .append(c.where())
                .append('\n'));
        return text.toString();
    }

    /** The licences' own texts, and what the jars say about theirs in folders of their names. */
    void writeTexts(Path folder) throws IOException {
        Files.createDirectories(folder);
        for (String id : new TreeSet<>(licences.values())) {
            if (!id.equals("unknown"))
                Files.writeString(folder.resolve(id + ".txt"), Tables.text("texts/" + id + ".txt"));
        }
        for (var jar : jars.entrySet()) copyTexts(jar.getValue(), folder.resolve(jar.getKey()));
    }

    private static void copyTexts(Path jar, Path folder) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (entry.isDirectory() || !TEXT.matcher(entry.getName()).matches()) continue;
                Files.createDirectories(folder);
                String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
                try (InputStream in = file.getInputStream(entry)) {
                    Files.write(folder.resolve(name), in.readNBytes(TEXT_BYTES_MAX));
                }
            }
        }
    }
}
