package io.daosmesh.itests.arch;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchRule;
import io.daosmesh.itests.arch.Project.Module;
import io.daosmesh.itests.arch.fixture.Impure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The floors, the purity and the secrecy of the bundles, checked on what was compiled. */
class ArchitectureTest {
    private static final Map<String, JavaClasses> CLASSES = new HashMap<>();
    private static final Map<String, String> MODULE_OF_CLASS = new HashMap<>();

    @BeforeAll
    static void importModules() {
        for (Module module : Project.modules()) {
            boolean hasSources = !Project.sources(module.mainSources()).isEmpty();
            assertTrue(
                    !hasSources || Files.isDirectory(module.ownClasses()),
                    module.name() + " has sources but was not compiled: build it first");
            JavaClasses classes = new ClassFileImporter().importPaths(existing(module.ownClasses()));
            CLASSES.put(module.name(), classes);
            classes.forEach(type -> MODULE_OF_CLASS.put(outermost(type.getName()), module.name()));
        }
    }

    @Test
    void shouldHaveARuleForEveryModule() {
        Set<String> names =
                Set.copyOf(Project.modules().stream().map(Module::name).toList());

        assertEquals(names, Rules.MAY_IMPORT.keySet());
    }

    @Test
    void shouldImportOnlyDownwards() {
        List<String> violations = new ArrayList<>();

        CLASSES.forEach((module, classes) -> classes.forEach(type -> type.getDirectDependenciesFromSelf().stream()
                .filter(dependency -> isForbidden(module, dependency))
                .forEach(dependency -> violations.add(module + ": " + dependency.getDescription()))));

        assertEquals(List.of(), violations);
    }

    @Test
    void shouldKeepDeviceSpiToTheJdk() {
        List<String> violations = CLASSES.get("device-spi").stream()
                .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
                .filter(dependency -> !isOfJdkOrOwn(dependency.getTargetClass().getName()))
                .map(Dependency::getDescription)
                .toList();

        assertEquals(List.of(), violations);
    }

    @Test
    void shouldHaveNoCycleOfPackages() {
        JavaClasses all = new ClassFileImporter()
                .importPaths(Project.modules().stream()
                        .flatMap(module -> existing(module.ownClasses()).stream())
                        .toList());

        slices().matching("io.daosmesh.(**)")
                .should()
                .beFreeOfCycles()
                .allowEmptyShould(true)
                .check(all);
    }

    @Test
    void shouldNotSplitAPackageOverModules() {
        Map<String, Set<String>> modulesOfPackage = new HashMap<>();
        CLASSES.forEach((module, classes) -> classes.forEach(type -> modulesOfPackage
                .computeIfAbsent(type.getPackageName(), name -> new TreeSet<>())
                .add(module)));

        modulesOfPackage.values().removeIf(modules -> modules.size() == 1);

        assertEquals(Map.of(), modulesOfPackage);
    }

    @Test
    void shouldKeepSocketsInTransport() {
        CLASSES.forEach((module, classes) -> {
            if (!module.equals("transport")) {
                Rules.onlyTransportUsesSockets().check(classes);
            }
        });
    }

    @Test
    void shouldBePureOutsideEdges() {
        for (String module : Rules.PURE) {
            Rules.pureOutsideEdges().check(CLASSES.get(module));
            Rules.noClockOutsideEdges().check(CLASSES.get(module));
            Rules.oneOwnerOutsideEdges().check(CLASSES.get(module));
        }
    }

    @Test
    void shouldHaveNoCrowdedPackage() {
        assertEquals(Map.of(), crowded(CLASSES.values()));
    }

    /** What is let pass by name has to need it still. */
    @Test
    void shouldLetPassNoMoreThanIsThere() {
        Map<String, Long> sizes = sizes(CLASSES.values());
        Set<String> names = new TreeSet<>();
        CLASSES.values().forEach(classes -> classes.forEach(type -> names.add(type.getSimpleName())));

        assertEquals(Set.of(), minus(Rooms.SHARED.keySet(), names));
        Rooms.CROWDED.forEach((room, max) -> assertEquals((long) max, sizes.get("io.daosmesh." + room), room));
        for (String edge : Rooms.EDGES) assertTrue(sizes.containsKey("io.daosmesh." + edge), edge);
    }

    @Test
    void shouldRefuseACrowdedPackage() {
        Map<String, Long> found = crowded(List.of(new ClassFileImporter().importPackages("org.junit.jupiter.api")));

        assertTrue(found.containsKey("org.junit.jupiter.api"), found.toString());
    }

    private static Map<String, Long> crowded(Iterable<JavaClasses> all) {
        Map<String, Long> sizes = sizes(all);
        sizes.entrySet().removeIf(e -> e.getValue() <= Rooms.classesMax(e.getKey()));
        return sizes;
    }

    /** Source files, so to say: nested classes belong to their outermost one. */
    private static Map<String, Long> sizes(Iterable<JavaClasses> all) {
        Map<String, Set<String>> rooms = new TreeMap<>();
        all.forEach(classes -> classes.stream()
                .filter(type -> !type.getName().endsWith("package-info"))
                .filter(type -> !type.getPackageName().startsWith("io.daosmesh.model.wire"))
                .forEach(type -> rooms.computeIfAbsent(type.getPackageName(), name -> new TreeSet<>())
                        .add(outermost(type.getName()))));
        Map<String, Long> sizes = new TreeMap<>();
        rooms.forEach((room, types) -> sizes.put(room, (long) types.size()));
        return sizes;
    }

    private static Set<String> minus(Set<String> all, Set<String> known) {
        Set<String> rest = new TreeSet<>(all);
        rest.removeAll(known);
        return rest;
    }

    @Test
    void shouldHaveNoVaguePackage() {
        CLASSES.values().forEach(Rules.noVagueNames()::check);
    }

    /** A rule that cannot fail protects nothing: each must refuse a class made to break it. */
    @Test
    void shouldRefuseAnImpureClass() {
        JavaClasses bad = new ClassFileImporter().importClasses(Impure.class);

        for (ArchRule rule :
                List.of(Rules.pureOutsideEdges(), Rules.noClockOutsideEdges(), Rules.oneOwnerOutsideEdges())) {
            assertThrows(AssertionError.class, () -> rule.check(bad));
        }
    }

    private static boolean isForbidden(String module, Dependency dependency) {
        String owner = MODULE_OF_CLASS.get(outermost(baseName(dependency.getTargetClass())));
        return owner != null
                && !owner.equals(module)
                && !Rules.MAY_IMPORT.get(module).contains(owner);
    }

    private static boolean isOfJdkOrOwn(String name) {
        return name.startsWith("java.")
                || name.startsWith("io.daosmesh.spi")
                || name.startsWith("[")
                || !name.contains(".")
                || name.startsWith("org.jspecify.")
                || name.startsWith("org.osgi.annotation.");
    }

    private static String baseName(JavaClass type) {
        return type.getBaseComponentType().getName();
    }

    private static String outermost(String name) {
        int nested = name.indexOf('$');
        return nested < 0 ? name : name.substring(0, nested);
    }

    private static List<Path> existing(Path folder) {
        return Files.isDirectory(folder) ? List.of(folder) : List.of();
    }
}
