package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMember;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.daosmesh.itests.arch.Project.Module;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Only contracts export packages, and a change of a contract is a visible diff of the listings in itests/arch/api.
 * Record them anew with `mvn -pl itests/arch test -Dapi.record=true` and have the diff reviewed.
 */
class ContractTest {
    private static final Pattern EXPORTED = Pattern.compile("(?:^|,)(io\\.daosmesh[\\w.]*)");
    private static final Pattern FOREIGN =
            Pattern.compile("(?:^|,)((?!io\\.daosmesh)[a-z][\\w]*(?:\\.[\\w]+)+)(?=;|,|$)");

    @Test
    void shouldExportPackagesOnlyFromContracts() throws IOException {
        List<String> violations = new ArrayList<>();

        for (Module module : Project.modules()) {
            String exports = withoutQuotes(exportsOf(module));
            if (!exports.isEmpty() && !Rules.CONTRACTS.contains(module.name())) {
                violations.add(module.name() + " exports " + exports);
            }
            var foreign = FOREIGN.matcher(exports);
            while (foreign.find()) {
                violations.add(module.name() + " exports the foreign package " + foreign.group(1));
            }
        }

        assertEquals(List.of(), violations);
    }

    @Test
    void shouldMatchTheRecordedContracts() throws IOException {
        List<String> changed = new ArrayList<>();

        for (String name : new TreeSet<>(Rules.CONTRACTS)) {
            Module module = Project.modules().stream()
                    .filter(candidate -> candidate.name().equals(name))
                    .findFirst()
                    .orElseThrow();
            Path recorded = Project.root().resolve("itests/arch/api").resolve(name + ".txt");
            String actual = listing(module);
            if (Boolean.getBoolean("api.record")) {
                Files.createDirectories(recorded.getParent());
                Files.writeString(recorded, actual);
            } else if (!Files.exists(recorded) || !Files.readString(recorded).equals(actual)) {
                changed.add(name + ":\n" + difference(recorded, actual));
            }
        }

        assertTrue(
                changed.isEmpty(),
                "contracts changed; if on purpose, record with -Dapi.record=true and commit the diff\n"
                        + String.join("\n", changed));
    }

    private static String listing(Module module) throws IOException {
        Set<String> packages = new TreeSet<>();
        var exported = EXPORTED.matcher(withoutQuotes(exportsOf(module)));
        while (exported.find()) {
            packages.add(exported.group(1));
        }
        TreeSet<String> lines = new TreeSet<>();
        if (Files.isDirectory(module.ownClasses())) {
            JavaClasses classes = new ClassFileImporter().importPath(module.ownClasses());
            classes.stream()
                    .filter(type -> packages.contains(type.getPackageName()) && isVisible(type.getModifiers()))
                    .filter(type -> !type.isAnonymousClass())
                    .forEach(type -> describe(type, lines));
        }
        for (Path file : Project.files(module.folder().resolve("src/main/protobuf"), ".proto")) {
            describeProtobuf(file, lines);
        }
        return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
    }

    /** Of a generated message only the .proto matters: its Java is listed by its fields there. */
    private static void describe(JavaClass type, Set<String> lines) {
        if (isGenerated(type)) {
            return;
        }
        lines.add(type.getName());
        type.getMembers().stream()
                .filter(member ->
                        isVisible(member.getModifiers()) && !member.getName().equals("<clinit>"))
                .filter(member -> !member.getModifiers().contains(JavaModifier.SYNTHETIC))
                .map(ContractTest::describe)
                .forEach(lines::add);
    }

    private static String describe(JavaMember member) {
        String type = member.getDescriptor();
        return member.getFullName().replaceAll("\\(.*", "") + " " + type;
    }

    private static void describeProtobuf(Path file, Set<String> lines) {
        String message = "";
        for (String line : Project.read(file).lines().map(String::strip).toList()) {
            if (line.startsWith("message ") || line.startsWith("enum ")) {
                message = line.split("\\s+")[1];
            }
            String field = line.replaceAll("\\s*//.*", "");
            if (field.matches(".*=\\s*\\d+.*;.*") && !field.startsWith("syntax")) {
                lines.add("proto " + file.getFileName() + " " + message + " " + field);
            }
        }
    }

    private static boolean isGenerated(JavaClass type) {
        String outer = type.getName().replaceAll("\\$.*", "");
        return type.getPackageName().endsWith(".wire") || outer.endsWith("OuterClass");
    }

    private static boolean isVisible(Set<JavaModifier> modifiers) {
        return modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED);
    }

    private static String exportsOf(Module module) throws IOException {
        Path file = module.classes().resolve("META-INF/MANIFEST.MF");
        if (!Files.exists(file)) {
            return "";
        }
        try (InputStream in = Files.newInputStream(file)) {
            String exports = new Manifest(in).getMainAttributes().getValue(new Attributes.Name("Export-Package"));
            return exports == null ? "" : exports;
        }
    }

    private static String withoutQuotes(String header) {
        return header.replaceAll("\"[^\"]*\"", "").replace(" ", "");
    }

    private static String difference(Path recorded, String actual) throws IOException {
        Set<String> before = new TreeSet<>(Files.exists(recorded) ? Files.readAllLines(recorded) : List.of());
        Set<String> after = new TreeSet<>(actual.lines().toList());
        List<String> lines = new ArrayList<>();
        before.stream()
                .filter(line -> !after.contains(line))
                .map(line -> "- " + line)
                .forEach(lines::add);
        after.stream()
                .filter(line -> !before.contains(line))
                .map(line -> "+ " + line)
                .forEach(lines::add);
        return lines.stream().limit(40).collect(Collectors.joining("\n"));
    }
}
