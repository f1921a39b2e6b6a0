package io.daosmesh.engine.vos;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.storage.kv.KvCursor;
import java.util.ArrayList;
import java.util.List;

/**
 * Looks for the bytes of an array range in as many steps as it takes, each with a cursor of its own: what is seen was
 * decided when the search began. Owner: target loop.
 */
public final class ArraySearch {
    /** Visible extents of one range; more are refused with REC2BIG. */
    public static final int FRAGMENTS_MAX = 1 << 18;

    /** What is still to be found out: the bytes, then where the array ends, then whether it holds anything. */
    private enum Stage {
        RANGE,
        BEHIND,
        BEFORE,
        DONE
    }

    private final byte[] akey;
    private final ExtentWalk.Sight sight;
    private final long offset;
    private final long length;
    private final List<Fragment> found = new ArrayList<>();
    private Stage stage = Stage.RANGE;
    private ExtentWalk walk;
    private int visited;
    private boolean isMore;
    private boolean isAny;

    ArraySearch(byte[] akey, ExtentWalk.Sight sight, long offset, long length) {
        this.akey = akey;
        this.sight = sight;
        this.offset = offset;
        this.length = length;
        this.walk = new ExtentWalk(akey, sight, offset, offset + length, ExtentWalk.WINDOW_PLACES, true);
    }

    /** Entries looked at so far. */
    int visited() {
        return visited;
    }

    /** True when done; false when more than about {@code visitsMax} entries had to be looked at. */
    boolean step(KvCursor cursor, int visitsMax) {
        long last = (long) visited + visitsMax;
        while (stage != Stage.DONE) {
            if (visited >= last) return false;
            int before = walk.visited();
            boolean isGathered = walk.gather(cursor, (int) (last - visited));
            visited += walk.visited() - before;
            if (!isGathered) return false;
            onWindow();
        }
        return true;
    }

    private void onWindow() {
        boolean isEnd = walk.isLast();
        if (stage == Stage.RANGE) {
            walk.addFragments(found);
            if (found.size() > FRAGMENTS_MAX) throw tooMany();
        } else if (walk.showsBytes()) {
            isMore |= stage == Stage.BEHIND;
            isAny = true;
            isEnd = true;
        }
        if (!isEnd) {
            walk.advance();
            return;
        }
        stage = next();
        if (stage == Stage.BEHIND) look(offset + length, Long.MAX_VALUE);
        if (stage == Stage.BEFORE) look(0, offset);
    }

    private void look(long from, long to) {
        walk = new ExtentWalk(akey, sight, from, to, ExtentWalk.FEW_PLACES, false);
    }

    private Stage next() {
        isAny |= !found.isEmpty();
        return switch (stage) {
            case RANGE -> length > 0 && last() == offset + length ? Stage.DONE : Stage.BEHIND;
            case BEHIND -> isAny ? Stage.DONE : Stage.BEFORE;
            default -> Stage.DONE;
        };
    }

    private long last() {
        return found.isEmpty() ? offset : found.get(found.size() - 1).to();
    }

    private static RuntimeException tooMany() {
        return Fault.of(FaultCode.REC2BIG, "a range of more than %d extents", FRAGMENTS_MAX)
                .remedy("fetch fewer bytes at once")
                .asException();
    }

    /** What was found, once it is done. */
    public GroupReader.ArrayRange range() {
        long present = isMore ? length : last() - offset;
        return new GroupReader.ArrayRange(found, present, !isAny);
    }
}
