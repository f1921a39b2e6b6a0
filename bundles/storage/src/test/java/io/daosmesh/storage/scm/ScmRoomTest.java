package io.daosmesh.storage.scm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.room.Room.State;
import io.daosmesh.storage.room.RoomMarks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ScmRoomTest {
    private static final long MIB = 1 << 20;
    private static final RoomMarks MARKS = new RoomMarks(2 * MIB, 4 * MIB, 8 * MIB);

    @TempDir
    private Path folder;

    private final List<String> told = new ArrayList<>();
    private Reserve reserve;
    private ScmRoom room;
    /** Without the reserve. */
    private long freeBytes = 100 * MIB;

    @BeforeEach
    void setUp() {
        reserve = new Reserve(folder);
        room = new ScmRoom(folder, reserve, MARKS, this::usable, (isAmple, text) -> told.add(isAmple + " " + text));
    }

    /** As a file system has it: the reserve takes room. */
    private long usable() {
        return freeBytes - (reserve.isThere(MARKS.reserveBytes()) ? MARKS.reserveBytes() : 0);
    }

    @Test
    void shouldRefuseNewDataOfAFullFolderSayWhatToFreeAndTakeItAgain() {
        room.look();
        assertTrue(reserve.isThere(MARKS.reserveBytes()), "made where there is room");
        assertNull(room.refusal(false, "rank 2"));

        List<String> lows = new ArrayList<>();
        room.onLow(() -> lows.add("low"));
        freeBytes = 5 * MIB;
        room.look();
        room.look();

        Fault refused = room.refusal(false, "rank 2");
        assertNotNull(refused);
        assertEquals(FaultCode.NOSPACE, refused.code());
        assertTrue(refused.text().contains("rank 2") && refused.text().contains(folder.toString()), refused.text());
        assertTrue(refused.remedy().contains("free 6 MiB on the file system of " + folder), refused.remedy());
        assertNull(room.refusal(true, "rank 2"), "deletes make room");
        assertEquals(0, room.seen().writableBytes());
        assertEquals(1, told.size(), "once");
        assertEquals("false takes no new data, free 6 MiB: 3 MiB left in " + folder, told.get(0));
        assertEquals(List.of("low"), lows);
        freeBytes = 10 * MIB;
        room.look();
        assertNull(room.refusal(false, "rank 2"));
        assertEquals(2, told.size());
        assertTrue(told.get(1).startsWith("true "), told.get(1));
    }

    @Test
    void shouldGiveTheReserveUpOnAFullFileSystemAndMakeItBeforeNewDataIsTaken() {
        room.look();
        freeBytes = 3 * MIB;
        room.look();
        assertFalse(reserve.isThere(1));
        assertEquals(3 * MIB, room.seen().usableBytes());
        assertTrue(room.refusal(false, "rank 2").remedy().contains("free 8 MiB"), "the high mark and the reserve");

        freeBytes = 9 * MIB;
        room.look();
        assertNotNull(room.refusal(false, "rank 2"));
        freeBytes = 10 * MIB;
        room.look();

        assertTrue(reserve.isThere(MARKS.reserveBytes()));
        assertNull(room.refusal(false, "rank 2"));
    }

    @Test
    void shouldRefuseDeletesWhereTheReserveIsUsedUp() {
        freeBytes = 100;
        room.look();

        Fault refused = room.refusal(true, "rank 2");
        assertNotNull(refused);
        assertTrue(refused.text().contains("reads only"), refused.text());
        assertEquals(State.FULL, room.seen().state());
    }

    @Test
    void shouldMakeRoomBeforeAnythingIsOpened() {
        assertTrue(reserve.make(MARKS.reserveBytes()));
        freeBytes = 5 * MIB;

        room.open();

        assertFalse(reserve.isThere(1));
        assertNotNull(room.refusal(false, "rank 2"));
        freeBytes = 100 * MIB;
        room.open();
        assertFalse(reserve.isThere(1), "a start does not wait for it");
        room.look();
        assertTrue(reserve.isThere(MARKS.reserveBytes()));
    }

    @Test
    void shouldTakeAReserveThatWasCutOffForNone() throws IOException {
        Files.write(folder.resolve(Reserve.NAME), new byte[1000]);

        assertFalse(reserve.isThere(MARKS.reserveBytes()));
        room.look();
        assertTrue(reserve.isThere(MARKS.reserveBytes()));
    }
}
