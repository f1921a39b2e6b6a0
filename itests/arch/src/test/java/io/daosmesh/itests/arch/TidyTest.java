package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.daosmesh.itests.arch.Project.Module;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What no tool knows: sizes, words, units and naps. */
class TidyTest {
    /** Time itself is what they test: that nothing happens in it, or that a leader dies at any moment of it. */
    private static final Set<String> PASSES_TIME = Set.of(
            "bundles/engine/src/test/java/io/daosmesh/engine/runtime/DeviceWatchTest.java",
            "bundles/engine/src/test/java/io/daosmesh/engine/runtime/StaleReadTest.java",
            "bundles/management/src/test/java/io/daosmesh/management/node/LeaderChaosTest.java");

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
                "enum A { B; int number() { return ordinal(); } }",
                "class A { } // TO" + "DO later",
                "class A { String f() { return String.format(\"%d\", 1); } }",
                "class A { String f() { return \"%d\".formatted(1); } }",
                "class A { String f(String a) { return a.toLowerCase(); } }",
                "class A { void f(java.io.PrintStream a) { a.printf(\"%d\", 1); } }",
                "class A { Object f() { return DateTimeFormatter.ofPattern(\"uuuu\"); } }",
            })
    void shouldRefuseUntidySource(String source) {
        assertFalse(Tidy.violations("A.java", source, Tidy.Kind.PURE).isEmpty(), source);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Thread.sleep(100);",
                "TimeUnit.MILLISECONDS.sleep(100);",
                "java.util.concurrent.TimeUnit.SECONDS.sleep(1);",
                "while (true) { MILLISECONDS.sleep(20); }",
                "LockSupport.parkNanos(100);",
                "java.util.concurrent.locks.LockSupport.parkUntil(this, 100);",
                "while (true) { run(() -> LockSupport.parkNanos(100)); }",
            })
    void shouldRefuseATestThatSleeps(String statement) {
        String source = "class A { void f() throws Exception { " + statement + " } }";

        assertFalse(Tidy.violations("A.java", source, Tidy.Kind.TEST).isEmpty());
    }

    @Test
    void shouldAcceptAPauseBetweenTwoLooks() {
        String source = "class A { void f() { while (!isDone()) { check(); LockSupport.parkNanos(100); } } }";

        assertEquals(List.of(), Tidy.violations("A.java", source, Tidy.Kind.TEST));
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
            Tidy.violations(name, Project.read(file), kind).stream()
                    .filter(v -> !(PASSES_TIME.contains(name) && v.endsWith(Tidy.NAP)))
                    .forEach(violations::add);
        }
    }

    private static Tidy.Kind kindOf(Module module) {
        if (module.name().equals("cli")) {
            return Tidy.Kind.PROGRAM;
        }
        return Rules.PURE.contains(module.name()) ? Tidy.Kind.PURE : Tidy.Kind.MAIN;
    }
}
