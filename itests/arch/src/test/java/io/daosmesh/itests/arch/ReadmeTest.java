package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The README stays short and true: what it names exists. */
class ReadmeTest {
    private static final int README_LINES_MAX = 100;

    /** `Swim`, `PoolMap`, `swim.Swim`: a word in backquotes that can only be a class of ours. */
    private static final Pattern CLASS_NAME = Pattern.compile("`(?:[a-z][\\w]*\\.)*([A-Z][a-z][A-Za-z0-9]*)`");

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:]+)\\)");

    @Test
    void shouldBeShort() {
        long lines = readme().lines().count();

        assertTrue(lines < README_LINES_MAX, "README.md has " + lines + " lines");
    }

    @Test
    void shouldNameOnlyClassesThatExist() {
        Set<String> classes = Stream.of("bundles", "drivers", "cli", "itests")
                .flatMap(folder -> Project.sources(Project.root().resolve(folder)).stream())
                .map(file -> file.getFileName().toString().replace(".java", ""))
                .collect(Collectors.toSet());
        List<String> gone = new ArrayList<>();

        var names = CLASS_NAME.matcher(readme());
        while (names.find()) {
            if (!classes.contains(names.group(1))) {
                gone.add(names.group(1));
            }
        }

        assertEquals(List.of(), gone);
    }

    @Test
    void shouldLinkOnlyToFilesThatExist() {
        List<String> gone = new ArrayList<>();

        var links = LINK.matcher(readme());
        while (links.find()) {
            Path target = Project.root().resolve(links.group(1));
            if (!Files.exists(target)) {
                gone.add(links.group(1));
            }
        }

        assertEquals(List.of(), gone);
    }

    private static String readme() {
        return Project.read(Project.root().resolve("README.md"));
    }
}
