package io.daosmesh.storage.scm;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.spi.BackingFileSystem;
import io.daosmesh.storage.room.Room;
import io.daosmesh.storage.room.RoomMarks;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks now and then how much the file system of an engine's SCM can still take, keeps the reserve there, and refuses what
 * would fill it. Any thread; one looks at a time.
 */
public final class ScmRoom {
    private static final long MIB = 1L << 20;
    private static final Logger log = LoggerFactory.getLogger(ScmRoom.class);

    private final Path folder;
    private final RoomMarks marks;
    private final Reserve reserve;
    private final LongSupplier usable;
    private final Listener listener;
    private final Room room;
    private volatile Seen seen = new Seen(Room.State.AMPLE, Long.MAX_VALUE, Long.MAX_VALUE, 0);
    private volatile Runnable onLow = () -> {};
    private String lastError = "";

    /** Told, on the thread that looks, when new data is refused from now on, or taken again; must not block. */
    @FunctionalInterface
    public interface Listener {
        /** @param text what is said of the SCM: which folder it is, and how much has to become free */
        void onRoom(boolean isAmple, String text);
    }

    /**
     * The last look. Immutable.
     *
     * @param writableBytes for new data
     * @param missingBytes that have to become free until all is taken again
     */
    public record Seen(Room.State state, long usableBytes, long writableBytes, long missingBytes) {}

    /** @param usable bytes of the file system that can be written now */
    ScmRoom(Path folder, Reserve reserve, RoomMarks marks, LongSupplier usable, Listener listener) {
        this.folder = folder;
        this.reserve = reserve;
        this.marks = marks;
        this.usable = usable;
        this.listener = listener;
        this.room = new Room(marks);
    }

    /** IO when the file system cannot be asked. */
    public static ScmRoom of(ScmFolder scm, RoomMarks marks, Listener listener) {
        try {
            BackingFileSystem store = BackingFileSystem.of(scm.root());
            return new ScmRoom(scm.root(), scm.reserve(), marks, () -> usable(scm.root(), store), listener);
        } catch (IOException e) {
            throw cannotLook(scm.root(), e);
        }
    }

    private static long usable(Path folder, BackingFileSystem store) {
        try {
            return store.usableBytes();
        } catch (IOException e) {
            throw cannotLook(folder, e);
        }
    }

    private static FaultException cannotLook(Path folder, IOException e) {
        return Fault.of(
                        FaultCode.IO,
                        "cannot see how much room is left in %s: %s",
                        folder,
                        String.valueOf(e.getMessage()))
                .asException();
    }

    /** Before indexes and logs are opened: makes room for that where there is none. IO when the file system cannot be asked. */
    public synchronized void open() {
        if (room.onOpening(usable.getAsLong(), hasReserve()) == Room.Step.GIVE_UP) reserve.giveUp();
        look(false);
    }

    private boolean hasReserve() {
        return reserve.isThere(marks.reserveBytes());
    }

    /** Told, on the thread that looks, when room becomes low; must not block. */
    public void onLow(Runnable action) {
        onLow = action;
    }

    /** May write the reserve, which takes as long as the medium needs for it. */
    public synchronized void look() {
        look(true);
    }

    private void look(boolean mayMake) {
        try {
            Room.Step step = note();
            boolean isDone = switch (step) {
                case GIVE_UP -> reserve.giveUp();
                case MAKE -> mayMake && reserve.make(marks.reserveBytes());
                case NONE -> false;
            };
            if (isDone) note();
        } catch (FaultException e) {
            String text = String.valueOf(e.getMessage());
            if (!text.equals(lastError)) log.error("{}", text);
            lastError = text;
        }
        tell();
    }

    private Room.Step note() {
        return room.onLook(usable.getAsLong(), hasReserve());
    }

    private void tell() {
        Room.State before = seen.state;
        long missingBytes = room.state() == Room.State.AMPLE ? 0 : room.missingBytes();
        Seen now = new Seen(room.state(), room.usableBytes(), room.writableBytes(), missingBytes);
        seen = now;
        if (now.state == before) return;
        log.info("room of {}: {} -> {}: {} bytes are left", folder, before, now.state, now.usableBytes);
        if (now.state == Room.State.AMPLE) {
            listener.onRoom(true, "takes new data again: " + mib(now.usableBytes) + " MiB left in " + folder);
        } else if (before == Room.State.AMPLE) {
            // an event is cut off at its end: what to do comes first
            long left = mib(now.usableBytes);
            listener.onRoom(
                    false, "takes no new data, free " + wanted(now) + " MiB: " + left + " MiB left in " + folder);
            onLow.run();
        }
    }

    private static String taken(Room.State state) {
        return state.mayDelete() ? "reads and deletes only" : "reads only";
    }

    private String remedy(Seen now) {
        return "free " + wanted(now) + " MiB on the file system of " + folder + ": writes go on by themselves then";
    }

    private static long wanted(Seen now) {
        return mib(now.missingBytes) + 1;
    }

    private static long mib(long bytes) {
        return bytes / MIB;
    }

    public RoomMarks marks() {
        return marks;
    }

    public Seen seen() {
        return seen;
    }

    /**
     * Why it is not taken now; null when it is: NOSPACE that names folder and remedy.
     *
     * @param isDelete takes hardly any room, and gives some back later
     * @param owner of the SCM, as people know it
     */
    public @Nullable Fault refusal(boolean isDelete, String owner) {
        Seen now = seen;
        if (now.state == Room.State.AMPLE || isDelete && now.state.mayDelete()) return null;
        return Fault.of(
                        FaultCode.NOSPACE,
                        "the SCM of %s is full: %s has %d MiB left, %s",
                        owner,
                        folder,
                        mib(now.usableBytes),
                        taken(now.state))
                .remedy(remedy(now));
    }
}
