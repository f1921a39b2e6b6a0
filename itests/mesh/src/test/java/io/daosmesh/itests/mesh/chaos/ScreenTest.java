package io.daosmesh.itests.mesh.chaos;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.LocalMesh.Outcome;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import io.daosmesh.itests.mesh.torture.Journal;
import java.nio.file.Path;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ScreenTest {
    private final Journal journal = new Journal();
    private final Screen screen = new Screen(LocalMesh.attach(Path.of("no-mesh")), journal, new SplittableRandom(1));

    private Answer refused(String code, String... may) {
        String said = "ERROR: dmg: DER_" + code + "(-1): some reason";
        return screen.judged("pool create", Set.of(may), new Outcome(1, "", said), false, "pool create p");
    }

    @Test
    void shouldNotKnowWhatBecomesOfACommandWithoutAnAnswer() {
        Answer killed = screen.judged("pool create", Set.of(), new Outcome(137, "", ""), true, "pool create p");

        assertEquals(Answer.UNKNOWN, killed);
        assertEquals(Answer.UNKNOWN, refused("TIMEDOUT"));
        assertEquals(Answer.UNKNOWN, refused("UNREACH"));
        assertEquals(0, journal.violations());
    }

    @Test
    void shouldTakeARefusalThatIsRight() {
        assertEquals(Answer.REFUSED, refused("EXIST", "EXIST"));
        assertEquals(Answer.REFUSED, refused("RF"));
        assertEquals(0, journal.violations());
    }

    @Test
    void shouldReportARefusalThatNothingExplains() {
        assertEquals(Answer.REFUSED, refused("NONEXIST", "EXIST"));
        assertEquals(1, journal.violations());
    }

    @Test
    void shouldReportAStackTraceAndAnEndWithoutACode() {
        screen.judged("x", Set.of(), new Outcome(1, "", "java.lang.IllegalStateException\n\tat a.B"), false, "x");
        screen.judged("x", Set.of(), new Outcome(1, "", "what now?"), false, "x");

        // the first is both
        assertEquals(3, journal.violations());
    }
}
