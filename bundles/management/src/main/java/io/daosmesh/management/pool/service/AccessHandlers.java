package io.daosmesh.management.pool.service;

import com.google.protobuf.ByteString;
import io.daosmesh.management.log.Replies;
import io.daosmesh.management.pool.Access;
import io.daosmesh.management.pool.Asker;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.model.access.Acl;
import io.daosmesh.model.access.Guarded;
import io.daosmesh.model.access.Permission;
import io.daosmesh.model.access.Principal;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclChangeMessage;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenMessage;
import io.daosmesh.model.wire.ContainerOpenReply;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HandleCheckReply;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.HandlesEndMessage;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.OwnerChangeMessage;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolConnectMessage;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import reactor.core.publisher.Mono;

/** Answers the RPCs about handles, owners and access control lists of the pool services on this node. Any thread. */
public final class AccessHandlers {
    private static final int HANDLE_BYTES = 16;
    /** More at once is nothing that an engine or agent would ask. */
    private static final int HANDLES_AT_ONCE_MAX = 4_096;

    private static final int LABEL_MAX = 127;

    /** Below what dmg waits for an answer. */
    private static final Duration EVICT_MAX = Duration.ofSeconds(8);

    private final PoolHost pools;
    private final SecureRandom random = new SecureRandom();

    public AccessHandlers(PoolHost pools) {
        this.pools = pools;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.POOL_CONNECT, PoolConnectRequest.parser(), this::connect);
        r.onFrom(RpcMethod.POOL_DISCONNECT, PoolDisconnectRequest.parser(), this::disconnect);
        r.onFrom(RpcMethod.POOL_EVICT, PoolEvictRequest.parser(), this::evict);
        r.onFrom(RpcMethod.POOL_ACL, AclRequest.parser(), this::acl);
        r.onFrom(RpcMethod.CONTAINER_OPEN, ContainerOpenRequest.parser(), this::open);
        r.onFrom(RpcMethod.CONTAINER_CLOSE, ContainerCloseRequest.parser(), this::close);
        r.onFrom(RpcMethod.CONTAINER_ACL, AclRequest.parser(), this::containerAcl);
        r.onFrom(RpcMethod.CONTAINER_OWNER, OwnerRequest.parser(), this::owner);
        r.on(RpcMethod.HANDLE_CHECK, HandleCheckRequest.parser(), this::check);
    }

    private Mono<PoolService> at(String pool) {
        return Mono.fromSupplier(() -> pools.service(pool));
    }

    private Mono<PoolService> at(ByteString pool) {
        return Mono.fromSupplier(() -> pools.service(Ids.uuid(pool).toString()));
    }

    private ByteString newHandle() {
        byte[] bytes = new byte[HANDLE_BYTES];
        random.nextBytes(bytes);
        return ByteString.copyFrom(bytes);
    }

    // ---------------------------------------------------------------- handles

    private Mono<PoolConnectReply> connect(PoolConnectRequest r, RpcCall.Peer peer) {
        PoolConnectMessage wanted = PoolConnectMessage.newBuilder()
                .setHandle(newHandle())
                .setFlags(r.getFlags())
                .setUser(wire(Asker.of(peer, ByteString.EMPTY).required()))
                .build();
        return at(r.getPool())
                .flatMap(s -> s.propose(LogCommand.newBuilder()
                                .setRequestId(r.getRequestId())
                                .setPoolConnect(wanted))
                        .map(reply -> Replies.body(reply, PoolConnectReply.parser()).toBuilder()
                                .setMap(s.replica().read(PoolDb::map).toWire())
                                .build()));
    }

    private Mono<Empty> disconnect(PoolDisconnectRequest r, RpcCall.Peer peer) {
        return endOwn(r.getPool(), r.getHandle(), r.getRequestId(), peer);
    }

    private Mono<Empty> close(ContainerCloseRequest r, RpcCall.Peer peer) {
        return endOwn(r.getPool(), r.getHandle(), r.getRequestId(), peer);
    }

    private Mono<Empty> endOwn(ByteString pool, ByteString handle, String requestId, RpcCall.Peer peer) {
        HandlesEndMessage ended = HandlesEndMessage.newBuilder()
                .addHandles(handle)
                .setBy(wire(Asker.of(peer, handle).required()))
                .build();
        return at(pool).flatMap(s -> s.propose(
                        LogCommand.newBuilder().setRequestId(requestId).setHandlesEnd(ended)))
                .map(done -> Empty.getDefaultInstance());
    }

    /** An administrator hears which ranks have not confirmed; an agent, which cleans up after a process, does not wait. */
    private Mono<PoolEvictReply> evict(PoolEvictRequest r, RpcCall.Peer peer) {
        checkCount(r.getHandlesCount());
        boolean isAdmin = peer.role() == Role.ADMIN;
        boolean isAll = r.getHandlesCount() == 0 && r.getMachine().isEmpty();
        boolean isOwnOnly = !isAdmin && peer.user().isPresent();
        if (!isAdmin && isAll || isOwnOnly && !r.getMachine().isEmpty()) {
            throw Fault.of(FaultCode.NO_PERM, "only an administrator ends handles without naming them")
                    .remedy("use dmg pool evict")
                    .asException();
        }
        HandlesEndMessage.Builder ended = HandlesEndMessage.newBuilder()
                .addAllHandles(r.getHandlesList())
                .setMachine(r.getHandlesCount() == 0 ? r.getMachine() : "")
                .setAll(isAll);
        if (isOwnOnly) ended.setBy(wire(peer.user().orElseThrow()));
        LogCommand.Builder command =
                LogCommand.newBuilder().setRequestId(r.getRequestId()).setHandlesEnd(ended);
        return at(r.getPool())
                .flatMap(s -> s.propose(command)
                        .map(reply -> Replies.body(reply, PoolEvictReply.parser()))
                        .flatMap(done -> isAdmin ? confirmed(s, done) : Mono.just(done)));
    }

    private static Mono<PoolEvictReply> confirmed(PoolService service, PoolEvictReply done) {
        return service.handlesTold(EVICT_MAX)
                .map(left -> done.toBuilder().addAllUnconfirmedRanks(left).build());
    }

    private Mono<ContainerOpenReply> open(ContainerOpenRequest r, RpcCall.Peer peer) {
        ContainerOpenMessage wanted = ContainerOpenMessage.newBuilder()
                .setHandle(newHandle())
                .setPoolHandle(r.getPoolHandle())
                .setContainer(named(r.getContainer()))
                .setFlags(r.getFlags())
                .setUser(wire(Asker.of(peer, r.getPoolHandle()).required()))
                .build();
        return at(r.getPool())
                .flatMap(s -> s.propose(
                        LogCommand.newBuilder().setRequestId(r.getRequestId()).setContainerOpen(wanted)))
                .map(reply -> Replies.body(reply, ContainerOpenReply.parser()));
    }

    private Mono<HandleCheckReply> check(HandleCheckRequest r) {
        checkCount(r.getHandlesCount());
        return at(r.getPool())
                .flatMap(s -> s.read(db -> db.access().describe(r.getHandlesList())))
                .map(found -> HandleCheckReply.newBuilder().addAllHandles(found).build());
    }

    private static void checkCount(int handles) {
        if (handles <= HANDLES_AT_ONCE_MAX) return;
        throw Fault.of(FaultCode.INVAL, "%d handles at once, more than %d", handles, HANDLES_AT_ONCE_MAX)
                .asException();
    }

    private static String named(String container) {
        if (!container.isEmpty() && container.length() <= LABEL_MAX) return container;
        throw Fault.of(FaultCode.INVAL, "a container is named by its label or UUID")
                .asException();
    }

    /** As the log keeps it: what the credential was good for has been checked. */
    private static CredentialMessage wire(User u) {
        return CredentialMessage.newBuilder()
                .setUser(u.user())
                .setGroup(u.group())
                .addAllGroups(u.groups())
                .setMachine(u.machine())
                .build();
    }

    // ---------------------------------------------------------------- lists and owners

    private Mono<AclReply> acl(AclRequest r, RpcCall.Peer peer) {
        if (!r.getContainer().isEmpty())
            throw Fault.of(FaultCode.INVAL, "a container's list is not its pool's")
                    .asException();
        return at(r.getPool()).flatMap(s -> acl(s, r, Optional.empty()));
    }

    private Mono<AclReply> containerAcl(AclRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        boolean isGet = Access.checked(r) == AclRequest.Op.GET;
        String name = named(r.getContainer());
        return at(r.getPool())
                .flatMap(s -> s.read(db -> {
                            ContainerMessage c = db.access().find(asker, name);
                            db.access().check(asker, c, isGet ? Permission.GET_ACL : Permission.SET_ACL);
                            return c;
                        })
                        .flatMap(c -> acl(s, r, Optional.of(c))));
    }

    private static Mono<AclReply> acl(PoolService s, AclRequest r, Optional<ContainerMessage> of) {
        Mono<AclReply> shown = s.read(db -> reply(
                of.isPresent() ? db.access().container(of.get()) : db.access().pool()));
        if (Access.checked(r) == AclRequest.Op.GET) return shown;
        AclChangeMessage change = change(r, of.map(ContainerMessage::getUuid).orElse(ByteString.EMPTY));
        return s.propose(LogCommand.newBuilder().setRequestId(r.getRequestId()).setAclChange(change))
                .then(shown);
    }

    /** Nonsense, and what the operation does not ask for, does not get into the log. */
    private static AclChangeMessage change(AclRequest r, ByteString container) {
        AclChangeMessage.Builder change =
                AclChangeMessage.newBuilder().setContainer(container).setOp(r.getOp());
        if (Access.checked(r) == AclRequest.Op.DELETE)
            return change.setPrincipal(Principal.parse(r.getPrincipal()).toString())
                    .build();
        return change.addAllEntries(Acl.of(r.getEntriesList()).lines()).build();
    }

    private static AclReply reply(Guarded g) {
        return AclReply.newBuilder()
                .setOwner(g.owner())
                .setGroup(g.group())
                .addAllEntries(g.acl().lines())
                .build();
    }

    private Mono<Empty> owner(OwnerRequest r, RpcCall.Peer peer) {
        Asker asker = Asker.of(peer, r.getPoolHandle());
        String name = named(r.getContainer());
        for (String n : List.of(r.getUser(), r.getGroup())) if (!n.isEmpty()) Principal.checkName(n);
        return at(r.getPool())
                .flatMap(s -> s.read(db -> mayOwn(db, r, name, asker)).flatMap(id -> change(s, r, id)))
                .map(done -> Empty.getDefaultInstance());
    }

    /** Empty: this request has been carried out before, and he may have given the container away by it. */
    private static ByteString mayOwn(PoolDb db, OwnerRequest r, String name, Asker asker) {
        if (db.outcome(r.getRequestId()).isPresent()) return ByteString.EMPTY;
        ContainerMessage c = db.access().find(asker, name);
        db.access().check(asker, c, Permission.SET_OWNER);
        return c.getUuid();
    }

    private static Mono<LogReply> change(PoolService s, OwnerRequest r, ByteString container) {
        if (container.isEmpty()) return Mono.just(LogReply.getDefaultInstance());
        OwnerChangeMessage change = OwnerChangeMessage.newBuilder()
                .setContainer(container)
                .setUser(r.getUser())
                .setGroup(r.getGroup())
                .build();
        return s.propose(LogCommand.newBuilder().setRequestId(r.getRequestId()).setOwnerChange(change));
    }
}
