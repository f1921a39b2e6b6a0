package io.daosmesh.management.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.pool.ContainerHealth;
import io.daosmesh.management.pool.ContainerProperties;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.PoolProperties;
import io.daosmesh.management.pool.TargetOp;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Role;
import io.daosmesh.model.port.RpcCall;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidRangeRequest;
import io.daosmesh.model.wire.OidTakeMessage;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.publisher.Mono;

/** Answers the RPCs of the pool services that this node has a replica of. Any thread. */
final class PoolHandlers {
    private final NodeContext node;
    private final PoolHost pools;
    private final MapsKeeper maps;
    private final PoolQueries queries;
    private final ConcurrentHashMap<RpcMethod, AtomicLong> counts = new ConcurrentHashMap<>();

    PoolHandlers(NodeContext node, PoolHost pools, MapsKeeper maps, PoolQueries queries) {
        this.node = node;
        this.pools = pools;
        this.maps = maps;
        this.queries = queries;
    }

    void register(Registrations r) {
        r.on(
                RpcMethod.POOL_QUERY,
                PoolRef.parser(),
                q -> at(RpcMethod.POOL_QUERY, q.getPool()).flatMap(queries::query));
        r.on(RpcMethod.POOL_MAP, PoolMapRequest.parser(), this::map);
        r.onFrom(RpcMethod.POOL_TARGETS, PoolTargetsRequest.parser(), this::targets);
        r.on(RpcMethod.POOL_PROPERTIES, PropertiesRequest.parser(), this::properties);
        r.on(RpcMethod.CONTAINER_CREATE, ContainerCreateRequest.parser(), this::create);
        r.on(
                RpcMethod.CONTAINER_LIST,
                PoolRef.parser(),
                q -> at(RpcMethod.CONTAINER_LIST, q.getPool())
                        .flatMap(s -> s.read(PoolDb::containers))
                        .map(all -> ContainerListReply.newBuilder()
                                .addAllContainers(all)
                                .build()));
        r.on(
                RpcMethod.CONTAINER_QUERY,
                ContainerRef.parser(),
                q -> at(RpcMethod.CONTAINER_QUERY, q.getPool())
                        .flatMap(s -> s.read(db -> db.container(q.getContainer())))
                        .doOnNext(c -> {
                            if (q.getForWriting()) ContainerHealth.checkWritable(c);
                        }));
        r.on(RpcMethod.CONTAINER_PROPERTIES, ContainerPropertiesRequest.parser(), this::containerProperties);
        r.on(RpcMethod.CONTAINER_DESTROY, ContainerRef.parser(), this::destroy);
        r.on(RpcMethod.OID_RANGE, OidRangeRequest.parser(), this::oids);
    }

    /** Requests since the start. */
    long count(RpcMethod method) {
        AtomicLong n = counts.get(method);
        return n == null ? 0 : n.get();
    }

    private Mono<PoolService> at(RpcMethod method, String pool) {
        counts.computeIfAbsent(method, m -> new AtomicLong()).incrementAndGet();
        return Mono.fromSupplier(() -> pools.service(pool));
    }

    private Mono<PoolMapMessage> map(PoolMapRequest r) {
        return at(RpcMethod.POOL_MAP, Ids.uuid(r.getPool()).toString())
                .flatMap(s -> s.read(db -> db.map().toWire()));
    }

    private Mono<PropertiesReply> properties(PropertiesRequest r) {
        return at(RpcMethod.POOL_PROPERTIES, r.getPool()).flatMap(s -> {
            if (r.getSetCount() == 0)
                return s.read(db -> PropertiesReply.newBuilder()
                        .putAllValues(db.properties())
                        .build());
            PoolProperties.checkChange(r.getSetMap());
            return s.propose(LogCommand.newBuilder()
                            .setRequestId(r.getRequestId())
                            .setPoolProperties(r))
                    .map(reply -> body(reply, PropertiesReply.parser()));
        });
    }

    private Mono<PropertiesReply> containerProperties(ContainerPropertiesRequest r) {
        return at(RpcMethod.CONTAINER_PROPERTIES, r.getPool()).flatMap(s -> {
            if (r.getSetCount() == 0)
                return s.read(db -> PropertiesReply.newBuilder()
                        .putAllValues(ContainerHealth.properties(db.container(r.getContainer())))
                        .build());
            ContainerProperties.checkChange(r.getSetMap());
            return s.propose(LogCommand.newBuilder()
                            .setRequestId(r.getRequestId())
                            .setContainerProperties(r))
                    .map(reply -> body(reply, PropertiesReply.parser()));
        });
    }

    /** What has been done already is answered before anything is checked: the state of today is no reason to refuse it. */
    private Mono<PoolTargetsReply> targets(PoolTargetsRequest r, RpcCall.Peer peer) {
        TargetOp.of(r.getOp());
        return at(RpcMethod.POOL_TARGETS, r.getPool())
                .flatMap(s -> s.read(db -> db.outcome(r.getRequestId()))
                        .flatMap(done -> done.map(Mono::just).orElseGet(() -> change(s, r, peer))))
                .map(reply -> body(reply, PoolTargetsReply.parser()));
    }

    private Mono<LogReply> change(PoolService service, PoolTargetsRequest r, RpcCall.Peer peer) {
        if (r.getOp() == TargetOp.REINTEGRATE.ordinal()) r.getRanksList().forEach(this::checkJoined);
        // An engine asks when a device has failed; people are not bound by the policy.
        boolean isAutomatic = peer.role() == Role.SERVER && r.getOp() == TargetOp.EXCLUDE.ordinal();
        if (isAutomatic && !service.mayExclude()) {
            throw Fault.of(FaultCode.NO_PERM, "self_heal forbids automatic exclusions in this pool")
                    .asException();
        }
        TargetsChangeMessage change = TargetsChangeMessage.newBuilder()
                .setOp(r.getOp())
                .addAllRanks(r.getRanksList())
                .addAllTargetIndexes(r.getTargetIndexesList())
                .setForce(r.getForce())
                .setByServer(isAutomatic)
                .setGroupVersion(maps.groupMap().version())
                .build();
        return service.propose(
                LogCommand.newBuilder().setRequestId(r.getRequestId()).setTargets(change));
    }

    /** One that is not even a member is not in the pool either: the pool's own refusal says so. */
    private void checkJoined(int rank) {
        Optional<MemberState> state = maps.groupMap().member(rank).map(Member::state);
        if (state.isPresent() && state.get() != MemberState.JOINED) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "rank %d cannot be reintegrated: it is %s",
                            rank,
                            state.get().label())
                    .remedy("start its node and wait until dmg system query shows it as Joined")
                    .asException();
        }
    }

    private Mono<ContainerMessage> create(ContainerCreateRequest r) {
        return at(RpcMethod.CONTAINER_CREATE, r.getPool())
                .flatMap(s -> s.read(db -> db.outcome(r.getRequestId()).isPresent()
                                ? r.getContainer()
                                : ContainerProperties.checked(r.getContainer(), db.map()))
                        .map(PoolHandlers::identified)
                        .flatMap(c -> s.propose(LogCommand.newBuilder()
                                .setRequestId(r.getRequestId())
                                .setContainerCreate(c))))
                .map(reply -> body(reply, ContainerMessage.parser()));
    }

    private static ContainerMessage identified(ContainerMessage c) {
        if (!c.getUuid().isEmpty()) return c;
        return c.toBuilder().setUuid(Ids.bytes(UUID.randomUUID())).build();
    }

    private Mono<Empty> destroy(ContainerRef r) {
        return at(RpcMethod.CONTAINER_DESTROY, r.getPool())
                .flatMap(s -> s.read(db -> db.outcome(r.getRequestId()).isPresent()
                                ? Optional.<UUID>empty()
                                : Optional.of(
                                        Ids.uuid(db.container(r.getContainer()).getUuid())))
                        .flatMap(id -> id.isEmpty()
                                ? Mono.just(LogReply.getDefaultInstance())
                                : s.propose(LogCommand.newBuilder()
                                        .setRequestId(r.getRequestId())
                                        .setContainerDestroy(Ids.bytes(id.get())))))
                .map(reply -> Empty.getDefaultInstance());
    }

    private Mono<OidRangeReply> oids(OidRangeRequest r) {
        ContainerProperties.checkRange(r.getCount());
        return at(RpcMethod.OID_RANGE, r.getPool())
                .flatMap(s -> {
                    ContainerMessage c = s.replica().read(db -> db.container(r.getContainer()));
                    return s.propose(LogCommand.newBuilder()
                            .setOidTake(OidTakeMessage.newBuilder()
                                    .setContainer(c.getUuid())
                                    .setCount(r.getCount())));
                })
                .map(reply -> body(reply, OidRangeReply.parser()));
    }

    static <T> T body(LogReply reply, Parser<T> parser) {
        try {
            return parser.parseFrom(reply.getBody());
        } catch (InvalidProtocolBufferException e) {
            throw Replies.damaged("a reply of a pool's log", e);
        }
    }
}
