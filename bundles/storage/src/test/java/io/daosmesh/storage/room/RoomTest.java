package io.daosmesh.storage.room;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.storage.room.Room.State;
import io.daosmesh.storage.room.Room.Step;
import org.junit.jupiter.api.Test;

class RoomTest {
    private static final long MIB = 1 << 20;
    private static final RoomMarks MARKS = new RoomMarks(64 * MIB, 64 * MIB, 128 * MIB);

    private final Room room = new Room(MARKS);

    private Step look(long mib, boolean hasReserve) {
        return room.onLook(mib * MIB, hasReserve);
    }

    @Test
    void shouldTakeAllUntilTheLowMarkAndAgainOnlyFromTheHighOne() {
        look(64, true);
        assertEquals(State.AMPLE, room.state());

        look(63, true);
        assertEquals(State.LOW, room.state());
        assertEquals(65 * MIB, room.missingBytes());
        look(127, true);
        assertEquals(State.LOW, room.state());
        look(128, true);

        assertEquals(State.AMPLE, room.state());
        assertEquals(64 * MIB, room.writableBytes());
    }

    @Test
    void shouldGiveTheReserveUpWhenHardlyAnythingIsLeftAndWantItBackBeforeNewDataIsTaken() {
        assertEquals(Step.NONE, look(32, true), "it stays while there is other room");
        assertEquals(Step.GIVE_UP, look(31, true));
        look(95, false);
        assertEquals(97 * MIB, room.missingBytes(), "the high mark and the reserve");

        assertEquals(Step.NONE, look(191, false));
        assertEquals(State.LOW, room.state());
        assertEquals(Step.MAKE, look(192, false));
        assertEquals(State.LOW, room.state(), "not before it is there");
        look(128, true);

        assertEquals(State.AMPLE, room.state());
    }

    @Test
    void shouldRefuseDeletesOnlyWhenTheReserveIsUsedUpAsWell() {
        look(9, false);
        assertTrue(room.state().mayDelete());

        look(7, false);
        assertEquals(State.FULL, room.state());
        look(15, false);
        assertEquals(State.FULL, room.state());
        look(16, false);

        assertEquals(State.LOW, room.state());
    }

    @Test
    void shouldMakeRoomForAnOpeningWhereThereIsLessThanItMayTake() {
        assertEquals(Step.NONE, room.onOpening(64 * MIB, true));
        assertEquals(Step.GIVE_UP, room.onOpening(64 * MIB - 1, true));
        assertEquals(Step.NONE, room.onOpening(0, false), "nothing is there to be given up");
    }

    @Test
    void shouldTakeNoNewDataIntoTheRoomThatTheReserveHasGiven() {
        room.onOpening(0, true);
        look(64, false);
        assertEquals(State.LOW, room.state());
        assertEquals(State.LOW, stateAfterAStart(), "nor when it was given up before a start");

        look(200, false);
        look(136, true);
        assertEquals(State.AMPLE, room.state());
        look(70, false);
        assertEquals(State.LOW, room.state(), "a write has given it up between two looks");
    }

    private static State stateAfterAStart() {
        Room room = new Room(MARKS);
        room.onOpening(64 * MIB, false);
        room.onLook(64 * MIB, false);
        return room.state();
    }

    @Test
    void shouldMakeAReserveThatAnOlderReleaseHasNotMade() {
        assertEquals(Step.MAKE, look(500, false));
        assertEquals(State.AMPLE, room.state());
        assertEquals(Step.NONE, look(191, false), "not where it would make room low");
        assertEquals(State.LOW, room.state());
    }

    @Test
    void shouldHaveNothingToWriteIntoWhileItRefuses() {
        look(100, true);
        assertEquals(36 * MIB, room.writableBytes());
        look(10, true);
        look(100, true);
        assertEquals(0, room.writableBytes());
    }

    @Test
    void shouldTakeNoMoreThanASixteenthOfASmallScm() {
        assertEquals(new RoomMarks(64 * MIB, 64 * MIB, 128 * MIB), RoomMarks.of(16L << 30, 64 * MIB, 2));
        assertEquals(new RoomMarks(32 * MIB, 32 * MIB, 64 * MIB), RoomMarks.of(512 * MIB, 64 * MIB, 2));
        assertEquals(256 * MIB, RoomMarks.of(16L << 30, 64 * MIB, 16).lowBytes(), "what 16 targets hold in memory");
    }
}
