package io.daosmesh.management.pool.service;

import com.google.protobuf.ByteString;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.maps.MapsKeeper;
import io.daosmesh.management.pool.Asker;
import io.daosmesh.management.pool.ContainerHealth;
import io.daosmesh.management.pool.Containers;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.PoolGuards;
import io.daosmesh.management.pool.TargetChanges;
import io.daosmesh.management.properties.ContainerProperties;
import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMakeMessage;
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
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolQueryRequest;
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
public final class PoolHandlers {
    private final NodeContext node;
    private final PoolHost pools;
    private final MapsKeeper maps;
    private final PoolQueries queries;
    private final PoolExtender extender;
    private final BlankRanks blanks;
    private final ConcurrentHashMap<RpcMethod, AtomicLong> counts = new ConcurrentHashMap<>();

    public PoolHandlers(NodeContext node, PoolHost pools, MapsKeeper maps, PoolQueries queries, LeaderCaller system) {
        this.node = node;
        this.pools = pools;
        this.maps = maps;
        this.queries = queries;
        this.extender = new PoolExtender(node, system);
        this.blanks = new BlankRanks(node);
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.POOL_QUERY, PoolQueryRequest.parser(), this::query);
        r.onFrom(RpcMethod.POOL_MAP, PoolMapRequest.parser(), this::map);
        r.onFrom(RpcMethod.POOL_TARGETS, PoolTargetsRequest.parser(), this::targets);
        r.on(RpcMethod.POOL_PROPERTIES, PropertiesRequest.parser(), this::properties);
        r.onFrom(RpcMethod.CONTAINER_CREATE, ContainerCreateRequest.parser(), this::create);
        r.onFrom(RpcMethod.CONTAINER_LIST, PoolRef.parser(), this::list);
        r.onFrom(RpcMethod.CONTAINER_QUERY, ContainerRef.parser(), this::containerQuery);
        r.onFrom(RpcMethod.CONTAINER_PROPERTIES, ContainerPropertiesRequest.parser(), this::containerProperties);
        r.onFrom(RpcMethod.CONTAINER_DESTROY, ContainerRef.parser(), this::destroy);
        r.onFrom(RpcMethod.OID_RANGE, OidRangeRequest.parser(), this::oids);
    }

    /** Requests since the start. */
    public long count(RpcMethod method) {
        AtomicLong n = counts.get(method);
        return n == null ? 0 : n.get();
    }

    private Mono<PoolService> at(RpcMethod method, String pool) {
        counts.computeIfAbsent(method, m -> new AtomicLong()).incrementAndGet();
        return Mono.fromSupplier(() -> pools.service(pool));
    }

    private Mono<PoolQueryReply> query(PoolQueryRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        return at(RpcMethod.POOL_QUERY, r.getPool())
                .flatMap(s -> s.read(db -> {
                            db.access().checkConnected(asker);
                            return s;
                        })
                        .flatMap(asked -> queries.query(asked, r.getTargets())))
                .map(reply -> asker.isClient()
                        ? reply.toBuilder()
                                .setEntry(PoolGuards.forClients(reply.getEntry()))
                                .build()
                        : reply);
    }

    private Mono<ContainerListReply> list(PoolRef r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        return at(RpcMethod.CONTAINER_LIST, r.getPool())
                .flatMap(s -> s.read(db -> {
                    db.access().checkConnected(asker);
                    return ContainerListReply.newBuilder()
                            .addAllContainers(db.containers())
                            .build();
                }));
    }

    private Mono<ContainerMessage> containerQuery(ContainerRef r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        return at(RpcMethod.CONTAINER_QUERY, r.getPool())
                .flatMap(s -> s.read(db -> {
                    ContainerMessage c = db.access().find(asker, r.getContainer());
                    db.access().check(asker, c, Permission.READ, Permission.GET_PROPERTIES);
                    return c;
                }))
                .doOnNext(c -> {
                    if (r.getForWriting()) ContainerHealth.checkWritable(c);
                });
    }

    private Mono<PoolMapMessage> map(PoolMapRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, ByteString.EMPTY);
        return at(RpcMethod.POOL_MAP, Ids.uuid(r.getPool()).toString())
                .doOnNext(s -> {
                    // a follower, too: it may be the leader's rank that is silent
                    if (s.replica().read(db -> db.isMade() && db.access().maySeeMap(asker)))
                        s.lookAfter(r.getSilentList());
                })
                .flatMap(s -> s.read(db -> {
                    db.access().checkMap(asker);
                    return db.map().toWire();
                }));
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
                            .setPoolProperties(r.toBuilder().clearFollowed()))
                    .map(reply -> Replies.body(reply, PropertiesReply.parser()));
        });
    }

    private Mono<PropertiesReply> containerProperties(ContainerPropertiesRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        boolean isGet = r.getSetCount() == 0;
        return at(RpcMethod.CONTAINER_PROPERTIES, r.getPool())
                .flatMap(s -> s.read(db -> {
                            ContainerMessage c = db.access().find(asker, r.getContainer());
                            db.access().check(asker, c, isGet ? Permission.GET_PROPERTIES : Permission.SET_PROPERTIES);
                            return PropertiesReply.newBuilder()
                                    .putAllValues(ContainerHealth.properties(c))
                                    .build();
                        })
                        .flatMap(now -> isGet ? Mono.just(now) : change(s, r)));
    }

    private static Mono<PropertiesReply> change(PoolService s, ContainerPropertiesRequest r) {
        ContainerProperties.checkChange(r.getSetMap());
        return s.propose(LogCommand.newBuilder()
                        .setRequestId(r.getRequestId())
                        .setContainerProperties(r.toBuilder().clearPoolHandle()))
                .map(reply -> Replies.body(reply, PropertiesReply.parser()));
    }

    /** What has been done already is answered before anything is checked: the state of today is no reason to refuse it. */
    private Mono<PoolTargetsReply> targets(PoolTargetsRequest r, RpcCall.Peer peer) {
        if (r.getOp() == PoolTargetsRequest.Op.UNRECOGNIZED) throw TargetChanges.unknown(r.getOpValue());
        return at(RpcMethod.POOL_TARGETS, r.getPool())
                .flatMap(s -> s.read(db -> db.outcome(r.getRequestId()))
                        .flatMap(done -> done.map(Mono::just).orElseGet(() -> change(s, r, peer))))
                .map(reply -> Replies.body(reply, PoolTargetsReply.parser()));
    }

    private Mono<LogReply> change(PoolService service, PoolTargetsRequest r, RpcCall.Peer peer) {
        if (r.getOp() == PoolTargetsRequest.Op.EXTEND) return extender.extend(service, r);
        if (r.getOp() == PoolTargetsRequest.Op.REINTEGRATE) {
            r.getRanksList().forEach(this::checkJoined);
            return blanks.prepare(service, r.getRanksList(), maps.groupMap())
                    .then(Mono.defer(() -> propose(service, r, false)));
        }
        // An engine asks when a device has failed or holds much damage; people are not bound by the policy.
        boolean isAutomatic = peer.role() == Role.SERVER && r.getOp() == PoolTargetsRequest.Op.EXCLUDE;
        boolean isDrain = peer.role() == Role.SERVER && r.getOp() == PoolTargetsRequest.Op.DRAIN;
        if ((isAutomatic || isDrain) && !service.mayExclude()) {
            throw Fault.of(FaultCode.NO_PERM, "self_heal forbids automatic exclusions in this pool")
                    .asException();
        }
        return propose(service, r, isAutomatic);
    }

    private Mono<LogReply> propose(PoolService service, PoolTargetsRequest r, boolean isAutomatic) {
        TargetsChangeMessage change = TargetsChangeMessage.newBuilder()
                .setOp(r.getOp())
                .addAllRanks(r.getRanksList())
                .addAllTargetIndexes(r.getTargetIndexesList())
                .setForce(r.getForce())
                .setByServer(isAutomatic)
                .setUpdatedVersion(isAutomatic ? r.getUpdatedVersion() : 0)
                .setJoinedVersion(isAutomatic ? r.getJoinedVersion() : 0)
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

    private Mono<ContainerMessage> create(ContainerCreateRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        return at(RpcMethod.CONTAINER_CREATE, r.getPool())
                .flatMap(s -> s.read(db -> {
                            boolean isDone = db.outcome(r.getRequestId()).isPresent();
                            if (!isDone) db.access().checkCreate(asker);
                            return isDone ? r.getContainer() : ContainerProperties.checked(r.getContainer(), db.map());
                        })
                        .flatMap(c -> s.propose(LogCommand.newBuilder()
                                .setRequestId(r.getRequestId())
                                .setContainerMake(make(c, r, peer)))))
                .map(reply -> Replies.body(reply, ContainerMessage.parser()));
    }

    /** It belongs to whom the request names, else to who asks. */
    private static ContainerMakeMessage make(ContainerMessage c, ContainerCreateRequest r, RpcCall.Peer peer) {
        String owner = r.getUser().isEmpty() ? peer.user().map(User::user).orElse("") : r.getUser();
        String group = r.getGroup().isEmpty() ? peer.user().map(User::group).orElse("") : r.getGroup();
        ContainerMessage.Builder named = c.toBuilder().setOwner(owner).setGroup(group);
        if (c.getUuid().isEmpty()) named.setUuid(Ids.bytes(UUID.randomUUID()));
        ContainerMakeMessage.Builder make = ContainerMakeMessage.newBuilder().setContainer(named);
        if (r.hasAcl()) make.setAcl(r.getAcl());
        return checked(make.build());
    }

    /** Nonsense does not get into the log. */
    private static ContainerMakeMessage checked(ContainerMakeMessage m) {
        String owner = m.getContainer().getOwner();
        String group = m.getContainer().getGroup();
        if (!owner.isEmpty()) Principal.checkName(owner);
        if (!group.isEmpty()) Principal.checkName(group);
        if (m.hasAcl()) Guarded.Kind.CONTAINER.check(Acl.of(m.getAcl().getEntriesList()));
        return m;
    }

    private Mono<Empty> destroy(ContainerRef r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        return at(RpcMethod.CONTAINER_DESTROY, r.getPool())
                .flatMap(s -> s.read(db -> doomed(db, r, asker))
                        .flatMap(id -> id.isEmpty()
                                ? Mono.just(LogReply.getDefaultInstance())
                                : s.propose(LogCommand.newBuilder()
                                        .setRequestId(r.getRequestId())
                                        .setContainerDestroy(id.get()))))
                .map(reply -> Empty.getDefaultInstance());
    }

    /** None when this request has been carried out before. */
    private static Optional<ByteString> doomed(PoolDb db, ContainerRef r, Asker asker) {
        if (db.outcome(r.getRequestId()).isPresent()) return Optional.empty();
        ContainerMessage c = db.access().find(asker, r.getContainer());
        db.access().checkDestroy(asker, c);
        return Optional.of(c.getUuid());
    }

    private Mono<OidRangeReply> oids(OidRangeRequest r, RpcCall.Peer peer) {
        Containers.checkRange(r.getCount());
        Asker asker = Asker.of(peer, r.getHandle());
        return at(RpcMethod.OID_RANGE, r.getPool())
                .flatMap(s -> s.read(db -> {
                            ContainerMessage c = db.access().findWritable(asker, r.getContainer());
                            return OidTakeMessage.newBuilder()
                                    .setContainer(c.getUuid())
                                    .setCount(r.getCount());
                        })
                        .flatMap(take -> s.propose(LogCommand.newBuilder().setOidTake(take))))
                .map(reply -> Replies.body(reply, OidRangeReply.parser()));
    }
}
