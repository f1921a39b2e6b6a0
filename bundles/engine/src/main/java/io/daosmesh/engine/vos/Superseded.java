package io.daosmesh.engine.vos;

import io.daosmesh.storage.kv.KvCursor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds records that newer ones hide completely, looking only at committed records at or below a safe epoch. Pure.
 *
 * <p>A tombstone goes together with what it hides, in the same batch, unless something under it is still undecided.
 */
public final class Superseded {
    /**
     * @param records to be deleted together
     * @param next where to go on; null = the end was reached
     */
    public record Found(List<VosRecord> records, byte @Nullable [] next) {}

    /** What is known of one level of the walk: where its newest tombstone stands and whether it may go. */
    private static final class Level {
        byte[] prefix = VosRecord.NO_BYTES;
        long floor;

        @Nullable
        VosRecord tombstone;

        boolean isHeld;

        void enter(byte[] newPrefix, long floorAbove) {
            prefix = newPrefix;
            floor = floorAbove;
            tombstone = null;
            isHeld = false;
        }
    }

    private final long safeEpoch;
    private final Prepared prepared;
    private final List<VosRecord> records = new ArrayList<>();
    private final Level group = new Level();
    private final Level dkey = new Level();
    private final Level akey = new Level();
    private Set<Long> hidden = Set.of();
    private boolean isSingleSeen;
    private Uncovered uncovered = new Uncovered(0, Long.MAX_VALUE);

    private Superseded(long safeEpoch, Prepared prepared) {
        this.safeEpoch = safeEpoch;
        this.prepared = prepared;
    }

    /**
     * @param from a key that a previous search gave, or a prefix to begin with
     * @param entriesMax the search goes on to the end of a dkey once it has looked at so many
     */
    public static Found search(KvCursor cursor, byte[] from, long safeEpoch, Prepared prepared, int entriesMax) {
        Superseded search = new Superseded(safeEpoch, prepared);
        if (from.length > Keys.GROUP_BYTES) search.readGroupPunch(cursor, from);
        cursor.seek(from);
        int visited = 0;
        while (cursor.next()) {
            byte[] key = cursor.key();
            Keys.Parts p = Keys.parse(key);
            byte[] userDkey = p.dkey();
            boolean isNewGroup = !Arrays.equals(p.groupPrefix(), search.group.prefix);
            byte[] dkeyPrefix = userDkey == null ? p.groupPrefix() : Keys.under(p.groupPrefix(), userDkey);
            boolean isNewDkey = isNewGroup || !Arrays.equals(dkeyPrefix, search.dkey.prefix);
            if (isNewDkey && visited >= entriesMax) {
                search.group.isHeld |= !isNewGroup;
                search.leaveDkey();
                search.leave(search.group);
                return new Found(search.records, isNewGroup ? p.groupPrefix() : dkeyPrefix);
            }
            if (isNewGroup) search.enterGroup(p.groupPrefix());
            if (isNewDkey && userDkey != null) search.enterDkey(dkeyPrefix);
            visited++;
            search.look(VosRecord.decode(key, cursor.value()), p);
        }
        search.leaveDkey();
        search.leave(search.group);
        return new Found(search.records, null);
    }

    /** Goes on inside a group: its punch still counts, but must stay because a part was judged before. */
    private void readGroupPunch(KvCursor cursor, byte[] from) {
        byte[] prefix = Arrays.copyOf(from, Keys.GROUP_BYTES);
        enterGroup(prefix);
        byte[] punches = Keys.punches(prefix);
        cursor.seek(punches);
        while (cursor.next() && Keys.startsWith(cursor.key(), punches)) {
            long e = Keys.epoch(cursor.key());
            if (e <= safeEpoch && !hidden.contains(e)) group.floor = Math.max(group.floor, e);
        }
    }

    private void enterGroup(byte[] prefix) {
        leaveDkey();
        leave(group);
        group.enter(prefix, 0);
        hidden = prepared.epochs(Keys.punches(prefix));
    }

    private void enterDkey(byte[] prefix) {
        leaveDkey();
        dkey.enter(prefix, group.floor);
        hidden = prepared.epochs(prefix);
    }

    private void leaveDkey() {
        leave(akey);
        leave(dkey);
    }

    private void leave(Level level) {
        VosRecord t = level.tombstone;
        if (t != null && !level.isHeld) records.add(t);
        level.enter(VosRecord.NO_BYTES, 0);
    }

    private void look(VosRecord r, Keys.Parts p) {
        if (hidden.contains(r.epoch())) {
            group.isHeld = true;
            dkey.isHeld = true;
            akey.isHeld = true;
        }
        byte[] userAkey = p.akey();
        if (p.dkey() == null) {
            punch(r, group);
        } else if (userAkey == null) {
            punch(r, dkey);
        } else {
            byte[] prefix = Keys.under(dkey.prefix, userAkey);
            if (!Arrays.equals(prefix, akey.prefix)) {
                boolean isHeld = hidden.contains(r.epoch());
                leave(akey);
                akey.enter(prefix, dkey.floor);
                akey.isHeld = isHeld;
                isSingleSeen = false;
                uncovered = new Uncovered(0, Long.MAX_VALUE);
            }
            if (isHiddenByNewer(r)) records.add(r);
        }
    }

    /** Newest first: the first one at or below the safe epoch rules, older ones are hidden by it. */
    private void punch(VosRecord r, Level level) {
        long e = r.epoch();
        if (e > safeEpoch || hidden.contains(e)) return;
        if (e <= level.floor) {
            records.add(r);
            return;
        }
        level.floor = e;
        level.tombstone = r;
    }

    private boolean isHiddenByNewer(VosRecord r) {
        long e = r.epoch();
        if (e > safeEpoch || hidden.contains(e)) return false;
        if (e <= akey.floor) return true;
        switch (r.kind()) {
            case VosRecord.PUNCH_AKEY -> punch(r, akey);
            case VosRecord.SINGLE -> {
                if (isSingleSeen) return true;
                isSingleSeen = true;
            }
            default -> {
                boolean[] isSeen = new boolean[1];
                uncovered.take(r.offset(), r.endOffset(), (a, b) -> isSeen[0] = true);
                return !isSeen[0];
            }
        }
        return false;
    }
}
