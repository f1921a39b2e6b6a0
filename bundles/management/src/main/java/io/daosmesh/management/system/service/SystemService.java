package io.daosmesh.management.system.service;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapPusher;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.management.raft.Replica;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.MemberChangeMessage;
import io.daosmesh.model.wire.MemberChangesMessage;
import io.daosmesh.model.wire.MemberMessage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * This node's replica of the system database, if it is to have one: opened once some storage is formatted. Calls from any
 * thread; what leadership asks for is done on the management loop.
 */
public final class SystemService {
    private static final Logger LOG = LoggerFactory.getLogger(SystemService.class);
    static final Duration COMMIT_MAX = Duration.ofSeconds(5);

    private final NodeContext node;
    private final MapsKeeper maps;
    private final LeaderCaller leaders;
    private final MapPusher pusher;
    private final UUID id;
    private final Replica<SystemDb> replica;
    private final AtomicBoolean reviewWaits = new AtomicBoolean();
    private final AtomicLong commands = new AtomicLong();
    private Runnable onLeading = () -> {};
    /** Term that this node leads; 0 = none. Owner: management loop. */
    private long leadingTerm;
    /** Null until the storage is formatted, and on nodes that are no replica. */
    private volatile @Nullable RaftGroup group;

    /** All replicas were there once. */
    private volatile boolean isBegun;

    private volatile String absence = "";

    public SystemService(NodeContext node, MapsKeeper maps, LeaderCaller leaders) {
        this.node = node;
        this.maps = maps;
        this.leaders = leaders;
        this.pusher = new MapPusher(node);
        this.id = groupId(node.config().system());
        this.replica = new Replica<>(new SystemDb(node.config().system()), this::reviewSoon);
    }

    static UUID groupId(String system) {
        return UUID.nameUUIDFromBytes(("daos-mesh system " + system).getBytes(StandardCharsets.UTF_8));
    }

    public UUID id() {
        return id;
    }

    public Replica<SystemDb> replica() {
        return replica;
    }

    /** Runs on the loop each time this node starts to lead. */
    public void onLeading(Runnable action) {
        onLeading = action;
    }

    /** The replica here is open. */
    public void attach(RaftGroup opened) {
        group = opened;
        reviewSoon();
    }

    public void close() {
        group = null;
    }

    /** Null while there is none here. */
    @Nullable
    RaftGroup group() {
        return group;
    }

    /** Control addresses, as far as this replica knows; none while they change. */
    public List<String> voters() {
        RaftGroup g = group;
        return g == null ? List.of() : g.members().orElse(List.of());
    }

    /** @param why nobody may expect a leader here; empty when there is no reason */
    void onAbsence(String why) {
        absence = why;
    }

    /** Nothing is acknowledged before all replicas of the configuration have it. */
    public boolean isLeader() {
        RaftGroup g = group;
        return g != null && g.isLeader() && hasBegun(g);
    }

    private boolean hasBegun(RaftGroup g) {
        if (isBegun) return true;
        int count = g.members().map(List::size).orElse(0);
        isBegun = replica.read(SystemDb::hasMembers)
                || count >= node.config().replicas().size();
        return isBegun;
    }

    public long term() {
        RaftGroup g = group;
        return g == null ? 0 : g.term();
    }

    public long commandCount() {
        return commands.get();
    }

    /** As this node knows it. */
    Optional<String> leader() {
        RaftGroup g = group;
        return (g == null ? Optional.<String>empty() : g.leader()).or(leaders::leader);
    }

    /** Reads what is certain to be the newest state; NOTLEADER elsewhere. */
    <T> Mono<T> read(Function<SystemDb, T> reader) {
        RaftGroup g = group;
        if (g == null || !isLeader()) return Mono.error(notLeader().asException());
        return g.barrier(COMMIT_MAX).then(Mono.fromSupplier(() -> replica.read(reader)));
    }

    /** Replicates a command with this node's clock in it. */
    public Mono<LogReply> propose(LogCommand.Builder command) {
        RaftGroup g = group;
        if (g == null || !isLeader()) return Mono.error(notLeader().asException());
        commands.incrementAndGet();
        return g.propose(command.setHlc(node.hlc().now()).build(), COMMIT_MAX);
    }

    /** Moves members; what the table forbids is skipped. Emits the ranks that were moved. */
    Mono<List<Integer>> change(Collection<Integer> ranks, MemberState to, String info) {
        MemberChangesMessage.Builder changes = MemberChangesMessage.newBuilder();
        ranks.forEach(r -> changes.addChanges(MemberChangeMessage.newBuilder()
                .setRank(r)
                .setState(to.toWire())
                .setInfo(info)));
        return propose(LogCommand.newBuilder().setMembers(changes)).map(SystemService::ranks);
    }

    /** Tells why they are stopped; one that is not stopped any more is left alone. */
    Mono<List<Integer>> markStopped(Collection<Integer> ranks, String info) {
        MemberChangesMessage.Builder changes = MemberChangesMessage.newBuilder();
        ranks.forEach(r -> changes.addChanges(MemberChangeMessage.newBuilder()
                .setRank(r)
                .setState(MemberMessage.State.STOPPED)
                .setIfStopped(true)
                .setInfo(info)));
        return propose(LogCommand.newBuilder().setMembers(changes)).map(SystemService::ranks);
    }

    static List<Integer> ranks(LogReply reply) {
        try {
            return io.daosmesh.model.wire.RankSetMessage.parseFrom(reply.getBody())
                    .getRanksList();
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            throw io.daosmesh.management.log.Replies.damaged("a reply of the system log", e);
        }
    }

    Fault notLeader() {
        Optional<String> hint = leader().filter(l -> !l.equals(node.address()));
        String replicas = String.join(",", node.config().replicas());
        return hint.map(l -> Fault.of(FaultCode.NOTLEADER, "not the leader of the management service")
                        .with("leader", l))
                .orElseGet(() -> Fault.of(
                        FaultCode.NO_SERVICE, absence.isEmpty() ? "the management service has no leader now" : absence))
                .with("replicas", replicas);
    }

    /** Tells all nodes maps and properties anew, and has dead ranks looked at that nobody was to exclude before. */
    void beginAgain() {
        node.loop().run(() -> {
            if (!isLeader()) return;
            pusher.forget();
            onLeading.run();
            review();
        });
    }

    private void reviewSoon() {
        if (reviewWaits.compareAndSet(false, true))
            node.loop().run(() -> {
                reviewWaits.set(false);
                review();
            });
    }

    /** Compares what is with what is told to others. Owner: management loop. */
    public void review() {
        RaftGroup g = group;
        if (g == null) return;
        GroupMapMessage message = replica.read(SystemDb::groupMapMessage);
        GroupMap map = GroupMap.fromWire(message);
        maps.offer(message);
        g.leader().ifPresent(leaders::hint);
        long term = isLeader() ? g.term() : 0;
        if (term != leadingTerm) {
            leadingTerm = term;
            pusher.forget();
            if (term != 0) {
                LOG.info("leads the management service in term {}", term);
                onLeading.run();
            }
        }
        if (term == 0 || map.version() == 0) return;
        pusher.push(
                map.version(),
                MapPushMessage.newBuilder().setGroupMap(message).build(),
                map,
                map.members().stream().map(Member::rank).collect(Collectors.toSet()));
    }
}
