package io.daosmesh.itests.mesh.seeds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What counts as the output that a page shows, and that no command of it is passed over. */
class PageTest {
    private static boolean matches(String expected, String actual) {
        return new Pattern(List.of(expected.split("/")))
                .match(actual.replace("/", "\n"), Map.of())
                .isPresent();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "a b,a b,true",
                "a b,a   b  ,true",
                "a b,ab,false",
                "a,a/b,false",
                "a/b,a,false",
                "a,a//,true",
                "  a,  a,true",
                "  a, a,false",
                "a,  a,false",
                "  a,   a,false",
                "<x> <x>,1 1,true",
                "<x> <x>,1 2,false",
                "<x>/<x>,1/2,false",
                "<x>,1 2,false",
                "<_> <_>,1 2,true",
                "<_>, ,false",
                "a <*>,a b c,true",
                "a<*>,a,true",
                ".../b,a/a/b,true",
                "a/...,a,true",
                "a/.../a,a/b,false",
                ".../<x>/<x>,1/2/2,true",
                "a.c,abc,false",
                "[0-1] <n>,[0-1] x,true",
                "a  <n>,a x,true"
            })
    void shouldTakeOnlyWhatIsShown(String expected, String actual, boolean isSame) {
        assertEquals(isSame, matches(expected, actual), expected + " | " + actual);
    }

    @Test
    void shouldRememberWhatNamesStandFor() {
        Pattern first = new Pattern(List.of("UUID:<old> [<_>]", "...", "UUID:<new>"));

        Map<String, String> names = first.match("UUID:a [x]\nskipped\nUUID:b\n", Map.of("host", "h"))
                .orElseThrow();

        assertEquals(Map.of("old", "a", "new", "b", "host", "h"), names);
        assertEquals("use a b", Pattern.filledIn("use <old> <new>", names));
        assertEquals(Optional.empty(), first.match("UUID:b [x]\nUUID:b\n", names));
        assertThrows(IllegalArgumentException.class, () -> Pattern.filledIn("use <other>", names));
    }

    @Test
    void shouldReadEveryCommandWithWhatItPrints() {
        Page page = Page.of(List.of(
                "text",
                "```mesh",
                "$ one",
                "out",
                "",
                "$ two",
                "! error",
                "[exit 1]",
                "```",
                "```mesh wait",
                "$ three",
                "```"));

        assertEquals(
                List.of(
                        new Page.Step(3, "one", new Pattern(List.of("out")), new Pattern(List.of()), 0, false),
                        new Page.Step(6, "two", new Pattern(List.of()), new Pattern(List.of("error")), 1, false),
                        new Page.Step(11, "three", new Pattern(List.of()), new Pattern(List.of()), 0, true)),
                page.steps());
    }

    @Test
    void shouldRefuseACommandThatWouldNotBeRun() {
        assertThrows(IllegalArgumentException.class, () -> Page.of(List.of("```", "$ one", "```")));
        assertThrows(IllegalArgumentException.class, () -> Page.of(List.of("$ one")));
        assertThrows(IllegalArgumentException.class, () -> Page.of(List.of("```mesh", "$ one")));
    }
}
