package io.daosmesh.engine.history;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * As of which map version a shard holds a group complete, although it may have missed changes since: what it held when it was a
 * holder last, and what it has pulled after that. Durable. Owner: target loop.
 */
public final class Holdings {
    /** Entries of each kind; what goes beyond is not remembered and is pulled again. */
    public static final int KEPT_MAX = 65_536;

    private final UUID pool;
    /** The newest map by which this target was a holder; null = it never was, or nothing is sure any more. */
    private @Nullable PoolMap held;

    private int self = -1;
    /** Groups that were pulled completely, with the map version of that rebuild. */
    private final Map<ByteKey, Integer> pulled = new HashMap<>();
    /** Scopes that have to be pulled, whatever the source says. */
    private final NavigableSet<byte[]> gaps = new TreeSet<>(Arrays::compareUnsigned);

    /**
     * What a shard knows of a group of its own.
     *
     * @param asOf it has every change of this map version and of older ones; 0 = nothing is sure
     * @param dkeys but for these
     */
    public record Held(int asOf, List<byte[]> dkeys) {
        public static final Held NOTHING = new Held(0, List.of());
    }

    public Holdings(UUID pool) {
        this.pool = pool;
    }

    /** What the index remembers; DF_INVAL if it is damaged. */
    public void load(KvReader kv, int rank, int targetIndex) {
        byte[] map = kv.get(Keys.held(pool));
        try {
            if (map != null) hold(PoolMap.fromWire(PoolMapMessage.parseFrom(map)), rank, targetIndex);
        } catch (InvalidProtocolBufferException e) {
            throw Fault.of(FaultCode.DF_INVAL, "the pool map that a shard remembers is damaged")
                    .asException();
        }
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.pulled(pool)))) {
            while (c.next())
                pulled.put(
                        new ByteKey(Keys.recordOf(c.key())),
                        ByteBuffer.wrap(c.value()).getInt());
        }
        try (KvCursor c = kv.cursor(KvRange.prefix(Keys.gaps(pool)))) {
            while (c.next()) gaps.add(Keys.recordOf(c.key()));
        }
    }

    private void hold(PoolMap map, int rank, int targetIndex) {
        for (PoolTarget t : map.ofRank(rank)) {
            if (t.index() != targetIndex) continue;
            held = map;
            self = t.id();
        }
    }

    public void adopt(PoolMap map, PoolTarget me, StagedOp op) {
        if (!me.isHolder()) return;
        held = map;
        self = me.id();
        op.batch().put(Keys.held(pool), map.toWire().toByteArray());
        if (!map.needsRebuild()) {
            clear(Keys.pulled(pool), pulled.keySet(), op);
            clear(Keys.gaps(pool), gaps, op);
        }
    }

    private static void clear(byte[] table, Set<?> entries, StagedOp op) {
        if (!entries.isEmpty()) op.batch().deleteRange(table, Keys.behind(table));
        entries.clear();
    }

    public Held of(byte[] groupPrefix) {
        PoolMap h = held;
        int asOf = pulled.getOrDefault(new ByteKey(groupPrefix), 0);
        Keys.Parts p = Keys.parse(Keys.punches(groupPrefix));
        if (h != null && Placement.group(h, p.oid(), p.group()).settled().contains(self))
            asOf = Math.max(asOf, h.version());
        if (asOf == 0 || gaps.contains(Keys.punches(groupPrefix))) return Held.NOTHING;
        return new Held(asOf, under(groupPrefix).stream().map(Keys::dkeyOf).toList());
    }

    private List<byte[]> under(byte[] groupPrefix) {
        List<byte[]> scopes = new ArrayList<>();
        for (byte[] scope : gaps.tailSet(groupPrefix)) {
            if (!Keys.startsWith(scope, groupPrefix)) break;
            scopes.add(scope);
        }
        return scopes;
    }

    /** Nothing is sure any more: all that belongs here has to be pulled. */
    public void forgetAll(StagedOp op) {
        held = null;
        op.batch().delete(Keys.held(pool));
        clear(Keys.pulled(pool), pulled.keySet(), op);
        clear(Keys.gaps(pool), gaps, op);
    }

    /** From now on these have to be pulled. */
    public void open(List<byte[]> scopes, StagedOp op) {
        if (gaps.size() + scopes.size() > KEPT_MAX) {
            forgetAll(op);
            return;
        }
        for (byte[] scope : scopes) {
            op.batch().put(Keys.gap(scope), new byte[0]);
            gaps.add(scope);
        }
    }

    /** Adds to the operation that a part was pulled at a map version; {@link #onFilled} follows when it is stored. */
    public void fill(Part part, int mapVersion, StagedOp op) {
        for (byte[] prefix : part.prefixes()) {
            byte[] gap = Keys.gap(prefix);
            op.batch().deleteRange(gap, Keys.behind(gap));
        }
        if (!part.isWhole() || pulled.size() >= KEPT_MAX) return;
        byte[] version = ByteBuffer.allocate(4).putInt(mapVersion).array();
        op.batch().put(Keys.pulled(part.group()), version);
    }

    public void onFilled(Part part, int mapVersion) {
        part.scopes().forEach(gaps::remove);
        if (!part.isWhole()) return;
        under(part.group()).forEach(gaps::remove);
        if (pulled.size() < KEPT_MAX) pulled.put(new ByteKey(part.group()), mapVersion);
    }

    /** The group is deleted here. */
    public void forget(byte[] groupPrefix, StagedOp op) {
        if (pulled.remove(new ByteKey(groupPrefix)) != null) op.batch().delete(Keys.pulled(groupPrefix));
    }
}
