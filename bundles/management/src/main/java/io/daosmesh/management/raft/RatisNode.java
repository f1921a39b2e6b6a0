package io.daosmesh.management.raft;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.RequestLimits;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.JoinRules;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RaftBegin;
import io.daosmesh.model.wire.RaftEnvelope;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.GroupManagementRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The one Ratis server of this node. Opening it reopens every group found on disk. Any thread that may block.
 *
 * <p>Ratis remembers the context class loader of the thread that touches it first: in a bundle that must be the bundle's.
 */
public final class RatisNode implements RaftHost {
    private static final Logger LOG = LoggerFactory.getLogger(RatisNode.class);
    /** Requests of peers handled at once, and waiting: three groups' worth of peers each. */
    private static final int HANDLERS_MAX = 8;

    private static final int WAITING_MAX = 1024;

    private final RaftServer server;
    private final RaftWire wire;
    private final String address;
    private final ReplicaIds ids;
    private final Replicas replicas;
    private final KnownServers servers;
    private final Scheduler scheduler =
            Schedulers.newBoundedElastic(HANDLERS_MAX, WAITING_MAX, "daosmesh-raft", 30, true);
    private final Registrations registrations;
    /**
     * Groups are added, removed and closed one after the other: one that is being started when it is removed, or when its server
     * closes, would keep its folder locked for as long as the process lives.
     */
    private final ReentrantLock changing = new ReentrantLock();

    private volatile boolean isClosed;
    private final ClientId client;

    /** What runs in the groups. */
    public interface Replicas {
        /** State machine of a group, asked for once for each that is opened. */
        Replica<?> of(UUID group);

        /** A leader has had the group begun here. Called on the Raft scheduler; may block. */
        default void onBegun(UUID group) {}
    }

    /**
     * Opens the logs: blocks for the disk.
     *
     * @param node whose address, transport and timing it takes
     * @param servers whose messages count besides those of a group's own members
     */
    public RatisNode(Path dir, NodeContext node, Replicas replicas, KnownServers servers) {
        this.servers = servers;
        this.replicas = replicas;
        address = node.address();
        client = ClientId.randomId();
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        thread.setContextClassLoader(RatisNode.class.getClassLoader());
        RaftServer opened = null;
        try {
            Files.createDirectories(dir);
            ids = new ReplicaIds(dir);
            Parameters parameters = new Parameters();
            parameters.put(MeshRpcType.RPC, node.rpc(), Rpc.class);
            parameters.put(MeshRpcType.IDS, ids, ReplicaIds.class);
            opened = RaftServer.newBuilder()
                    .setServerId(PeerIds.of(node.address()))
                    .setOption(RaftStorage.StartupOption.RECOVER)
                    .setProperties(RatisSettings.of(dir, node.timing()))
                    .setParameters(parameters)
                    .setStateMachineRegistry(g -> new RatisStateMachine(
                            replicas.of(g.getUuid()), text -> incompatible(node.ras(), g.getUuid(), text)))
                    .build();
            opened.start();
        } catch (IOException | RuntimeException e) {
            // the groups that did open would stay locked, and the next try would find them so
            close(opened);
            scheduler.dispose();
            throw cannotOpen(dir, e);
        } finally {
            thread.setContextClassLoader(before);
        }
        server = opened;
        wire = (RaftWire) server.getServerRpc();
        registrations = new Registrations(node.server(), Endpoint.NODE, RequestLimits.ALL);
        registrations.onFrom(RpcMethod.RAFT, RaftEnvelope.parser(), this::onRaft);
    }

    private static void incompatible(Ras ras, UUID group, String text) {
        ras.raise(RasId.RDB_DURABLE_FORMAT_INCOMPATIBLE, Severity.ERROR, text, Map.of("pool", group.toString()));
    }

    private static FaultException cannotOpen(Path dir, Exception e) {
        Throwable cause = e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
        String text = String.valueOf(cause.getMessage());
        // the library has no exception of its own for a folder that is in use, and nobody must remove one
        boolean isInUse = text.contains("already locked");
        boolean isFull = FaultCode.ofMedium(text) == FaultCode.NOSPACE;
        FaultCode code = isInUse ? FaultCode.BUSY : isFull ? FaultCode.NOSPACE : FaultCode.DF_INVAL;
        String remedy = "restore the folder, or remove it if the other replicas are healthy";
        if (isInUse) remedy = "stop the other process that uses the folder; it is tried again";
        if (isFull) remedy = "free space in " + dir + "; it is tried again";
        return Fault.of(code, "cannot open the Raft logs in %s: %s", dir, text)
                .remedy(remedy)
                .asException();
    }

    private static void close(@Nullable RaftServer server) {
        if (server == null) return;
        try {
            server.close();
        } catch (IOException | RuntimeException e) {
            LOG.warn("Raft server did not close cleanly: {}", e.toString());
        }
    }

    private Mono<RaftEnvelope> onRaft(RaftEnvelope in, RpcCall.Peer peer) {
        KnownServers.requireSame("a Raft message", in.getFrom(), peer);
        // A failure is carried as a value: an asker that has gone away must not turn it into a dropped error.
        return Mono.defer(() -> Mono.fromFuture(answer(in), true))
                .subscribeOn(scheduler)
                .flatMap(a -> a.error == null
                        ? Mono.just(a.envelope)
                        : Mono.error(
                                a.error instanceof FaultException f
                                        ? f
                                        : refusal(a.error).asException()));
    }

    /** That there is no such group is said only by a node that has opened all it has: others take it for a loss. */
    private Fault refusal(Throwable error) {
        if (error instanceof InvalidProtocolBufferException) return Fault.of(FaultCode.PROTO, String.valueOf(error));
        boolean isUnknown = error instanceof GroupMismatchException && !isClosed;
        return Fault.of(isUnknown ? FaultCode.NOTREPLICA : FaultCode.AGAIN, String.valueOf(error));
    }

    private record Answer(RaftEnvelope envelope, @Nullable Throwable error) {}

    private CompletableFuture<Answer> answer(RaftEnvelope in) {
        try {
            return (in.getKind() == RaftWire.BEGIN ? begin(in) : wire.answer(in, servers))
                    .handle((envelope, e) ->
                            e == null ? new Answer(envelope, null) : new Answer(RaftEnvelope.getDefaultInstance(), e));
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.completedFuture(new Answer(RaftEnvelope.getDefaultInstance(), e));
        }
    }

    /** Nothing of another replica here counts any more, unless it is of a later configuration than the one it is not in. */
    private CompletableFuture<RaftEnvelope> begin(RaftEnvelope in) throws IOException {
        UUID group = Ids.uuid(in.getGroup());
        if (!servers.isMember(in.getFrom()))
            throw servers.stranger(in.getFrom()).asException();
        RaftBegin begin = RaftBegin.parseFrom(in.getPayload());
        List<Voter> voters = begin.getVotersList().stream().map(Voter::fromWire).toList();
        voters.forEach(v -> JoinRules.checkAddress(v.address()));
        boolean isOdd = begin.getIdentity().isEmpty()
                || voters.isEmpty()
                || voters.stream().anyMatch(v -> v.address().equals(address));
        if (isOdd)
            throw Fault.of(FaultCode.INVAL, "a replica begins with an identity, among others")
                    .asException();
        changing.lock();
        try {
            boolean isThere = holds(group) && ids.of(group).equals(begin.getIdentity());
            if (!isThere) {
                if (isLaterThan(group, begin.getConfIndex()))
                    throw Fault.of(FaultCode.STALE, "the replica here is of a later configuration")
                            .asException();
                if (groups().contains(group))
                    LOG.warn("group {}: the replica here is not known any more and goes", group);
                remove(group, true);
                add(group, begin.getIdentity(), voters);
            }
        } finally {
            changing.unlock();
        }
        replicas.onBegun(group);
        return CompletableFuture.completedFuture(RaftEnvelope.getDefaultInstance());
    }

    private boolean isLaterThan(UUID group, long confIndex) throws IOException {
        if (!groups().contains(group)) return false;
        RaftConfiguration own = server.getDivision(id(group)).getRaftConf();
        RaftPeer self = own.getPeer(server.getId(), RaftPeerRole.FOLLOWER);
        return self != null && Voter.of(self).mayBe(ids.of(group)) && own.getLogEntryIndex() > confIndex;
    }

    @Override
    public io.daosmesh.management.raft.RaftGroup add(UUID group, String identity, List<Voter> voters) {
        changing.lock();
        try {
            // Killed between making the folder and writing the members into it: such a replica has never taken part.
            if (groups().contains(group) && !holds(group)) remove(group, true);
            if (!groups().contains(group)) {
                ids.put(group, identity);
                RaftGroup wanted = RaftGroup.valueOf(
                        id(group), voters.stream().map(Voter::toPeer).toList());
                manage(GroupManagementRequest.newAdd(client, server.getId(), 1, wanted, false));
            }
            return group(group);
        } finally {
            changing.unlock();
        }
    }

    @Override
    public boolean hasForgotten(UUID group) {
        return !ids.of(group).isEmpty() && !holds(group);
    }

    @Override
    public boolean isChanging() {
        return changing.isLocked();
    }

    @Override
    public boolean holds(UUID group) {
        return groups().contains(group) && !group(group).peers().isEmpty();
    }

    @Override
    public Mono<Boolean> holds(UUID group, String node) {
        return wire.term(id(group), PeerIds.of(node))
                .map(term -> true)
                .onErrorResume(e ->
                        FaultException.faultOf(e).code() == FaultCode.NOTREPLICA ? Mono.just(false) : Mono.error(e));
    }

    @Override
    public io.daosmesh.management.raft.RaftGroup group(UUID group) {
        return new RatisGroup(server, id(group), scheduler);
    }

    @Override
    public Set<UUID> groups() {
        Set<UUID> all = new TreeSet<>();
        server.getGroupIds().forEach(g -> all.add(g.getUuid()));
        return all;
    }

    @Override
    public Flux<UUID> electInsteadOf(String dead, Set<String> living) {
        return Flux.defer(() -> Flux.fromIterable(groups()))
                .subscribeOn(scheduler)
                .flatMap(
                        g -> group(g).electInsteadOf(dead, living)
                                .filter(started -> started)
                                .map(started -> g),
                        HANDLERS_MAX);
    }

    @Override
    public void remove(UUID group, boolean deleteData) {
        changing.lock();
        try {
            if (groups().contains(group))
                manage(GroupManagementRequest.newRemove(client, server.getId(), 1, id(group), deleteData, false));
            if (deleteData) ids.remove(group);
        } finally {
            changing.unlock();
        }
    }

    /** Under {@link #changing}. Whoever has asked may have gone, which interrupts: what has begun ends all the same. */
    private void manage(GroupManagementRequest request) {
        if (isClosed) throw Fault.of(FaultCode.UNINIT).asException();
        try {
            server.groupManagementAsync(request).join();
        } catch (CompletionException e) {
            throw Fault.of(FaultCode.IO, "Raft group %s: %s", request.getRaftGroupId(), String.valueOf(e.getCause()))
                    .asException();
        }
    }

    private static RaftGroupId id(UUID group) {
        return RaftGroupId.valueOf(group);
    }

    @Override
    public void close() {
        isClosed = true;
        changing.lock();
        try {
            registrations.close();
            close(server);
        } finally {
            changing.unlock();
        }
        scheduler.dispose();
    }
}
