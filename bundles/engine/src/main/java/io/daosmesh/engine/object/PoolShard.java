package io.daosmesh.engine.object;

import io.daosmesh.engine.dtx.DtxTable;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosWriter;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.DtxId;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.PoolSpace;
import java.nio.ByteBuffer;
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

    private static final byte MARKER_LAYOUT = 1;

    /** Life of a shard. */
    public enum State {
        SERVING,
        /** Deletes what it held before it came back. */
        CLEANING,
        CLOSED,
        /** Its index is damaged or of another release. */
        FAILED
    }

    private record GroupKey(ObjectId oid, int group) {}

    private final PoolSpace space;
    private final VosWriter writer;
    private final int rank;
    private final int targetIndex;
    private final DtxTable dtx = new DtxTable();
    private final ShardCounters counters = new ShardCounters();
    private final Map<GroupKey, ShardGroup> groups = new HashMap<>();
    final Map<DtxId, LeaderWrite> leading = new HashMap<>();
    /** Member writes that are not durable yet, by map version. */
    final Map<Integer, Integer> preparing = new HashMap<>();

    final Waiting<Access.Wait> parked = Access.waiting();
    final List<Committable> committables = new ArrayList<>();
    final int dataThresholdBytes;
    long oldestCommittableNs;
    int cleanedVersion;
    /** When a failed cleaning begins anew; 0 = none has failed. */
    long cleanAgainNs;
    /** Deletions of groups that left this target: rebuild must not fill one of them meanwhile. */
    int reclaiming;
    /** Newest map version acted by, in this life or a former one: durable before any update of it, never undercut. */
    int knownVersion;
    /** Newest map version at which no former leader can read by an older one. Durable: a restart must not forget to wait. */
    int calmVersion;

    final Destroyed destroyed = new Destroyed();
    final Reigns.Memory reigns = new Reigns.Memory();
    final Readers.Memory readers = new Readers.Memory();
    final CarriedIds.Memory carried = new CarriedIds.Memory();
    final Aborts.Memory aborts = new Aborts.Memory();
    /** When the present map was adopted. */
    long adoptedNs;
    /** Excluded because its device was gone or faulty: comes back with the device. Durable in the marker. */
    boolean isOutForDevice;
    /** Updates and punches since the last aggregation: without any there is nothing to drop. */
    long changes;

    private @Nullable PoolMap map;
    private int myId = -1;
    private volatile State state = State.SERVING;
    private volatile @Nullable Fault failure;

    /** A DTX that all members have and the members still have to be told of. */
    record Committable(DtxTable.Committed dtx, List<Integer> members) {}

    public PoolShard(PoolSpace space, VosWriter writer, int dataThresholdBytes, int rank, int targetIndex) {
        this.space = space;
        this.writer = writer;
        this.dataThresholdBytes = dataThresholdBytes;
        this.rank = rank;
        this.targetIndex = targetIndex;
    }

    public UUID pool() {
        return space.pool();
    }

    public PoolSpace space() {
        return space;
    }

    VosWriter writer() {
        return writer;
    }

    public DtxTable dtx() {
        return dtx;
    }

    public ShardCounters counters() {
        return counters;
    }

    /** Why it is FAILED; null if it is not. */
    public @Nullable Fault failure() {
        return failure;
    }

    public State state() {
        return state;
    }

    void setState(State next) {
        state = next;
    }

    void fail(Fault fault) {
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

    void adopt(PoolMap next) {
        map = next;
        knownVersion = next.version();
        groups.clear();
        myId = -1;
        for (PoolTarget t : next.ofRank(rank)) if (t.index() == targetIndex) myId = t.id();
    }

    int myId() {
        return myId;
    }

    @Nullable
    PoolTarget me() {
        PoolMap m = map;
        return m == null || myId < 0 ? null : m.target(myId);
    }

    PoolTarget target(int id) {
        PoolMap m = map;
        if (m == null) throw Fault.of(FaultCode.UNINIT).asException();
        return m.target(id);
    }

    ShardGroup group(ObjectId oid, int group) {
        PoolMap m = map;
        if (m == null) throw Fault.of(FaultCode.UNINIT).asException();
        if (groups.size() >= GROUPS_CACHED_MAX) groups.clear();
        return groups.computeIfAbsent(new GroupKey(oid, group), k -> Placement.group(m, oid, group));
    }

    /** Null if this shard serves at all. */
    @Nullable
    Fault refusal() {
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
        if (f != null) return f;
        if (state == State.CLEANING) return Fault.of(FaultCode.BUSY, "the target is being cleaned after its return");
        return null;
    }

    /** Ranks of the other members of a group. */
    List<Integer> otherRanks(ShardGroup group) {
        List<Integer> ranks = new ArrayList<>(group.members().size());
        for (int id : group.members()) {
            int r = target(id).rank();
            if (r != rank) ranks.add(r);
        }
        return ranks;
    }

    /** Others hold the group; a newer map may give it back to this target. */
    boolean isForeign(byte[] groupPrefix) {
        Keys.Parts p = Keys.parse(groupPrefix);
        ShardGroup g = group(p.oid(), p.group());
        return g.isAvailable() && !g.members().contains(myId);
    }

    boolean needsCleaning() {
        PoolTarget me = me();
        return me != null && me.state() == TargetState.UP && me.changedVersion() > cleanedVersion;
    }

    /** True while records may not be dropped: data is being moved by epoch. */
    boolean isRebuilding() {
        PoolMap m = map;
        return m == null || m.needsRebuild();
    }

    byte[] marker() {
        return ByteBuffer.allocate(18)
                .put(MARKER_LAYOUT)
                .putInt(dataThresholdBytes)
                .putInt(cleanedVersion)
                .put((byte) (isOutForDevice ? 1 : 0))
                .putInt(knownVersion)
                .putInt(calmVersion)
                .array();
    }

    /** Data threshold, cleaned version, 1 if out for the device, known and calm version; of older ones the last are 0. */
    static int[] readMarker(byte[] marker) {
        if (marker.length < 9 || marker[0] != MARKER_LAYOUT) {
            throw Fault.of(FaultCode.DF_INCOMPT, "marker of a pool shard of an unknown layout")
                    .asException();
        }
        ByteBuffer b = ByteBuffer.wrap(marker);
        boolean hasVersions = marker.length >= 18;
        return new int[] {
            b.getInt(1),
            b.getInt(5),
            marker.length > 9 ? marker[9] : 0,
            hasVersions ? b.getInt(10) : 0,
            hasVersions ? b.getInt(14) : 0
        };
    }
}
