package io.daosmesh.storage.log;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the bytes of a log say after a crash: the frames to apply, and whose frames are missing. A frame that is missing
 * although a later one knew it to be durable is damage; one that no other knew of is what a crash has torn. Immutable once
 * made; reads the segments lazily. Pure.
 */
public final class LogRecovery {
    /**
     * @param header null when damaged, missing or another engine's; its frames are then missing
     * @param bytes little endian
     */
    public record Segment(int number, @Nullable SegmentHeader header, ByteBuffer bytes) {}

    private record Place(Segment segment, int atBytes, int target, long position) {}

    private static final long UNKNOWN = -1;

    private final TreeMap<Long, Place> frames = new TreeMap<>();
    private final Map<Integer, List<Place>> byTarget = new HashMap<>();
    private final boolean isLost;
    private final long generation;
    private final int newestSegment;
    private final int unreadableCount;
    private long durableLsn;
    private long neededLsn;
    /** Last of those that are missing though they were durable; 0 = none is. */
    private long lastMissingLsn;

    private long missingCount;

    /** @param noted of the segment that was in use: without it or a later one the log is lost; null = there is no note */
    public LogRecovery(UUID engine, List<Segment> segments, @Nullable SegmentHeader noted) {
        long activeGeneration = noted == null ? UNKNOWN : noted.generation();
        long newest = 0;
        boolean hasActive = false;
        List<Segment> inOrder = segments.stream()
                .filter(s -> s.header() != null && s.header().engine().equals(engine))
                .sorted(Comparator.comparingLong(
                        s -> Objects.requireNonNull(s.header()).generation()))
                .toList();
        this.unreadableCount = segments.size() - inOrder.size();
        for (Segment s : inOrder) {
            SegmentHeader header = Objects.requireNonNull(s.header());
            newest = Math.max(newest, header.generation());
            hasActive |= activeGeneration >= 0 && header.generation() >= activeGeneration;
            neededLsn = Math.max(neededLsn, header.neededLsn());
            durableLsn = Math.max(durableLsn, header.firstLsn() - 1);
            // what a crash had torn off: its numbers were given anew
            frames.tailMap(header.firstLsn(), true).clear();
            scan(s, header);
        }
        if (noted != null) neededLsn = Math.max(neededLsn, noted.neededLsn());
        this.newestSegment =
                inOrder.isEmpty() ? 0 : inOrder.get(inOrder.size() - 1).number();
        this.generation = Math.max(newest, activeGeneration);
        this.isLost = !hasActive;
        sort();
    }

    private void scan(Segment segment, SegmentHeader header) {
        int at = LogLimits.ALIGN_BYTES;
        while (at < segment.bytes().capacity()) {
            LogFrame.Found found = LogFrame.decode(header, segment.bytes(), at);
            if (found == null) {
                // what was made durable together is not aligned: a damaged frame hides none behind it
                at = LogFrame.next(segment.bytes(), at);
                continue;
            }
            LogFrame f = found.frame();
            frames.put(f.lsn(), new Place(segment, at, f.target(), f.position()));
            durableLsn = Math.max(durableLsn, f.durableLsn());
            at = found.endBytes();
        }
    }

    /** Leaves out what is behind a torn frame, and finds what should be there. */
    private void sort() {
        long last = durableLsn;
        while (frames.containsKey(last + 1)) last++;
        frames.tailMap(last, false).clear();
        long expected = neededLsn;
        for (Map.Entry<Long, Place> e : frames.tailMap(neededLsn, true).entrySet()) {
            if (e.getKey() > expected) miss(expected, e.getKey() - 1);
            expected = e.getKey() + 1;
            byTarget.computeIfAbsent(e.getValue().target(), t -> new ArrayList<>())
                    .add(e.getValue());
        }
        if (expected <= durableLsn) miss(expected, durableLsn);
    }

    private void miss(long from, long to) {
        lastMissingLsn = to;
        missingCount += to - from + 1;
    }

    /** The highest use of a segment that is known; the next one has a higher one. */
    public long generation() {
        return generation;
    }

    /** Of all that can be read. */
    int newestSegment() {
        return newestSegment;
    }

    /** Number of the next frame: no frame with it or a higher one was ever acknowledged, unless the log is damaged. */
    public long nextLsn() {
        return Math.max(durableLsn, frames.isEmpty() ? 0 : frames.lastKey()) + 1;
    }

    /** Frames up to it were in tables and on devices, durably, when the log was last told so. */
    public long trimmedLsn() {
        return Math.max(0, neededLsn - 1);
    }

    /** Last frame of each segment; 0 = none that counts. */
    long[] lastLsns(int segmentCount) {
        long[] last = new long[segmentCount];
        frames.forEach((lsn, place) -> last[place.segment().number()] = lsn);
        return last;
    }

    /** True when the segment that was in use is not there: nobody knows what it held. */
    public boolean isLost() {
        return isLost;
    }

    /** Takes what a target's frames say, in order. */
    public interface Applier {
        /** A frame whose changes the index has not. */
        void index(LogFrame frame);

        /** Any frame: which of its values are on their device, nobody knows. */
        default void values(LogFrame frame) {}
    }

    /**
     * Applies a target's frames in order.
     *
     * @param position of the index as it was found
     * @return null if nothing is missing, else what
     */
    public @Nullable String replay(int target, long position, Applier to) {
        if (isLost) return "the segment of the engine log that was in use is missing or damaged";
        long expected = position + 1;
        long lastLsn = 0;
        for (Place p : byTarget.getOrDefault(target, List.of())) {
            LogFrame frame = read(p);
            lastLsn = frame.lsn();
            to.values(frame);
            if (p.position() == LogFrame.NO_POSITION || p.position() < expected) continue;
            if (p.position() > expected)
                return "batches " + expected + " to " + (p.position() - 1) + " are missing in the engine log";
            to.index(frame);
            expected++;
        }
        if (lastMissingLsn > lastLsn)
            return missingCount + " frames up to " + lastMissingLsn + " are missing in the engine log, "
                    + unreadableCount + " of its segments cannot be read";
        return null;
    }

    private static LogFrame read(Place p) {
        LogFrame.Found found = LogFrame.decode(
                Objects.requireNonNull(p.segment().header()), p.segment().bytes(), p.atBytes());
        return Objects.requireNonNull(found).frame();
    }
}
