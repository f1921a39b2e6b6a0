package io.daosmesh.engine.shard;

import io.daosmesh.engine.dtx.DtxEntry;
import io.daosmesh.engine.dtx.DtxRoom;
import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.history.ChangeLog;
import io.daosmesh.engine.history.Holdings;
import io.daosmesh.engine.turn.StagedOp;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.PoolSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The share of one pool on one target: its map, DTXs and space. Owner: target loop. */
public final class PoolShard {
    /** Groups whose placement is remembered; a map change forgets them. */
    private static final int GROUPS_CACHED_MAX = 4096;

    /** Life of a shard. */
    public enum State {
        SERVING,
        CLOSED,
        /** Its index is damaged or of another release. */
        FAILED
    }

    private record GroupKey(ObjectId oid, int group) {}

    private final PoolSpace space;
    private final VosWriter writer;
    private final int rank;
    private final int targetIndex;
    private final DtxTable dtx;
    private final ShardCounters counters = new ShardCounters();
    private final DamagedRecords damaged;
    private final ChangeLog changes;
    private final Holdings holdings;
    private final Map<GroupKey, ShardGroup> groups = new HashMap<>();
    private Marker marker;
    private @Nullable PoolMap map;
    private int myId = -1;
    private volatile State state = State.SERVING;
    private volatile @Nullable Fault failure;

    public PoolShard(PoolSpace space, VosWriter writer, Marker marker, int rank, int targetIndex, DtxRoom updates) {
        this.space = space;
        this.writer = writer;
        this.marker = marker;
        this.rank = rank;
        this.targetIndex = targetIndex;
        this.dtx = new DtxTable(updates);
        this.damaged = new DamagedRecords(space.pool());
        this.changes = new ChangeLog(space.pool());
        this.holdings = new Holdings(space.pool());
    }

    public UUID pool() {
        return space.pool();
    }

    public PoolSpace space() {
        return space;
    }

    public VosWriter writer() {
        return writer;
    }

    public DtxTable dtx() {
        return dtx;
    }

    public ShardCounters counters() {
        return counters;
    }

    public DamagedRecords damaged() {
        return damaged;
    }

    public ChangeLog changes() {
        return changes;
    }

    public Holdings holdings() {
        return holdings;
    }

    /** The stored bytes of a record are not what was written. Any thread. */
    public void onDamage(TargetContext context, VosRecord record, Fault fault) {
        onDamagedEntry(context, fault);
        onUnreadable(context, record);
    }

    /** What the index holds in the place of a record is none. Any thread. */
    public void onDamagedEntry(TargetContext context, Fault fault) {
        counters.damaged.increment();
        context.host().onDamage(pool(), fault);
    }

    /** The stored bytes of a record cannot be had. Any thread. */
    public void onUnreadable(TargetContext context, VosRecord record) {
        context.loop().execute(() -> damaged.found(record.key(), context.nowNs()));
    }

    /** What it remembers over restarts, once it is in the index. */
    public Marker marker() {
        return marker;
    }

    public void setMarker(Marker next) {
        marker = next;
    }

    /** Why it is FAILED; null if it is not. */
    public @Nullable Fault failure() {
        return failure;
    }

    public State state() {
        return state;
    }

    public void setState(State next) {
        state = next;
    }

    public void fail(Fault fault) {
        failure = fault;
        state = State.FAILED;
    }

    public @Nullable PoolMap map() {
        return map;
    }

    public int mapVersion() {
        PoolMap m = map;
        return m == null ? 0 : m.version();
    }

    /** @param op remembers it; durable before any update by this map */
    public void adopt(PoolMap next, StagedOp op) {
        changes.adopt(marker.knownVersion(), next, op);
        // a change that was begun by an older map may end by this one
        if (!dtx.prepared().isEmpty()) changes.onPart();
        map = next;
        marker = marker.withKnown(next.version());
        groups.clear();
        myId = -1;
        for (PoolTarget t : next.ofRank(rank)) if (t.index() == targetIndex) myId = t.id();
        PoolTarget me = me();
        if (me == null) return;
        if (marker.blobId() == space.blob().blobId()) holdings.adopt(next, me, op);
        else if (!me.isHolder()) onNewBlob(op);
        if (me.state() == TargetState.UP && me.changedVersion() > marker.returnedVersion()) {
            // who decides them may have forgotten them long ago
            for (DtxEntry e : dtx.prepared()) holdings.open(e.scopes(), op);
            marker = marker.withReturned(me.changedVersion());
        }
    }

    /** The device was replaced while the target was out: what the index tells of is not there, and has to be pulled anew. */
    private void onNewBlob(StagedOp op) {
        holdings.forgetAll(op);
        marker = marker.withBlob(space.blob().blobId());
    }

    public int myId() {
        return myId;
    }

    public @Nullable PoolTarget me() {
        PoolMap m = map;
        return m == null || myId < 0 ? null : m.target(myId);
    }

    public PoolTarget target(int id) {
        PoolMap m = map;
        if (m == null) throw Fault.of(FaultCode.UNINIT).asException();
        return m.target(id);
    }

    public ShardGroup group(ObjectId oid, int group) {
        PoolMap m = map;
        if (m == null) throw Fault.of(FaultCode.UNINIT).asException();
        if (groups.size() >= GROUPS_CACHED_MAX) groups.clear();
        return groups.computeIfAbsent(new GroupKey(oid, group), k -> Placement.group(m, oid, group));
    }

    /** Null if this shard serves at all. */
    public @Nullable Fault refusal() {
        PoolTarget me = me();
        Fault f = failure;
        if (state == State.CLOSED) return Fault.of(FaultCode.NONEXIST, "the pool is not on this target");
        if (me == null) return Fault.of(FaultCode.AGAIN, "the pool map has not arrived yet");
        // in the map it is excluded soon: another target serves then
        if (f != null && !me.state().isDisabled()) {
            return Fault.of(FaultCode.AGAIN, "the target does not serve the pool: %s", f.message())
                    .with("state", "stopped");
        }
        if (me.state() == TargetState.DOWN || me.state() == TargetState.DOWNOUT || me.state() == TargetState.NEW) {
            return Fault.of(FaultCode.STALE, "this target is %s", me.state().label())
                    .with("need", mapVersion());
        }
        return f;
    }

    /** Ranks of the other members of a group. */
    public List<Integer> otherRanks(ShardGroup group) {
        List<Integer> ranks = new ArrayList<>(group.members().size());
        for (int id : group.members()) {
            int r = target(id).rank();
            if (r != rank) ranks.add(r);
        }
        return ranks;
    }

    /** Others hold the group; a newer map may give it back to this target. */
    public boolean isForeign(byte[] groupPrefix) {
        Keys.Parts p = Keys.parse(groupPrefix);
        ShardGroup g = group(p.oid(), p.group());
        return g.isAvailable() && !g.members().contains(myId);
    }

    /** True while records may not be dropped: data is being moved by epoch. */
    public boolean isRebuilding() {
        PoolMap m = map;
        return m == null || m.needsRebuild();
    }

    /** True if its state lets it take part in its pool. */
    public boolean isServing() {
        PoolTarget me = me();
        return state == State.SERVING && me != null && !me.state().isDisabled();
    }
}
