package io.daosmesh.management.system;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.management.log.Outcomes;
import io.daosmesh.management.log.Replicated;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.release.StoredFormat;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.JoinReply;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.MemberChangeMessage;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolOutcomeMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.PropertyMessage;
import io.daosmesh.model.wire.RankSetMessage;
import io.daosmesh.model.wire.SystemSnapshotMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/**
 * The system database: members with their states, pools, properties. Owner: the applier of the group {@code system}.
 * Source of the rules: daos-admin facts 4.1-4.3.
 */
public final class SystemDb implements Replicated {
    static final int LAYOUT = StoredFormat.SYSTEM_DATABASE.newest();
    /** Ranks; the simulator of gossip goes to 1,000. */
    static final int MEMBERS_MAX = 4096;

    static final int POOLS_MAX = 256;

    private final String system;
    private int mapVersion;
    private int nextRank;
    private final TreeMap<Integer, Member> members = new TreeMap<>();
    private final Map<UUID, PoolEntryMessage> pools = new LinkedHashMap<>();
    private final TreeMap<String, String> properties = new TreeMap<>();
    private final SystemAttributes attributes = new SystemAttributes();
    private final Outcomes outcomes = new Outcomes();

    public SystemDb(String system) {
        this.system = system;
    }

    public GroupMap groupMap() {
        return new GroupMap(system, mapVersion, List.copyOf(members.values()));
    }

    public int mapVersion() {
        return mapVersion;
    }

    public List<PoolEntryMessage> pools() {
        return List.copyOf(pools.values());
    }

    /** By UUID or label. */
    public Optional<PoolEntryMessage> pool(String idOrLabel) {
        return pools.values().stream()
                .filter(p -> p.getLabel().equals(idOrLabel)
                        || Ids.uuid(p.getPool()).toString().equals(idOrLabel))
                .findFirst();
    }

    public Optional<LogReply> outcome(String requestId) {
        return outcomes.find(requestId);
    }

    /** Members and properties as they are told to the nodes: a change of either makes a new version. */
    public GroupMapMessage groupMapMessage() {
        return groupMap().toWire().toBuilder().putAllProperties(properties).build();
    }

    /** Properties with the values that hold. */
    public Map<String, String> properties() {
        return SystemProperties.effective(system, properties);
    }

    /** INVAL for attributes that could not be kept. */
    public static void check(AttributesRequest r) {
        SystemAttributes.check(r);
    }

    /** What administrators have noted. */
    public Map<String, String> attributes() {
        return attributes.values();
    }

    @Override
    public byte[] apply(byte[] bytes) {
        LogReply reply;
        try {
            LogCommand c = LogCommand.parseFrom(bytes);
            Optional<LogReply> before = outcomes.find(c.getRequestId());
            if (before.isPresent()) return before.get().toByteArray();
            reply = dispatch(c);
            outcomes.keep(c.getRequestId(), reply);
        } catch (FaultException e) {
            reply = Replies.refused(e.fault());
        } catch (InvalidProtocolBufferException e) {
            reply = Replies.refused(Fault.of(FaultCode.PROTO, "unreadable command in the system log"));
        } catch (RuntimeException e) {
            reply = Replies.impossible(e);
        }
        return reply.toByteArray();
    }

    private LogReply dispatch(LogCommand c) {
        return switch (c.getCommandCase()) {
            case JOIN -> join(c.getJoin(), c.getHlc());
            case MEMBERS -> change(c.getMembers().getChangesList(), c.getHlc());
            case POOL_BEGIN -> begin(c.getPoolBegin(), c.getHlc());
            case POOL_READY -> ready(c.getPoolReady());
            case POOL_DESTROYING -> destroying(c.getPoolDestroying());
            case POOL_REMOVED -> removed(c.getPoolRemoved());
            case PROPERTY -> property(c.getProperty());
            case SYSTEM_PROPERTIES -> setProperties(c.getSystemProperties());
            case SYSTEM_ATTRIBUTES -> setAttributes(c.getSystemAttributes());
            case POOL_SERVICE_RANKS -> serviceRanks(c.getPoolServiceRanks());
            default -> Replies.refused(Fault.of(FaultCode.PROTO, "the system log knows no %s", c.getCommandCase()));
        };
    }

    private LogReply join(JoinRequest r, long hlc) {
        JoinRules.checkSystem(r, system);
        UUID uuid = Ids.uuid(r.getUuid());
        Optional<Member> known =
                members.values().stream().filter(m -> m.uuid().equals(uuid)).findFirst();
        Member joined;
        if (known.isPresent()) joined = rejoin(known.get(), r, hlc);
        else joined = r.getReplace() ? takePlace(uuid, r, hlc) : firstJoin(uuid, r, hlc);
        if (known.isEmpty() || !known.get().equals(joined)) {
            members.put(joined.rank(), joined);
            mapVersion++;
        }
        return Replies.done(JoinReply.newBuilder()
                .setRank(joined.rank())
                .setState(joined.state().toWire())
                .setGroupMap(groupMapMessage())
                .build());
    }

    private Member rejoin(Member m, JoinRequest r, long hlc) {
        if (r.getWantedRank() >= 0 && r.getWantedRank() != m.rank()) {
            throw Fault.of(
                            FaultCode.ID_MISMATCH,
                            "engine %s is rank %d of this system, but its storage says rank %d",
                            m.uuid(),
                            m.rank(),
                            r.getWantedRank())
                    .asException();
        }
        if (!r.getAddress().equals(m.address())) {
            throw Fault.of(
                            FaultCode.ID_MISMATCH,
                            "rank %d joined from %s before and now comes from %s",
                            m.rank(),
                            m.address(),
                            r.getAddress())
                    .remedy("start the node with the address it joined with")
                    .asException();
        }
        if (m.state() == MemberState.ADMIN_EXCLUDED) {
            throw Fault.of(FaultCode.EXCLUDED, "rank %d is administratively excluded", m.rank())
                    .remedy("run dmg system clear-exclude first")
                    .asException();
        }
        if (r.getIncarnation() < m.incarnation()) {
            throw Fault.of(FaultCode.STALE, "a newer incarnation of rank %d has joined", m.rank())
                    .asException();
        }
        // A repeated join (lost answer) must not undo what has happened to this incarnation since.
        if (r.getIncarnation() == m.incarnation()) return m;
        return member(m.rank(), m.uuid(), r, hlc);
    }

    private Member firstJoin(UUID uuid, JoinRequest r, long hlc) {
        if (r.getWantedRank() >= 0) {
            throw Fault.of(
                            FaultCode.ID_MISMATCH,
                            "engine %s says it is rank %d, but this system does not know it",
                            uuid,
                            r.getWantedRank())
                    .remedy("format its storage again to join as a new rank")
                    .asException();
        }
        if (members.size() >= MEMBERS_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "the system has %d ranks, the most it can have", MEMBERS_MAX)
                    .asException();
        }
        if (!r.getFaultDomain().startsWith("/") || r.getFaultDomain().length() < 2) {
            throw Fault.of(FaultCode.INVAL, "fault domain '%s' is not a path", r.getFaultDomain())
                    .remedy("set fault_path to something like /rack1/node1")
                    .asException();
        }
        return member(nextRank++, uuid, r, hlc);
    }

    private Member takePlace(UUID uuid, JoinRequest r, long hlc) {
        Member lost = Replacement.lost(r, members.values());
        return member(lost.rank(), uuid, r, hlc)
                .withState(MemberState.JOINED, "took the place of engine " + lost.uuid(), hlc);
    }

    private static Member member(int rank, UUID uuid, JoinRequest r, long hlc) {
        return new Member(
                rank,
                uuid,
                r.getAddress(),
                r.getFaultDomain(),
                MemberState.JOINED,
                r.getIncarnation(),
                r.getTargetCount(),
                r.getEngineIndex(),
                "",
                hlc);
    }

    /** Skips what the table of moves forbids and what speaks of an older life of the rank; answers the ranks changed. */
    private LogReply change(List<MemberChangeMessage> changes, long hlc) {
        RankSetMessage.Builder changed = RankSetMessage.newBuilder();
        for (MemberChangeMessage c : changes) {
            Member m = members.get(c.getRank());
            MemberState next = MemberState.of(c.getState());
            if (m == null) continue;
            boolean isMarked = c.getIfStopped() && m.state() == next;
            if (c.getIfStopped() && m.state() != MemberState.STOPPED) continue;
            if (!isMarked && (m.state() == next || !m.state().mayBecome(next))) continue;
            if (c.getIfInGroup() && !m.state().isInGroup()) continue;
            if (c.getIncarnation() != 0 && c.getIncarnation() < m.incarnation()) continue;
            members.put(m.rank(), m.withState(next, c.getInfo(), hlc));
            changed.addRanks(m.rank());
        }
        if (changed.getRanksCount() > 0) mapVersion++;
        return Replies.done(changed.build());
    }

    /** Answers {@code finished} with the first outcome when this request has been through before. */
    private LogReply begin(PoolEntryMessage e, long hlc) {
        Optional<LogReply> before = outcomes.find(e.getRequestId());
        if (before.isPresent())
            return before.get().toBuilder().setFinished(true).build();
        UUID id = Ids.uuid(e.getPool());
        for (PoolEntryMessage p : pools.values()) {
            if (!e.getRequestId().isEmpty() && p.getRequestId().equals(e.getRequestId())) {
                throw Fault.of(FaultCode.AGAIN, "this create is being undone after a change of leader")
                        .asException();
            }
            if (p.getPool().equals(e.getPool())) {
                throw Fault.of(FaultCode.EXIST, "pool %s already exists", id).asException();
            }
            if (p.getLabel().equals(e.getLabel())) {
                throw Fault.of(FaultCode.EXIST, "pool label \"%s\" already exists in the system", e.getLabel())
                        .with("fault", 609)
                        .remedy("retry the request with a unique pool label")
                        .asException();
            }
        }
        if (pools.size() >= POOLS_MAX) {
            throw Fault.of(FaultCode.OVERFLOW, "the system has %d pools, the most it can have", POOLS_MAX)
                    .asException();
        }
        pools.put(
                id,
                e.toBuilder()
                        .setState(PoolEntryMessage.State.CREATING)
                        .setCreatedHlc(hlc)
                        .build());
        return Replies.DONE;
    }

    private LogReply ready(PoolOutcomeMessage o) {
        PoolEntryMessage p = existing(o.getPool());
        if (p.getState() != PoolEntryMessage.State.CREATING) {
            throw Fault.of(FaultCode.NO_PERM, "pool '%s' is not being created", p.getLabel())
                    .asException();
        }
        pools.put(
                Ids.uuid(o.getPool()),
                p.toBuilder().setState(PoolEntryMessage.State.READY).build());
        outcomes.keep(
                o.getRequestId(), LogReply.newBuilder().setBody(o.getReply()).build());
        return Replies.DONE;
    }

    private LogReply destroying(PoolOutcomeMessage o) {
        Optional<LogReply> before = outcomes.find(o.getRequestId());
        if (before.isPresent())
            return before.get().toBuilder().setFinished(true).build();
        PoolEntryMessage p = existing(o.getPool());
        // The first request stays noted: a second one, which finishes what the first began, has its own outcome.
        boolean isFirst = p.getDestroyRequestId().isEmpty();
        pools.put(
                Ids.uuid(o.getPool()),
                p.toBuilder()
                        .setState(PoolEntryMessage.State.DESTROYING)
                        .setDestroyRequestId(isFirst ? o.getRequestId() : p.getDestroyRequestId())
                        .build());
        return Replies.DONE;
    }

    /** The end of a destroy, or of a create that was undone; keeps the outcome under the request id, if one is given. */
    private LogReply removed(PoolOutcomeMessage o) {
        PoolEntryMessage p = pools.remove(Ids.uuid(o.getPool()));
        LogReply.Builder outcome = LogReply.newBuilder().setBody(o.getReply());
        if (o.hasFault()) outcome.setFault(o.getFault());
        outcomes.keep(o.getRequestId(), outcome.build());
        if (p != null) outcomes.keep(p.getDestroyRequestId(), outcome.build());
        return Replies.DONE;
    }

    /** News of a pool that is gone, and older news than what is known, change nothing. */
    private LogReply serviceRanks(PoolServiceRanksMessage m) {
        UUID id = Ids.uuid(m.getPool());
        PoolEntryMessage p = pools.get(id);
        if (p != null && p.getServiceVersion() < m.getVersion()) {
            PoolEntryMessage.Builder next = p.toBuilder()
                    .clearServiceRanks()
                    .addAllServiceRanks(m.getRanksList())
                    .setServiceVersion(m.getVersion());
            if (m.hasAcl()) next.setAcl(m.getAcl());
            if (m.getPoolRanksCount() > 0) next.clearRanks().addAllRanks(m.getPoolRanksList());
            pools.put(id, next.build());
        }
        return Replies.DONE;
    }

    private LogReply property(PropertyMessage p) {
        properties.put(p.getKey(), p.getValue());
        return Replies.DONE;
    }

    private LogReply setProperties(PropertiesRequest r) {
        Map<String, String> wanted = SystemProperties.checked(r.getSetMap());
        if (!properties.entrySet().containsAll(wanted.entrySet())) {
            properties.putAll(wanted);
            mapVersion++;
        }
        return Replies.done(
                PropertiesReply.newBuilder().putAllValues(properties()).build());
    }

    private LogReply setAttributes(AttributesRequest r) {
        attributes.change(r);
        return Replies.done(
                PropertiesReply.newBuilder().putAllValues(attributes.values()).build());
    }

    private PoolEntryMessage existing(ByteString pool) {
        PoolEntryMessage p = pools.get(Ids.uuid(pool));
        if (p == null) {
            throw Fault.of(FaultCode.NONEXIST, "pool %s does not exist", Ids.uuid(pool))
                    .asException();
        }
        return p;
    }

    /** Somebody has joined: the system has begun. */
    public boolean hasMembers() {
        return !members.isEmpty();
    }

    @Override
    public byte[] snapshot() {
        return SystemSnapshotMessage.newBuilder()
                .setLayout(LAYOUT)
                .setGroupMap(groupMap().toWire())
                .setNextRank(nextRank)
                .addAllPools(pools.values())
                .putAllProperties(properties)
                .putAllAttributes(attributes.values())
                .addAllOutcomes(outcomes.save())
                .build()
                .toByteArray();
    }

    @Override
    public void restore(byte[] bytes) {
        SystemSnapshotMessage s;
        try {
            s = SystemSnapshotMessage.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw Replies.damaged("the snapshot of the system database", e);
        }
        StoredFormat.SYSTEM_DATABASE.check(s.getLayout());
        GroupMap map = GroupMap.fromWire(s.getGroupMap());
        mapVersion = map.version();
        nextRank = s.getNextRank();
        members.clear();
        map.members().forEach(m -> members.put(m.rank(), m));
        pools.clear();
        s.getPoolsList().forEach(p -> pools.put(Ids.uuid(p.getPool()), p));
        properties.clear();
        properties.putAll(s.getPropertiesMap());
        attributes.replace(s.getAttributesMap());
        outcomes.load(new ArrayList<>(s.getOutcomesList()));
    }
}
