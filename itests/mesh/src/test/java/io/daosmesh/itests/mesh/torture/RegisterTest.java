package io.daosmesh.itests.mesh.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What the model lets pass, and what not. */
class RegisterTest {
    private final Register register = new Register();

    private int write() {
        int n = register.begin(false, 0);
        register.acknowledge(n, 0);
        return n;
    }

    private int remove() {
        int n = register.begin(true, 0);
        register.acknowledge(n, 0);
        return n;
    }

    /** A write whose outcome stays unknown. */
    private int lose(boolean isRemoval) {
        int n = register.begin(isRemoval, 0);
        register.giveUp(n, 0);
        return n;
    }

    private boolean reads(int number) {
        return register.read(register.acknowledged(), OptionalInt.of(number));
    }

    private boolean readsAbsent() {
        return register.read(register.acknowledged(), OptionalInt.empty());
    }

    @Test
    void shouldTakeOnlyTheLastAcknowledgedValue() {
        assertTrue(readsAbsent());
        int first = write();
        assertFalse(readsAbsent());
        int second = write();

        assertFalse(reads(first));
        assertFalse(reads(second + 1), "never written");
        assertTrue(reads(second));
        assertFalse(readsAbsent());
        remove();
        assertTrue(readsAbsent());
        assertFalse(reads(second));
    }

    @Test
    void shouldTakeBothWhileAWriteIsUnderWayAndNeverTheOldOneAgain() {
        int old = write();
        int before = register.acknowledged();
        int next = register.begin(false, 0);

        assertTrue(register.read(before, OptionalInt.of(old)));
        assertTrue(register.read(before, OptionalInt.of(next)));
        assertFalse(register.read(before, OptionalInt.of(old)), "it was seen to be over");
        register.acknowledge(next, 0);
        assertTrue(reads(next));
    }

    @Test
    void shouldJudgeALongReadByWhatWasAcknowledgedWhenItBegan() {
        int old = write();
        int before = register.acknowledged();
        int next = write();

        assertTrue(register.read(before, OptionalInt.of(old)));
        assertFalse(reads(old));
        assertTrue(reads(next));
        assertFalse(register.read(before, OptionalInt.of(old)), "another reader has seen the next one");
    }

    @Test
    void shouldTakeAWriteOfUnknownOutcomeAtAnyTimeButOnce() {
        int acknowledged = write();
        int lost = lose(false);

        assertTrue(reads(acknowledged));
        int next = write();
        assertTrue(reads(next));
        assertTrue(reads(lost), "late");
        assertTrue(reads(lost));
        assertFalse(reads(next), "it took effect before the one that was seen after it");
        int last = write();
        assertFalse(reads(lost), "once");
        assertTrue(reads(last));
    }

    @Test
    void shouldNotTakeAnUnknownOneAgainWhenItWasOverwrittenUnseen() {
        int lost = lose(false);
        assertTrue(reads(lost));

        int next = write();

        assertFalse(reads(lost));
        assertTrue(reads(next));
    }

    @Test
    void shouldKnowThatTheSeenUnknownOneCameAfterWhatWasAcknowledgedBefore() {
        int acknowledged = write();
        int lost = lose(false);

        assertTrue(reads(lost));

        assertFalse(reads(acknowledged));
    }

    @Test
    void shouldTakeAnUnknownRemoval() {
        int value = write();
        lose(true);

        assertTrue(reads(value));
        assertTrue(readsAbsent());
        assertFalse(reads(value));
        assertFalse(register.isThere().isPresent());
    }

    @Test
    void shouldSayWhetherSomethingIsThereOnlyWhenItIsSure() {
        assertEquals(Optional.of(false), register.isThere());
        write();
        assertEquals(Optional.of(true), register.isThere());
        int next = register.begin(true, 0);
        assertEquals(Optional.empty(), register.isThere());
        register.acknowledge(next, 0);
        assertEquals(Optional.of(false), register.isThere());
        lose(false);
        assertEquals(Optional.empty(), register.isThere());
    }

    @Test
    void shouldFindOutTornAndForeignValues() {
        Content content = new Content(7, 3);
        byte[] value = content.value(12, 100);
        byte[] torn = value.clone();
        torn[77] = 0;

        assertEquals(12, content.read(value).number());
        assertTrue(content.read(value).isRight());
        assertFalse(content.read(torn).isRight());
        assertFalse(new Content(7, 4).read(value).isRight());
        assertFalse(content.read(new byte[4]).isRight());
    }
}
