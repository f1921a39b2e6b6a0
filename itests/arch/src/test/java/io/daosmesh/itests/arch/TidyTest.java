package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.daosmesh.itests.arch.Project.Module;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What no tool knows: sizes, words, units and naps. */
class TidyTest {
    @Test
    void shouldBeTidy() {
        List<String> violations = new ArrayList<>();

        for (Module module : Project.modules()) {
            check(module.mainSources(), kindOf(module), violations);
            check(module.folder().resolve("src/test/java"), Tidy.Kind.TEST, violations);
        }
        for (String itest : List.of("arch", "sim", "mesh", "karaf")) {
            Path folder = Project.root().resolve("itests").resolve(itest);
            check(folder.resolve("src/main/java"), Tidy.Kind.PROGRAM, violations);
            check(folder.resolve("src/test/java"), Tidy.Kind.TEST, violations);
        }

        assertEquals("", String.join("\n", violations));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "class A { void f(int a, int b, int c, int d, int e, int f, int g) {} }",
                "class A { long suspectTimeout; }",
                "class Heartbeat { }",
                "class A { void f() { System.out.println(1); } }",
                "class A { synchronized void f() { } }",
                "class A { void f(Exception e) { e.printStackTrace(); } }",
                "class A { } // TO" + "DO later",
            })
    void shouldRefuseUntidySource(String source) {
        assertFalse(Tidy.violations("A.java", source, Tidy.Kind.PURE).isEmpty(), source);
    }

    @Test
    void shouldRefuseATestThatSleeps() {
        String source = "class A { void f() throws Exception { Thread.sleep(100); } }";

        assertFalse(Tidy.violations("A.java", source, Tidy.Kind.TEST).isEmpty());
    }

    @Test
    void shouldRefuseLongMethodsAndFiles() {
        String longMethod = "class A { void f() {\n" + "f();\n".repeat(Tidy.METHOD_LINES_MAX) + "} }";
        String longFile = "class A {}\n" + "// line\n".repeat(Tidy.FILE_LINES_MAX);

        assertFalse(Tidy.violations("A.java", longMethod, Tidy.Kind.MAIN).isEmpty());
        assertFalse(Tidy.violations("A.java", longFile, Tidy.Kind.MAIN).isEmpty());
    }

    @Test
    void shouldAcceptTidySource() {
        String source =
                "record Wide(int a, int b, int c, int d, int e, int f, int g) { Wide { } } class A { long waitMs; }";

        assertEquals(List.of(), Tidy.violations("A.java", source, Tidy.Kind.PURE));
    }

    private static void check(Path folder, Tidy.Kind kind, List<String> violations) {
        for (Path file : Project.sources(folder)) {
            String name = Project.root().relativize(file).toString();
            violations.addAll(Tidy.violations(name, Project.read(file), kind));
        }
    }

    private static Tidy.Kind kindOf(Module module) {
        if (module.name().equals("cli")) {
            return Tidy.Kind.PROGRAM;
        }
        return Rules.PURE.contains(module.name()) ? Tidy.Kind.PURE : Tidy.Kind.MAIN;
    }
}
