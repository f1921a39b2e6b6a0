package io.daosmesh.model.release;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.release.Compatibility.Part;
import io.daosmesh.model.release.Compatibility.Speaker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompatibilityTest {
    private static final Path PAGE = Path.of("..", "..", "docs", "protocol.md");

    @ParameterizedTest
    @CsvSource({
        "SERVER, 2.4.1, SERVER, 2.4.1,      yes",
        "SERVER, 2.4.1, SERVER, 2.4.1+b7,   yes",
        "SERVER, 2.4.1, SERVER, 2.4.2,      no",
        "SERVER, 2.4.1, ADMIN,  2.4.9,      yes",
        "SERVER, 2.4.1, ADMIN,  2.5.1,      no",
        "SERVER, 2.4.1, AGENT,  2.6.0,      yes",
        "SERVER, 2.4.1, AGENT,  2.2.0,      yes",
        "SERVER, 2.4.1, AGENT,  2.7.0,      no",
        "SERVER, 2.4.1, AGENT,  3.4.1,      no",
        "SERVER, 2.4.1, CLIENT, 2.2.5,      yes",
        "SERVER, 2.4.1, CLIENT, 2.0.0,      no",
        "AGENT,  2.4.1, CLIENT, 2.4.1,      yes",
        "AGENT,  2.4.1, CLIENT, 2.4.2,      no",
        "SERVER, 2.4.1, ADMIN,  '',         no",
        "SERVER, 2.4.1, ADMIN,  2.4,        no",
        "ADMIN,  2.4.1, ADMIN,  2.4.2,      no"
    })
    void shouldRefuseByTheTableInBothDirections(Part a, String releaseA, Part b, String releaseB, String isWelcome) {
        Optional<Fault> one = Compatibility.refusal(new Speaker(a, releaseA), new Speaker(b, releaseB), true);
        Optional<Fault> other = Compatibility.refusal(new Speaker(b, releaseB), new Speaker(a, releaseA), true);

        assertEquals(isWelcome.equals("yes"), one.isEmpty());
        assertEquals(one.isEmpty(), other.isEmpty());
        one.ifPresent(f -> assertEquals("616", f.argument("fault").orElse("")));
    }

    @Test
    void shouldNameBothReleases() {
        Fault why = Compatibility.refusal(new Speaker(Part.SERVER, "0.1.0"), new Speaker(Part.ADMIN, "0.4.0"), true)
                .orElseThrow();

        assertEquals(FaultCode.MISMATCH, why.code());
        assertEquals("server:0.1.0 and admin:0.4.0 are incompatible", why.text());
    }

    @Test
    void shouldWantTheSameReleaseOfWhoHasProvenNothing() {
        Speaker server = new Speaker(Part.SERVER, "2.4.1");

        Optional<Fault> same = Compatibility.refusal(server, new Speaker(Part.ADMIN, "2.4.1-b"), false);
        Optional<Fault> other = Compatibility.refusal(server, new Speaker(Part.ADMIN, "2.4.2"), false);

        assertTrue(same.isEmpty());
        assertEquals("617", other.orElseThrow().argument("fault").orElse(""));
    }

    /** What a stranger calls its release must not get into a log as it is. */
    @Test
    void shouldNotRepeatWhatIsNoRelease() {
        Fault why = Compatibility.refusal(
                        new Speaker(Part.SERVER, "0.1.0"), new Speaker(Part.ADMIN, "0.1.0\n" + "x".repeat(900)), true)
                .orElseThrow();

        assertEquals("server:0.1.0 and admin:unknown are incompatible", why.text());
    }

    @Test
    void shouldKnowItsOwnRelease() {
        assertTrue(
                Release.own().text().matches("[0-9]+\\.[0-9]+\\.[0-9]+.*"),
                Release.own().text());
    }

    @Test
    void shouldReadFromTheOldestToTheNewestLayout() {
        assertTrue(StoredFormat.TARGET_INDEX.refusal(1).isEmpty());
        assertTrue(StoredFormat.TARGET_INDEX.refusal(2).isEmpty());
        Fault newer = StoredFormat.TARGET_INDEX.refusal(3).orElseThrow();
        Fault older = StoredFormat.SUPERBLOCK.refusal(2).orElseThrow();

        assertEquals(FaultCode.DF_INCOMPT, newer.code());
        assertEquals("index of a target has layout version 3 not in [1, 2]", newer.text());
        assertTrue(newer.remedy().startsWith("install the release"), newer.remedy());
        assertTrue(older.remedy().startsWith("run the release that wrote it"), older.remedy());
    }

    @Test
    void shouldBeDescribedAsItIs() throws IOException {
        List<String> expected = new ArrayList<>();
        for (Compatibility.Rule r : Compatibility.RULES)
            expected.add("| " + r.one().label() + " | " + r.other().label() + " | " + r.need().label + " |");
        Arrays.stream(StoredFormat.values())
                .map(f -> "| " + f.label() + " | " + f.oldest() + " | " + f.newest() + " | `"
                        + f.event().name().toLowerCase(Locale.ROOT) + "` |")
                .forEach(expected::add);

        try (Stream<String> page = Files.lines(PAGE)) {
            List<String> described = page.dropWhile(l -> !l.equals("## Releases"))
                    .takeWhile(l -> !l.equals("## Envelope"))
                    .filter(l -> l.startsWith("| ") && !l.startsWith("| one ") && !l.startsWith("| what "))
                    .toList();
            assertEquals(expected, described);
        }
    }
}
