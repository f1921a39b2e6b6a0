package io.daosmesh.management.pool;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.management.log.Outcomes;
import io.daosmesh.management.log.Replicated;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolPropertiesMessage;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolSnapshotMessage;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RankSetMessage;
import io.daosmesh.model.wire.RebuildSession;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One pool's service: map, containers, object-id ranges, rebuild generations. Owner: the applier of the pool's Raft group.
 * Source of the rules: daos-engine facts 2 and 12.
 */
public final class PoolDb implements Replicated {
    public static final int LAYOUT = StoredFormat.POOL_SERVICE.newest();
    private static final Set<LogCommand.CommandCase> OF_CONTAINERS = Set.of(
            LogCommand.CommandCase.CONTAINER_CREATE,
            LogCommand.CommandCase.CONTAINER_MAKE,
            LogCommand.CommandCase.CONTAINER_PROPERTIES,
            LogCommand.CommandCase.CONTAINER_DESTROY);
    /** Told to servers as a property of the pool: its containers that the scrubber leaves alone. */
    private static final String UNSCRUBBED = "unscrubbed";

    /** Null until the first command of the group has made the pool. */
    private @Nullable PoolEntryMessage entry;

    private @Nullable PoolMap map;
    private long generation;
    /** Nobody has asked by hand for what the map has to rebuild: whether to is the policy's question. */
    private boolean rebuildAutomatic;
    /** Map version whose rebuild a person has stopped; any change of the map begins another one. 0 = none. */
    private int rebuildStoppedVersion;

    /** Ranks that the service has left and that may still have a replica. */
    private final TreeSet<Integer> retired = new TreeSet<>();

    private final Containers containers = new Containers();
    private final Returns returns = new Returns();
    private final Outcomes outcomes = new Outcomes();
    private final Access access = new Access(this, containers);

    /** Owners, access control lists and handles. */
    public Access access() {
        return access;
    }

    public boolean isMade() {
        return map != null;
    }

    /** AGAIN while the pool is being made. */
    public PoolMap map() {
        if (map == null) throw notYet();
        return map;
    }

    public PoolEntryMessage entry() {
        if (entry == null) throw notYet();
        return entry;
    }

    public List<ContainerMessage> containers() {
        return containers.live();
    }

    /** Ranks that may still have a replica of this service without being a member of it. */
    public List<Integer> retiredRanks() {
        return List.copyOf(retired);
    }

    /** Destroyed containers whose data some target may still hold. */
    public List<UUID> doomedContainers() {
        return containers.doomed();
    }

    /** The same with the ranks that have not dropped them. */
    public Map<UUID, Set<Integer>> heldContainers() {
        Map<UUID, Set<Integer>> held = new LinkedHashMap<>();
        for (UUID c : containers.doomed()) {
            Set<Integer> ranks = containers.heldBy(c);
            // Destroyed under a release that did not keep the ranks: any may hold it.
            held.put(c, ranks.isEmpty() ? map().ranks() : ranks);
        }
        return held;
    }

    public ContainerMessage container(String idOrLabel) {
        return containers
                .find(idOrLabel)
                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "container '%s' does not exist", idOrLabel)
                        .asException());
    }

    /** What an exclusion may cost: the least redundant container that may hold data decides. */
    public TargetChanges.Guard guard() {
        return containers
                .weakest()
                .map(c -> new TargetChanges.Guard(c.getRdFac(), "container '" + c.getLabel() + "'"))
                .orElseGet(() -> new TargetChanges.Guard(Math.max(1, rdFac()), "the pool"));
    }

    public Returns returns() {
        return returns;
    }

    public Optional<LogReply> outcome(String requestId) {
        return outcomes.find(requestId);
    }

    /** Redundancy factor of the pool's properties. */
    public int rdFac() {
        return PoolProperties.rdFac(entry().getPropertiesMap());
    }

    /** Copies of an object in the most demanding container; 1 without any. */
    public int copiesWanted() {
        return containers().stream().mapToInt(PoolDb::copies).max().orElse(1);
    }

    private static int copies(ContainerMessage c) {
        return Math.max(ContainerHealth.copies(c), c.getRdFac() + 1);
    }

    /** Bytes kept for the users of the pool, see {@link PoolBudget}. */
    long keptBytes() {
        return entry().getSerializedSize() + containers.bytes();
    }

    /** Properties with the values that hold. */
    public Map<String, String> properties() {
        return PoolProperties.effective(entry());
    }

    /** What servers are told beside the map. */
    public PoolPropertiesMessage propertiesMessage() {
        PoolPropertiesMessage.Builder b = PoolPropertiesMessage.newBuilder()
                .setPool(entry().getPool())
                .setVersion(entry().getPropertiesVersion())
                .putAllValues(entry().getPropertiesMap());
        List<UUID> unscrubbed = containers.unscrubbed();
        if (!unscrubbed.isEmpty())
            b.putValues(UNSCRUBBED, unscrubbed.stream().map(UUID::toString).collect(Collectors.joining(",")));
        return b.build();
    }

    /** What was set for all pools and is news to this one; until then its own word counts. */
    public Map<String, String> news(Map<String, String> system) {
        Map<String, String> news = SystemProperties.ofPools(system);
        news.entrySet().removeAll(entry().getFollowedMap().entrySet());
        return news;
    }

    /** A person has stopped the rebuild that this map asks for. */
    public boolean isRebuildStopped() {
        return map != null && rebuildStoppedVersion == map.version();
    }

    /** NONEXIST when there is no rebuild that a person could stop. */
    public void checkStoppable() {
        if (map().needsRebuild() && !isRebuildStopped()) return;
        throw Fault.of(
                        FaultCode.NONEXIST,
                        isRebuildStopped() ? "the rebuild of the pool is stopped already" : "the pool has no rebuild")
                .remedy("see dmg pool query for the state of the rebuild")
                .asException();
    }

    /** What the map has to rebuild may be rebuilt; what a person asked for always may, what a person has stopped may not. */
    public boolean mayRebuild(boolean systemAllows) {
        if (isRebuildStopped()) return false;
        boolean isAllowed = systemAllows && PoolProperties.mayRebuild(entry().getPropertiesMap());
        return !map().needsRebuild() || !rebuildAutomatic || isAllowed;
    }

    @Override
    public byte[] apply(byte[] bytes) {
        LogReply reply;
        try {
            LogCommand c = LogCommand.parseFrom(bytes);
            Optional<LogReply> before = outcomes.find(c.getRequestId());
            if (before.isPresent()) return before.get().toByteArray();
            boolean isOfContainers = OF_CONTAINERS.contains(c.getCommandCase());
            List<UUID> unscrubbed = isOfContainers ? containers.unscrubbed() : List.of();
            reply = dispatch(c);
            if (isOfContainers && !containers.unscrubbed().equals(unscrubbed)) entry = withNews(entry());
            // A refusal changes nothing; forgetting it lets the same request succeed once its reason is gone.
            if (!reply.hasFault()) outcomes.keep(c.getRequestId(), reply);
        } catch (FaultException e) {
            reply = Replies.refused(e.fault());
        } catch (InvalidProtocolBufferException e) {
            reply = Replies.refused(Fault.of(FaultCode.PROTO, "unreadable command in a pool's log"));
        } catch (RuntimeException e) {
            reply = Replies.impossible(e);
        }
        return reply.toByteArray();
    }

    private LogReply dispatch(LogCommand c) {
        return switch (c.getCommandCase()) {
            case POOL_INIT -> init(c.getPoolInit());
            case TARGETS -> targets(c.getTargets(), c.getHlc());
            case REBUILD_DONE -> rebuildDone(c.getRebuildDone());
            case NEXT_GENERATION ->
                Replies.done(
                        RebuildSession.newBuilder().setGeneration(++generation).build());
            case CONTAINER_CREATE ->
                Replies.done(containers.create(c.getContainerCreate(), c.getHlc(), map().version()));
            case CONTAINER_DESTROY -> {
                containers.doom(c.getContainerDestroy(), map().ranks());
                access.onContainerGone(c.getContainerDestroy());
                yield Replies.DONE;
            }
            case CONTAINER_GONE -> {
                containers.forget(c.getContainerGone());
                yield Replies.DONE;
            }
            case CONTAINER_DROPPED -> {
                containers.dropped(
                        c.getContainerDropped().getContainer(),
                        c.getContainerDropped().getRanksList());
                yield Replies.DONE;
            }
            case OID_TAKE -> {
                long first = containers.take(
                        c.getOidTake().getContainer(), c.getOidTake().getCount());
                yield Replies.done(OidRangeReply.newBuilder().setFirst(first).build());
            }
            case POOL_PROPERTIES -> setProperties(c.getPoolProperties());
            case CONTAINER_PROPERTIES -> {
                var r = c.getContainerProperties();
                ContainerMessage changed = containers.setProperties(r.getContainer(), r.getSetMap(), map());
                yield Replies.done(PropertiesReply.newBuilder()
                        .putAllValues(ContainerHealth.properties(changed))
                        .build());
            }
            case SERVICE_RANKS -> serviceRanks(c.getServiceRanks());
            case REBUILD -> rebuild(c.getRebuild());
            case REPLICA_GONE -> {
                retired.remove(c.getReplicaGone());
                yield Replies.DONE;
            }
            case POOL_CONNECT, HANDLES_END, CONTAINER_OPEN, ACL_CHANGE, OWNER_CHANGE, CONTAINER_MAKE -> access.apply(c);
            default -> Replies.refused(Fault.of(FaultCode.PROTO, "a pool's log knows no %s", c.getCommandCase()));
        };
    }

    private LogReply init(PoolInitMessage m) {
        if (map == null) {
            map = PoolMap.fromWire(m.getMap());
            entry = m.getEntry();
        }
        return Replies.DONE;
    }

    private LogReply targets(TargetsChangeMessage m, long hlc) {
        PoolMap before = map();
        map = TargetChanges.apply(before, withIdleSince(m), entry().getPropertiesMap(), guard());
        if (map.version() != before.version()) {
            containers.review(map);
            returns.onDecision(changedRanks(before, map), m.getGroupVersion(), map);
            if (m.getOp() == PoolTargetsRequest.Op.EXCLUDE && m.getGroupVersion() > 0)
                returns.onExclusion(changedRanks(before, map), m.getGroupVersion(), map);
            if (m.getAutomatic() && m.getOp() == PoolTargetsRequest.Op.EXCLUDE)
                onLeft(m, changedRanks(before, map), hlc);
            boolean isAutomatic = m.getAutomatic() || m.getByServer() && m.getOp() == PoolTargetsRequest.Op.EXCLUDE;
            rebuildAutomatic = isAutomatic && (rebuildAutomatic || !before.needsRebuild());
            if (m.getOp() == PoolTargetsRequest.Op.EXTEND) poolRanks();
        }
        return Replies.done(
                PoolTargetsReply.newBuilder().setMapVersion(map.version()).build());
    }

    /** A target that serves nothing knows what it took since its start; what it took before is known by when that start was. */
    private TargetsChangeMessage withIdleSince(TargetsChangeMessage m) {
        if (!m.getByServer() || m.getJoinedVersion() == 0) return m;
        int since = Math.max(m.getUpdatedVersion() + 1, returns.startedBefore(m.getJoinedVersion()));
        return m.toBuilder().setIdleSince(since).build();
    }

    private void onLeft(TargetsChangeMessage m, Set<Integer> ranks, long hlc) {
        switch (m.getDeparture()) {
            case DEATH -> returns.onDeath(ranks, hlc);
            case SILENCE -> returns.onSilence(ranks, hlc);
            default -> {}
        }
    }

    /** A new version, which the management service will hear of: whoever destroys the pool looks there. */
    private void poolRanks() {
        entry = entry().toBuilder()
                .clearRanks()
                .addAllRanks(map().ranks())
                .setServiceVersion(entry().getServiceVersion() + 1)
                .build();
    }

    private static Set<Integer> changedRanks(PoolMap before, PoolMap after) {
        return after.targets().stream()
                .filter(t -> t.id() >= before.targets().size()
                        || t.state() != before.target(t.id()).state())
                .map(PoolTarget::rank)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** A start is a person's wish: from now on the policy has no say in this rebuild. */
    private LogReply rebuild(PoolRebuildRequest.Op op) {
        switch (op) {
            case START -> {
                rebuildStoppedVersion = 0;
                if (map().needsRebuild()) rebuildAutomatic = false;
            }
            case STOP -> {
                checkStoppable();
                rebuildStoppedVersion = map().version();
            }
            case UNRECOGNIZED ->
                throw Fault.of(FaultCode.PROTO, "a pool's log knows no such rebuild command")
                        .asException();
        }
        return Replies.DONE;
    }

    private LogReply rebuildDone(int version) {
        if (map().version() != version) {
            throw Fault.of(FaultCode.STALE, "the pool map has moved on during the rebuild")
                    .with("have", version)
                    .with("need", map().version())
                    .asException();
        }
        if (isRebuildStopped())
            throw Fault.of(FaultCode.OP_CANCELED, "the rebuild has been stopped")
                    .asException();
        map = map().afterRebuild(containers.weakest().map(c -> c.getRdFac() + 1).orElse(Integer.MAX_VALUE));
        return Replies.done(map.toWire());
    }

    /** Servers have to be told. */
    private static PoolEntryMessage withNews(PoolEntryMessage entry) {
        return entry.toBuilder()
                .setPropertiesVersion(entry.getPropertiesVersion() + 1)
                .build();
    }

    private LogReply setProperties(PropertiesRequest r) {
        entry = entry().toBuilder()
                .putAllProperties(PoolProperties.changed(r.getSetMap()))
                .setPropertiesVersion(entry().getPropertiesVersion() + 1)
                .putAllFollowed(r.getFollowedMap())
                .build();
        return Replies.done(
                PropertiesReply.newBuilder().putAllValues(properties()).build());
    }

    private LogReply serviceRanks(RankSetMessage m) {
        PoolEntryMessage before = entry();
        if (m.getRanksList().equals(before.getServiceRanksList())) return Replies.DONE;
        retired.addAll(before.getServiceRanksList());
        m.getRanksList().forEach(retired::remove);
        entry = before.toBuilder()
                .clearServiceRanks()
                .addAllServiceRanks(m.getRanksList())
                .setServiceVersion(before.getServiceVersion() + 1)
                .build();
        return Replies.DONE;
    }

    /** A new version, which the management service will hear of. */
    void setAcl(Acl acl) {
        entry = entry().toBuilder()
                .setAcl(AclMessage.newBuilder().addAllEntries(acl.lines()))
                .setServiceVersion(entry().getServiceVersion() + 1)
                .build();
    }

    @Override
    public byte[] snapshot() {
        PoolSnapshotMessage.Builder b =
                PoolSnapshotMessage.newBuilder().setLayout(LAYOUT).setGeneration(generation);
        if (map != null) b.setMap(map.toWire());
        if (entry != null) b.setEntry(entry);
        return b.addAllContainers(containers.save())
                .addAllRetiredRanks(retired)
                .setRebuildAutomatic(rebuildAutomatic)
                .setRebuildStoppedVersion(rebuildStoppedVersion)
                .addAllReturns(returns.save())
                .addAllOutcomes(outcomes.save())
                .addAllPoolHandles(access.handles().savePools())
                .addAllContainerHandles(access.handles().saveContainers())
                .build()
                .toByteArray();
    }

    @Override
    public void restore(byte[] bytes) {
        PoolSnapshotMessage s;
        try {
            s = PoolSnapshotMessage.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw Replies.damaged("the snapshot of a pool service", e);
        }
        StoredFormat.POOL_SERVICE.check(s.getLayout());
        if (s.hasMap() != s.hasEntry()) {
            throw Fault.of(FaultCode.DF_INVAL, "the snapshot of a pool service is damaged: it has half a pool")
                    .asException();
        }
        map = s.hasMap() ? PoolMap.fromWire(s.getMap()) : null;
        entry = s.hasEntry() ? s.getEntry() : null;
        generation = s.getGeneration();
        rebuildAutomatic = s.getRebuildAutomatic();
        rebuildStoppedVersion = s.getRebuildStoppedVersion();
        returns.load(s.getReturnsList());
        retired.clear();
        retired.addAll(s.getRetiredRanksList());
        containers.load(s.getContainersList());
        outcomes.load(s.getOutcomesList());
        access.handles().load(s.getPoolHandlesList(), s.getContainerHandlesList());
    }

    private static FaultException notYet() {
        return Fault.of(FaultCode.AGAIN, "the pool is being created").asException();
    }

    /** For logs. */
    @Override
    public String toString() {
        return map == null ? "pool in the making" : "pool " + Ids.uuid(entry().getPool()) + " version " + map.version();
    }
}
