package io.daosmesh.licences;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A step of the build: {@code --repository DIR --out DIR [--where TEXT --classpath JARS] [--assembly DIR --lists FILES]
 * [--unpacked PREFIX=GROUP:ARTIFACT:VERSION]... [--nested GROUP]...}. Writes {@code THIRD-PARTY.txt} and the folder {@code licenses} into the out
 * folder and ends with status 1 when something may not be delivered.
 */
public final class Licences {
    private static final String OURS = "io/daosmesh/";
    private static final Pattern NESTED = Pattern.compile("(?:.*/)?([^/]+?)-([0-9][^/]*)\\.jar");

    private final Path repository;
    private final Report report;
    private final List<String> unpacked = new ArrayList<>();
    private final List<String> nested = new ArrayList<>();

    private Licences(Path repository) {
        this.repository = repository;
        report = new Report(Tables.read(), new Poms(repository));
    }

    public static void main(String[] args) throws IOException {
        List<String> problems = run(List.of(args));
        problems.forEach(p -> System.err.println("ERROR: licences: " + p));
        if (!problems.isEmpty()) System.exit(1);
    }

    /** What is wrong, a line each. */
    static List<String> run(List<String> args) throws IOException {
        Licences run = new Licences(Path.of(value(args, "--repository").orElseThrow()));
        for (int i = 0; i + 1 < args.size(); i++) {
            if (args.get(i).equals("--unpacked")) run.unpacked.add(args.get(i + 1));
            if (args.get(i).equals("--nested")) run.nested.add(args.get(i + 1));
        }
        String where = value(args, "--where").orElse("");
        for (String jar : value(args, "--classpath").orElse("").split(":")) {
            if (!jar.isEmpty()) run.addFromRepository(Path.of(jar), where);
        }
        Optional<String> assembly = value(args, "--assembly");
        if (assembly.isPresent()) run.addAssembly(Path.of(assembly.get()));
        for (String list : value(args, "--lists").orElse("").split(":")) {
            if (!list.isEmpty()) run.addList(Path.of(list));
        }
        Path out = Path.of(value(args, "--out").orElseThrow());
        Files.createDirectories(out);
        Files.writeString(out.resolve("THIRD-PARTY.txt"), run.report.table());
        run.report.writeTexts(out.resolve("licenses"));
        System.out.println("licences: " + run.report.count() + " components of others, "
                + run.report.complaints().size() + " refused; see " + out.resolve("THIRD-PARTY.txt"));
        return run.report.complaints();
    }

    private static Optional<String> value(List<String> args, String option) {
        int at = args.indexOf(option);
        return at < 0 || at + 1 == args.size() ? Optional.empty() : Optional.of(args.get(at + 1));
    }

    /** Modules of this build lie elsewhere and are not of others. */
    private void addFromRepository(Path jar, String where) throws IOException {
        Optional<Component> component = Component.of(repository, jar, where);
        if (component.isPresent()) report.add(component.get(), jar);
    }

    private void addList(Path file) throws IOException {
        for (String line : Files.readAllLines(file)) {
            String[] parts = line.split("\t");
            if (line.startsWith("#") || parts.length != 4) continue;
            report.add(Component.of(parts[0] + ":" + parts[1], parts[3]), parts[2]);
        }
    }

    private void addAssembly(Path assembly) throws IOException {
        Path system = assembly.resolve("system");
        List<Path> jars;
        try (Stream<Path> files = Files.walk(assembly)) {
            jars = files.filter(f -> f.toString().endsWith(".jar")).sorted().toList();
        }
        for (Path jar : jars) {
            String where = assembly.relativize(jar).toString();
            // the jars of the tools are made of the lists
            if (where.startsWith("lib/daos-mesh/")) continue;
            if (where.startsWith("system/" + OURS)) addOurs(jar);
            else report.add(component(system, jar, where), jar);
        }
    }

    private Component component(Path system, Path jar, String where) throws IOException {
        Optional<Component> byPath = Component.of(system, jar, where);
        return byPath.isPresent() ? byPath.get() : byProperties(jar, where);
    }

    /** A jar that lies outside the layout names itself in the properties that Maven puts into it. */
    private Component byProperties(Path jar, String where) throws IOException {
        String name = String.valueOf(jar.getFileName());
        try (JarFile file = new JarFile(jar.toFile())) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                JarEntry entry = entries.nextElement();
                if (!entry.getName().matches("META-INF/maven/[^/]+/[^/]+/pom.properties")) continue;
                java.util.Properties properties = new java.util.Properties();
                try (InputStream in = file.getInputStream(entry)) {
                    properties.load(in);
                }
                String artifact = properties.getProperty("artifactId", "");
                String version = properties.getProperty("version", "");
                if (!name.startsWith(artifact + "-" + version)) continue;
                return new Component(properties.getProperty("groupId", ""), artifact, version, where);
            }
        }
        report.complain(where + " does not say what it is");
        return new Component("unknown", name, "", where);
    }

    /** One of our bundles: the jars inside it, and the classes of others that it holds unpacked. */
    private void addOurs(Path bundle) throws IOException {
        String where = "inside " + bundle.getFileName();
        TreeSet<String> foreign = new TreeSet<>();
        try (JarFile file = new JarFile(bundle.toFile())) {
            for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
                String name = entries.nextElement().getName();
                if (name.endsWith(".jar")) addNested(name, where);
                else if (name.endsWith(".class") && !name.startsWith(OURS)) foreign.add(name);
            }
        }
        for (String rule : unpacked) {
            String prefix = rule.substring(0, rule.indexOf('='));
            if (!foreign.removeIf(name -> name.startsWith(prefix))) continue;
            Component component = Component.of(rule.substring(rule.indexOf('=') + 1), where);
            report.add(component, stored(component));
        }
        if (!foreign.isEmpty())
            report.complain(bundle.getFileName() + " holds " + foreign.first() + " of nobody knows whom");
    }

    /** ARTIFACT-VERSION.jar of one of the groups that are nested on purpose. */
    private void addNested(String name, String where) throws IOException {
        Matcher m = NESTED.matcher(name);
        for (String group : m.matches() ? nested : List.<String>of()) {
            Component component = new Component(group, m.group(1), m.group(2), where);
            if (!Files.isRegularFile(stored(component))) continue;
            report.add(component, stored(component));
            return;
        }
        report.complain(name + " " + where + " is of nobody knows whom (--nested)");
    }

    private Path stored(Component c) {
        return repository
                .resolve(c.group().replace('.', '/'))
                .resolve(c.artifact())
                .resolve(c.version())
                .resolve(c.artifact() + "-" + c.version() + ".jar");
    }
}
