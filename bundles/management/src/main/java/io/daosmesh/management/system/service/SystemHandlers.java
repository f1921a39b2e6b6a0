package io.daosmesh.management.system.service;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.PoolGuards;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.JoinRules;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.model.wire.JoinReply;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.SystemQueryReply;
import io.daosmesh.model.wire.SystemQueryRequest;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiFunction;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Answers the management service's RPCs about members, maps and where things are. Any thread. */
public final class SystemHandlers {
    private static final Duration PROBE_MAX = Duration.ofMillis(700);
    private static final Duration FORWARD_MAX = Duration.ofSeconds(4);
    private static final Duration FORWARD_TRY_MAX = Duration.ofSeconds(2);

    private final NodeContext node;
    private final SystemService system;
    private final MapsKeeper maps;
    private final LeaderCaller leaders;
    private final KnownServers servers;
    private final Replacements replacements;

    public SystemHandlers(
            NodeContext node,
            SystemService system,
            MapsKeeper maps,
            LeaderCaller leaders,
            KnownServers servers,
            Replacements replacements) {
        this.node = node;
        this.system = system;
        this.maps = maps;
        this.leaders = leaders;
        this.servers = servers;
        this.replacements = replacements;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.JOIN, JoinRequest.parser(), this::join);
        r.on(RpcMethod.GROUP_MAP, GroupMapRequest.parser(), this::groupMap);
        onForwarded(
                r, RpcMethod.SYSTEM_QUERY, SystemQueryRequest.parser(), this::systemQuery, SystemQueryReply.parser());
        r.on(RpcMethod.LEADER_QUERY, Empty.parser(), q -> leaderQuery());
        r.on(RpcMethod.SYSTEM_PROPERTIES, PropertiesRequest.parser(), this::properties);
        r.on(RpcMethod.SELF_HEAL_EVAL, Empty.parser(), q -> evaluate());
        r.on(RpcMethod.SYSTEM_ATTRIBUTES, AttributesRequest.parser(), this::attributes);
        onForwarded(
                r,
                RpcMethod.POOL_LIST,
                Empty.parser(),
                q -> poolList(),
                PoolListReply.parser(),
                SystemHandlers::forClient);
        r.onFrom(RpcMethod.POOL_SERVICE_RANKS, PoolServiceRanksMessage.parser(), (m, peer) -> {
            servers.requireMember(peer);
            Ids.uuid(m.getPool());
            return system.propose(LogCommand.newBuilder().setPoolServiceRanks(m))
                    .map(done -> Empty.getDefaultInstance());
        });
        onForwarded(
                r,
                RpcMethod.POOL_FIND,
                PoolRef.parser(),
                this::poolFind,
                PoolFindReply.parser(),
                (found, peer) -> found.toBuilder()
                        .setEntry(PoolGuards.forClients(found.getEntry()))
                        .build());
    }

    /**
     * Questions that only the leader answers, asked of any node: it passes on what tools and clients ask, which spares them a
     * second connection. Servers follow hints themselves, so that two of them never forward to each other. Only for methods
     * that are open to servers: the leader sees this node as who asks.
     */
    private <Q extends Message, A extends MessageLite> void onForwarded(
            Registrations r, RpcMethod method, Parser<Q> parser, Function<Q, Mono<A>> asLeader, Parser<A> answers) {
        onForwarded(r, method, parser, asLeader, answers, (answer, peer) -> answer);
    }

    /** @param asSeen what a client gets of the answer: filtered here, since the leader cannot know for whom it is */
    private <Q extends Message, A extends MessageLite> void onForwarded(
            Registrations r,
            RpcMethod method,
            Parser<Q> parser,
            Function<Q, Mono<A>> asLeader,
            Parser<A> answers,
            BiFunction<A, RpcCall.Peer, A> asSeen) {
        r.onFrom(method, parser, (question, peer) -> {
            Mono<A> answer = system.isLeader()
                    ? asLeader.apply(question)
                    : peer.role() == Role.SERVER
                            ? Mono.error(system.notLeader().asException())
                            : leaders.call(method, question, answers, FORWARD_TRY_MAX, FORWARD_MAX);
            return peer.role() == Role.AGENT ? answer.map(a -> asSeen.apply(a, peer)) : answer;
        });
    }

    /** The pools that the user may connect to; an agent itself may connect to none. */
    private static PoolListReply forClient(PoolListReply all, RpcCall.Peer peer) {
        return PoolListReply.newBuilder()
                .addAllPools(all.getPoolsList().stream()
                        .filter(p -> peer.user()
                                .filter(u -> PoolGuards.isOpenTo(u, p))
                                .isPresent())
                        .map(PoolGuards::forClients)
                        .toList())
                .build();
    }

    private Mono<JoinReply> join(JoinRequest r, RpcCall.Peer peer) {
        JoinRules.check(r, node.config().system());
        KnownServers.requireSame("the join", r.getAddress(), peer);
        // a life from the future could never be followed by another one
        node.hlc().merge(r.getIncarnation());
        return replacements
                .allowed(r)
                .then(Mono.defer(() -> system.propose(LogCommand.newBuilder().setJoin(r))))
                .map(reply -> {
                    try {
                        return JoinReply.parseFrom(reply.getBody());
                    } catch (InvalidProtocolBufferException e) {
                        throw Replies.damaged("the reply to a join", e);
                    }
                });
    }

    /** From this node's copy: a version that the asker knows comes back without its members. */
    private Mono<GroupMapMessage> groupMap(GroupMapRequest r) {
        GroupMapMessage map = maps.groupMapMessage();
        if (map.getVersion() == 0)
            return Mono.error(
                    Fault.of(FaultCode.AGAIN, "this node has no group map yet").asException());
        if (map.getVersion() != r.getKnownVersion()) return Mono.just(map);
        return Mono.just(GroupMapMessage.newBuilder()
                .setSystem(map.getSystem())
                .setVersion(map.getVersion())
                .build());
    }

    private Mono<SystemQueryReply> systemQuery(SystemQueryRequest r) {
        return system.read(SystemDb::groupMap).map(map -> {
            if (r.getRanksCount() == 0)
                return SystemQueryReply.newBuilder().setGroupMap(map.toWire()).build();
            Set<Integer> asked = new TreeSet<>(r.getRanksList());
            List<Member> wanted =
                    map.members().stream().filter(m -> asked.remove(m.rank())).toList();
            return SystemQueryReply.newBuilder()
                    .setGroupMap(new GroupMap(map.system(), map.version(), wanted).toWire())
                    .addAllAbsentRanks(asked)
                    .build();
        });
    }

    private Mono<LeaderQueryReply> leaderQuery() {
        if (!node.config().isReplica()) {
            return Flux.fromIterable(node.config().replicas())
                    .concatMap(r -> node.rpc()
                            .call(
                                    Endpoint.node(r),
                                    RpcMethod.LEADER_QUERY,
                                    RpcMessage.of(Empty.getDefaultInstance()),
                                    FORWARD_MAX,
                                    reply -> LeaderQueryReply.parseFrom(reply.body()))
                            .onErrorResume(e -> Mono.empty()))
                    .next()
                    .switchIfEmpty(Mono.just(LeaderQueryReply.newBuilder()
                            .addAllReplicas(node.config().replicas())
                            .addAllDownReplicas(node.config().replicas())
                            .build()));
        }
        List<String> replicas = node.config().replicas();
        return Flux.fromIterable(replicas)
                .filter(r -> !r.equals(node.address()))
                .flatMap(r -> answers(r).filter(up -> !up).map(up -> r))
                .collectList()
                .map(down -> LeaderQueryReply.newBuilder()
                        .setLeader(
                                system.leader().filter(l -> !down.contains(l)).orElse(""))
                        .addAllReplicas(replicas)
                        .addAllDownReplicas(down.stream().sorted().toList())
                        .build());
    }

    private Mono<Boolean> answers(String address) {
        return node.rpc()
                .call(
                        Endpoint.node(address),
                        RpcMethod.GROUP_MAP,
                        RpcMessage.of(GroupMapRequest.newBuilder()
                                .setKnownVersion(maps.groupMap().version())
                                .build()),
                        PROBE_MAX,
                        r -> true)
                .onErrorResume(e -> {
                    FaultCode c = FaultException.faultOf(e).code();
                    return Mono.just(c != FaultCode.UNREACH && c != FaultCode.TIMEDOUT);
                });
    }

    private Mono<PropertiesReply> properties(PropertiesRequest r) {
        if (r.getSetCount() == 0)
            return system.read(SystemDb::properties)
                    .map(p -> PropertiesReply.newBuilder().putAllValues(p).build());
        SystemProperties.checked(r.getSetMap());
        LogCommand.Builder set =
                LogCommand.newBuilder().setRequestId(r.getRequestId()).setSystemProperties(r);
        return system.propose(set).map(reply -> Replies.body(reply, PropertiesReply.parser()));
    }

    /** Acts again on what self_heal says now, as a new leader does. */
    private Mono<Empty> evaluate() {
        return system.read(SystemDb::mapVersion).map(version -> {
            system.beginAgain();
            return Empty.getDefaultInstance();
        });
    }

    private Mono<PropertiesReply> attributes(AttributesRequest r) {
        if (r.getOp() == AttributesRequest.Op.GET)
            return system.read(SystemDb::attributes)
                    .map(a -> PropertiesReply.newBuilder().putAllValues(a).build());
        SystemDb.check(r);
        return system.propose(
                        LogCommand.newBuilder().setRequestId(r.getRequestId()).setSystemAttributes(r))
                .map(reply -> Replies.body(reply, PropertiesReply.parser()));
    }

    private Mono<PoolListReply> poolList() {
        return system.read(SystemDb::pools)
                .map(pools -> PoolListReply.newBuilder().addAllPools(pools).build());
    }

    private Mono<PoolFindReply> poolFind(PoolRef r) {
        return system.read(db -> PoolFindReply.newBuilder()
                .setEntry(db.pool(r.getPool()).orElseThrow(() -> noPool(r.getPool())))
                .setGroupMap(db.groupMap().toWire())
                .build());
    }

    static FaultException noPool(String pool) {
        return Fault.of(FaultCode.NONEXIST, "pool '%s' does not exist", pool)
                .remedy("see dmg pool list for the pools there are")
                .asException();
    }
}
