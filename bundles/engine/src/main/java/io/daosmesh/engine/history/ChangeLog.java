package io.daosmesh.engine.history;

import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Which dkeys of a shard have changed since a map version, kept while a target of the pool is away: one that comes back pulls
 * these and nothing else. A change is noted in the operation that makes it durable. Bounded: a log that is full is dropped and
 * begins anew with the next map, and who was away before that pulls everything. Owner: target loop.
 */
public final class ChangeLog {
    /** Scopes noted at most; about 150 bytes each in memory. */
    public static final int KEPT_MAX = 65_536;
    /** Bytes of their keys at most. */
    static final long KEPT_BYTES_MAX = 8 << 20;
    /** Keys listed for one group; with more of them all of it has changed. */
    static final long LISTED_BYTES_MAX = 512 << 10;

    private static final int NEVER = Integer.MAX_VALUE;

    private final UUID pool;
    private final Map<ByteKey, Map<ByteKey, Mark>> groups = new HashMap<>();
    private int count;
    private long bytes;
    /** First map version of which every change is known. */
    private int since = NEVER;

    private int version;
    /** See {@link #newest}. */
    private int newest;
    /** The first operation that carries {@code since}; null = it is durable. Until then all later ones carry it, too. */
    private @Nullable StagedOp sinceOp;

    /** @param isDurable the index has it; else every operation that changes the scope carries it */
    private record Mark(int version, boolean isDurable) {}

    /**
     * What has changed in a group.
     *
     * @param isAll it is not known, or all of it
     * @param dkeys empty if {@code isAll}
     */
    public record Changes(boolean isAll, List<byte[]> dkeys) {
        static final Changes ALL = new Changes(true, List.of());
    }

    public ChangeLog(UUID pool) {
        this.pool = pool;
    }

    /** What the index remembers. */
    public void load(KvReader kv) {
        byte[] table = Keys.changes(pool);
        try (KvCursor c = kv.cursor(KvRange.prefix(table))) {
            while (c.next()) {
                int at = ByteBuffer.wrap(c.value()).getInt();
                if (c.key().length == table.length) since = at;
                else put(Keys.recordOf(c.key()), new Mark(at, true));
            }
        }
    }

    /** @param before newest map version that the shard has acted by so far; 0 = none */
    public void adopt(int before, PoolMap map, StagedOp op) {
        version = map.version();
        boolean isWhole = map.targets().stream().allMatch(t -> t.state() == TargetState.UPIN);
        if (isWhole && since != NEVER) {
            clear(op);
            since = NEVER;
        } else if (!isWhole && since == NEVER) {
            begin(before == 0 ? version : before + 1, op);
        }
    }

    private void begin(int from, StagedOp op) {
        since = from;
        sinceOp = op;
        op.batch().put(Keys.changes(pool), number(since));
    }

    private void clear(StagedOp op) {
        byte[] table = Keys.changes(pool);
        op.batch().deleteRange(table, Keys.behind(table));
        groups.clear();
        count = 0;
        bytes = 0;
        sinceOp = null;
    }

    private static byte[] number(int n) {
        return ByteBuffer.allocate(4).putInt(n).array();
    }

    /**
     * Newest map version by which the shard took a change, had one open or was a source, since it was opened; 0 = none. Who was
     * away from a later version on has missed nothing by it, and has deleted nothing on its word.
     */
    public int newest() {
        return newest;
    }

    /** Something ends by the present map that the others do not see as a change of it. */
    public void onPart() {
        newest = version;
    }

    /** The operation changes these scopes at the present map; {@link #onDurable} follows when it is durable. */
    public void note(List<byte[]> scopes, StagedOp op) {
        newest = version;
        if (since == NEVER) return;
        if (sinceOp != null) op.batch().put(Keys.changes(pool), number(since));
        for (byte[] scope : scopes) {
            if (version < since) return;
            note(scope, op);
        }
    }

    private void note(byte[] scope, StagedOp op) {
        Map<ByteKey, Mark> group = groups.getOrDefault(new ByteKey(Keys.groupOf(scope)), Map.of());
        if (isNoted(group.get(new ByteKey(Keys.punches(Keys.groupOf(scope)))))) return;
        if (isNoted(group.get(new ByteKey(scope)))) return;
        if (count >= KEPT_MAX || bytes + scope.length > KEPT_BYTES_MAX) {
            clear(op);
            begin(version + 1, op);
            return;
        }
        op.batch().put(Keys.change(scope), number(version));
        put(scope, new Mark(version, false));
    }

    private boolean isNoted(@Nullable Mark m) {
        return m != null && m.version == version && m.isDurable;
    }

    private void put(byte[] scope, Mark mark) {
        Mark old = groups.computeIfAbsent(new ByteKey(Keys.groupOf(scope)), g -> new HashMap<>())
                .put(new ByteKey(scope), mark);
        if (old != null) return;
        count++;
        bytes += scope.length;
    }

    /**
     * What {@link #note} or {@link #adopt} has added to the operation is durable.
     *
     * @param at map version at that time
     */
    public void onDurable(List<byte[]> scopes, int at, StagedOp op) {
        if (since == NEVER) return;
        if (sinceOp == op) sinceOp = null;
        for (byte[] scope : scopes) {
            Map<ByteKey, Mark> group = groups.get(new ByteKey(Keys.groupOf(scope)));
            if (group == null) continue;
            group.computeIfPresent(new ByteKey(scope), (k, m) -> m.version == at ? new Mark(at, true) : m);
        }
    }

    /** What has changed in a group by a map newer than this version. */
    public Changes since(byte[] groupPrefix, int asOf) {
        if (since == NEVER || since - 1 > asOf) return Changes.ALL;
        List<byte[]> dkeys = new ArrayList<>();
        long listed = 0;
        for (Map.Entry<ByteKey, Mark> e :
                groups.getOrDefault(new ByteKey(groupPrefix), Map.of()).entrySet()) {
            if (e.getValue().version <= asOf) continue;
            byte[] scope = e.getKey().bytes();
            listed += scope.length;
            if (Keys.isWholeGroup(scope) || listed > LISTED_BYTES_MAX) return Changes.ALL;
            dkeys.add(Keys.dkeyOf(scope));
        }
        return new Changes(false, dkeys);
    }

    /** Scopes that are noted. */
    public int count() {
        return count;
    }
}
