package io.daosmesh.management.pool.service;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapPusher;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.PoolBudget;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.upkeep.RebuildHold;
import io.daosmesh.management.pool.upkeep.ReturnWaits;
import io.daosmesh.management.pool.upkeep.SelfHeal;
import io.daosmesh.management.pool.upkeep.UncleanWatch;
import io.daosmesh.management.raft.RaftGroup;
import io.daosmesh.management.raft.Replica;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolInitMessage;
import io.daosmesh.model.wire.PoolPropertiesMessage;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * This node's replica of one pool's service. Calls from any thread; while it leads, the management loop keeps the pool map
 * in step with the members, brings it to the nodes, and clears away destroyed containers.
 */
public final class PoolService {
    private static final Logger LOG = LoggerFactory.getLogger(PoolService.class);
    private static final Duration COMMIT_MAX = Duration.ofSeconds(5);

    private final NodeContext node;
    private final MapsKeeper maps;
    private final UUID pool;
    private final MapPusher pusher;
    private final Leadership leadership;
    private final Replica<PoolDb> replica;
    private final ReplicaKeeper keeper;
    private final ContainerCleaner cleaner;
    private final AtomicBoolean reviewWaits = new AtomicBoolean();
    private final AtomicLong commands = new AtomicLong();
    /** What the commands that are being proposed may add. */
    private final AtomicLong underWayBytes = new AtomicLong();

    private final UncleanWatch unclean;
    private final RankReturns returns;
    private final ReturnWaits waits;
    private final HandleTeller teller;
    private final SilenceWatch silence;
    private final LeaderSilence leaderSilence;
    private final RebuildHold hold = new RebuildHold();
    /** Ranks that have answered nobody, until the pool goes on without them. Owner: management loop. */
    private final Set<Integer> silentRanks = new TreeSet<>();

    /** Address of the node that led while this one followed; empty = unknown. Owner: management loop. */
    private String followed = "";

    private boolean proposing;
    private long leadingTerm;
    private int toldVersion;
    private int heldVersion;
    private volatile @Nullable RaftGroup group;
    /** What the pool starts as; kept until the group has it. */
    private volatile @Nullable PoolInitMessage first;

    /** Told on the management loop. */
    interface Leadership {
        void onLeading(PoolMap map, long term);

        void onNotLeading(UUID pool);
    }

    PoolService(NodeContext node, MapsKeeper maps, LeaderCaller system, UUID pool, Leadership leadership) {
        this.node = node;
        this.maps = maps;
        this.pool = pool;
        this.leadership = leadership;
        this.pusher = new MapPusher(node);
        this.replica = new Replica<>(new PoolDb(), this::reviewSoon);
        this.keeper = new ReplicaKeeper(node, this, system);
        this.cleaner = new ContainerCleaner(node, this);
        this.unclean = new UncleanWatch(node.ras(), pool);
        this.returns = new RankReturns(node, pool);
        this.waits = new ReturnWaits(node.ras(), pool);
        this.teller = new HandleTeller(node, this);
        this.silence = new SilenceWatch(node, pool);
        this.leaderSilence = new LeaderSilence(node, silence, this::onFormerLeaderSilent);
    }

    public UUID pool() {
        return pool;
    }

    public Replica<PoolDb> replica() {
        return replica;
    }

    void attach(RaftGroup g) {
        group = g;
        reviewSoon();
    }

    void begin(PoolInitMessage init) {
        first = init;
        reviewSoon();
    }

    public boolean isLeader() {
        RaftGroup g = group;
        return g != null && g.isLeader();
    }

    public long term() {
        RaftGroup g = group;
        return g == null ? 0 : g.term();
    }

    Optional<String> leader() {
        RaftGroup g = group;
        return g == null ? Optional.empty() : g.leader();
    }

    public long commandCount() {
        return commands.get();
    }

    boolean isCalled(String idOrLabel) {
        if (pool.toString().equals(idOrLabel)) return true;
        return replica.read(db -> db.isMade() && db.entry().getLabel().equals(idOrLabel));
    }

    public <T> Mono<T> read(Function<PoolDb, T> reader) {
        RaftGroup g = group;
        if (g == null || !g.isLeader()) return Mono.error(notLeader());
        return g.barrier(COMMIT_MAX).then(Mono.fromSupplier(() -> replica.read(reader)));
    }

    /** OVERFLOW when the pool has no room for what the command adds. */
    public Mono<LogReply> propose(LogCommand.Builder command) {
        return Mono.defer(() -> {
            RaftGroup g = group;
            if (g == null || !g.isLeader()) return Mono.error(notLeader());
            LogCommand c = command.setHlc(node.hlc().now()).build();
            long growth = PoolBudget.growth(c);
            long waiting = underWayBytes.addAndGet(growth);
            Mono<LogReply> reply = replica.read(db -> PoolBudget.refusal(db, c, waiting))
                    .<Mono<LogReply>>map(f -> Mono.error(f.asException()))
                    .orElseGet(() -> {
                        commands.incrementAndGet();
                        return g.propose(c, COMMIT_MAX);
                    });
            return reply.doFinally(s -> underWayBytes.addAndGet(-growth));
        });
    }

    /** Emits the ranks that have not confirmed in time which handles have ended until now. */
    Mono<List<Integer>> handlesTold(Duration max) {
        return teller.settled(max);
    }

    GroupMap members() {
        return maps.groupMap();
    }

    private FaultException notLeader() {
        return leader().filter(l -> !l.equals(node.address()))
                .map(l -> Fault.of(FaultCode.NOTLEADER, "not the leader of the pool service")
                        .with("leader", l))
                .orElseGet(() -> Fault.of(FaultCode.NO_SERVICE, "the pool service has no leader now"))
                .asException();
    }

    public void reviewSoon() {
        if (reviewWaits.compareAndSet(false, true))
            node.loop().run(() -> {
                reviewWaits.set(false);
                review();
            });
    }

    /** Owner: management loop. */
    void review() {
        RaftGroup g = group;
        if (g == null) return;
        long term = g.isLeader() ? g.term() : 0;
        boolean made = replica.read(PoolDb::isMade);
        if (term != leadingTerm) {
            if (leadingTerm != 0 && term == 0) leadership.onNotLeading(pool);
            leadingTerm = term;
            toldVersion = 0;
            heldVersion = 0;
            pusher.forget();
            keeper.forget();
            unclean.forget();
            waits.forget();
            hold.forget();
            teller.forget();
            silentRanks.clear();
            // the leader before may have fallen silent, and whoever waits for its rank could tell nobody
            if (term != 0 && made) lookAfter(replica.read(db -> db.entry().getServiceRanksList()), followed);
        }
        followed = term != 0 ? "" : leader().orElse(followed);
        if (made) {
            first = null;
            PoolMap map = replica.read(PoolDb::map);
            maps.offer(replica.read(PoolDb::propertiesMessage));
            maps.offer(map);
            if (term != 0) lead(g, map, term);
        } else if (term != 0 && first != null) {
            proposeOnce("make the pool", LogCommand.newBuilder().setPoolInit(first), () -> {});
        }
    }

    private void lead(RaftGroup g, PoolMap map, long term) {
        GroupMap members = maps.groupMap();
        if (members.version() > 0) {
            PoolPropertiesMessage properties = replica.read(PoolDb::propertiesMessage);
            MapPushMessage message = MapPushMessage.newBuilder()
                    .setPoolMap(map.toWire())
                    .setPoolProperties(properties)
                    .build();
            // grows with each change of one of the two
            pusher.push(map.version() + properties.getVersion(), message, members, map.ranks());
            teller.review(map, members);
            follow();
            excludeSilent(members);
            excludeDead(map, members);
            bringBack(map, members);
            cleaner.review(members);
            unclean.review(replica.read(PoolDb::containers));
            keeper.review(g, map, members);
        }
        if (toldVersion == map.version() && replica.read(PoolDb::isRebuildStopped)) toldVersion = 0;
        if (toldVersion != map.version() && !hold.holds(map, members, System.nanoTime())) tell(map, term);
    }

    private String forbiddenBy() {
        return replica.read(PoolDb::isRebuildStopped) ? "an administrator has stopped" : "self_heal forbids";
    }

    /** The policy decides when a rebuild begins, not whether one that has begun goes on. */
    private void tell(PoolMap map, long term) {
        if (mayRebuild()) {
            toldVersion = map.version();
            heldVersion = 0;
            leadership.onLeading(map, term);
        } else if (heldVersion != map.version()) {
            heldVersion = map.version();
            LOG.info("pool {}: {} the rebuild of map version {}", pool, forbiddenBy(), map.version());
            leadership.onNotLeading(pool);
        }
    }

    boolean mayRebuild() {
        return replica.read(db -> SelfHeal.mayRebuild(maps.systemProperties(), db));
    }

    boolean mayExclude() {
        return replica.read(db -> SelfHeal.mayExclude(maps.systemProperties(), db));
    }

    private boolean mayBringBack() {
        return replica.read(db -> SelfHeal.mayBringBack(maps.systemProperties(), db));
    }

    private void follow() {
        Map<String, String> news = replica.read(db -> db.news(maps.systemProperties()));
        if (news.isEmpty()) return;
        PropertiesRequest.Builder set =
                PropertiesRequest.newBuilder().putAllSet(news).putAllFollowed(news);
        proposeOnce("set " + news, LogCommand.newBuilder().setPoolProperties(set), () -> {});
    }

    private void excludeDead(PoolMap map, GroupMap members) {
        for (TargetsChangeMessage m : replica.read(db -> SelfHeal.exclusions(maps.systemProperties(), db, members))) {
            List<Integer> ranks = m.getRanksList();
            if (!proposing)
                LOG.info(
                        "pool {}: excludes ranks {} from map version {}: {}",
                        pool,
                        ranks,
                        map.version(),
                        m.getDeparture());
            proposeOnce("exclude ranks " + ranks, LogCommand.newBuilder().setTargets(m), () -> {});
        }
    }

    /** Somebody waits for these ranks in vain. Any thread; soon. Who follows looks after the leader alone. */
    void lookAfter(List<Integer> ranks) {
        if (ranks.isEmpty()) return;
        node.loop().run(() -> {
            RaftGroup g = group;
            if (isLeader()) lookAfter(ranks, "");
            else if (g != null && mayExclude()) leaderSilence.look(g, ranks, maps.groupMap(), followed);
        });
    }

    private void lookAfter(List<Integer> ranks, String formerLeader) {
        if (!isLeader() || !mayExclude()) return;
        List<Integer> known = ranks.stream().filter(leaderSilence::isKnown).toList();
        known.forEach(this::onSilent);
        List<Integer> others = ranks.stream().filter(r -> !known.contains(r)).toList();
        silence.look(others, maps.groupMap(), formerLeader, this::onSilent);
    }

    private void onFormerLeaderSilent(int rank) {
        if (isLeader() && mayExclude()) onSilent(rank);
    }

    private void onSilent(int rank) {
        silentRanks.add(rank);
        reviewSoon();
    }

    private void excludeSilent(GroupMap members) {
        if (proposing || silentRanks.isEmpty()) return;
        Set<Integer> ranks = Set.copyOf(silentRanks);
        silentRanks.clear();
        replica.read(db -> SelfHeal.silenced(maps.systemProperties(), db, members, ranks))
                .ifPresent(m -> proposeOnce(
                        "go on without ranks " + ranks,
                        LogCommand.newBuilder().setTargets(m),
                        () -> m.getRanksList().forEach(this::told)));
    }

    private void told(int rank) {
        LOG.info("pool {}: goes on without rank {}, which does not answer", pool, rank);
        node.ras()
                .raise(
                        RasId.POOL_RANK_SILENT,
                        Severity.WARNING,
                        "Rank " + rank + " does not answer: the pool goes on without it until it does.",
                        Map.of("pool", pool.toString(), "rank", Integer.toString(rank)));
    }

    private void bringBack(PoolMap map, GroupMap members) {
        if (proposing || !mayBringBack()) return;
        returns.askDue(due(map, members), members, this::bringBackThoseThatAnswer);
    }

    private Set<Integer> due(PoolMap map, GroupMap members) {
        return waits.due(node.hlc().peek(), replica.read(db -> db.returns().awaited(map, members)));
    }

    /** Much may have happened since they were asked. */
    private void bringBackThoseThatAnswer(Set<Integer> answered) {
        PoolMap map = replica.read(PoolDb::map);
        GroupMap members = maps.groupMap();
        Set<Integer> ranks = due(map, members);
        ranks.retainAll(answered);
        if (ranks.isEmpty() || proposing || !isLeader() || !mayBringBack()) return;
        LOG.info("pool {}: ranks {} come back into map version {}", pool, ranks, map.version());
        TargetsChangeMessage change = SelfHeal.bringingBack(ranks, members);
        proposeOnce("bring back ranks " + ranks, LogCommand.newBuilder().setTargets(change), () -> waits.onBack(ranks));
    }

    /** One at a time: whatever comes of it, the next review looks again. */
    private void proposeOnce(String what, LogCommand.Builder command, Runnable onDone) {
        if (proposing) return;
        proposing = true;
        propose(command)
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> {
                    proposing = false;
                    reviewSoon();
                }))
                .subscribe(
                        ok -> onDone.run(),
                        e -> LOG.warn(
                                "pool {}: could not {}: {}",
                                pool,
                                what,
                                FaultException.faultOf(e).message()));
    }
}
