package io.daosmesh.itests.mesh.chaos;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import org.junit.jupiter.api.Test;

class SettingTest {
    private final Setting setting = new Setting("0");

    @Test
    void shouldTakeTheLastAcknowledgedValueOnly() {
        setting.set("1", Answer.DONE);
        setting.set("2", Answer.DONE);

        assertTrue(setting.mayBe("2"));
        assertTrue(setting.is("2"));
        assertFalse(setting.mayBe("1"));
        assertFalse(setting.mayBe("0"));
    }

    /** Its answer is missing: it may have been done, or be done later. */
    @Test
    void shouldTakeWhatWasNotAnsweredBesides() {
        setting.set("2", Answer.UNKNOWN);
        setting.set("3", Answer.DONE);

        assertTrue(setting.mayBe("2"));
        assertTrue(setting.mayBe("3"));
        assertFalse(setting.is("3"));
        assertFalse(setting.mayBe("0"));
    }

    @Test
    void shouldNotTakeWhatWasRefused() {
        setting.set("1", Answer.REFUSED);

        assertTrue(setting.is("0"));
        assertFalse(setting.mayBe("1"));
    }

    @Test
    void shouldTakeAnyValueWhileNothingIsKnown() {
        Setting unknown = new Setting(null);
        unknown.set("1", Answer.UNKNOWN);

        assertTrue(unknown.mayBe("7"));

        unknown.set("2", Answer.DONE);
        assertFalse(unknown.mayBe("7"));
        assertTrue(unknown.mayBe("1"));
    }
}
