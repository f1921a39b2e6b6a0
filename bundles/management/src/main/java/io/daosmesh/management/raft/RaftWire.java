package io.daosmesh.management.raft;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.RaftBegin;
import io.daosmesh.model.wire.RaftEnvelope;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.ratis.proto.RaftProtos.AppendEntriesReplyProto;
import org.apache.ratis.proto.RaftProtos.AppendEntriesRequestProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotReplyProto;
import org.apache.ratis.proto.RaftProtos.InstallSnapshotRequestProto;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.proto.RaftProtos.RaftRpcRequestProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteReplyProto;
import org.apache.ratis.proto.RaftProtos.RequestVoteRequestProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionReplyProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.RpcType;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerRpc;
import org.apache.ratis.thirdparty.com.google.protobuf.MessageLite;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * Ratis's messages over the mesh's own transport: no port of its own, same certificates, same connections. A peer's id is
 * its control address. Out: called and blocked on Ratis's own threads. In: {@link #answer} on a thread that may block.
 */
public final class RaftWire implements RaftServerRpc {
    private static final int VOTE = 1;
    private static final int APPEND = 2;
    public static final int SNAPSHOT = 3;
    private static final int START_ELECTION = 4;
    /** Not the library's: which term a replica is in. */
    private static final int TERM = 5;
    /** Not the library's either: a replica begins, see {@link RaftBegin}. */
    static final int BEGIN = 6;

    /** Longer than a busy disk's flush, shorter than people's patience: a paused follower holds only its own appender. */
    private static final Duration ANSWER_MAX = Duration.ofMillis(1500);

    /** One chunk is written and flushed by the follower. */
    private static final Duration SNAPSHOT_ANSWER_MAX = Duration.ofSeconds(10);

    /** Two folders are removed and made. */
    private static final Duration BEGIN_MAX = Duration.ofSeconds(10);

    private final RaftServer server;
    private final Rpc rpc;
    private final ReplicaIds ids;

    RaftWire(RaftServer server, Rpc rpc, ReplicaIds ids) {
        this.server = server;
        this.rpc = rpc;
        this.ids = ids;
    }

    @Override
    public RpcType getRpcType() {
        return new MeshRpcType();
    }

    @Override
    public void start() {}

    @Override
    public void close() {}

    @Override
    @SuppressWarnings("NullAway") // Ratis's own null: this server has no socket
    public @Nullable InetSocketAddress getInetSocketAddress() {
        return null;
    }

    @Override
    public void addRaftPeers(Collection<RaftPeer> peers) {}

    @Override
    public void handleException(RaftPeerId peer, Exception e, boolean reconnect) {}

    @Override
    public RequestVoteReplyProto requestVote(RequestVoteRequestProto r) throws IOException {
        return RequestVoteReplyProto.parseFrom(send(VOTE, r.getServerRequest(), r, ANSWER_MAX));
    }

    @Override
    public AppendEntriesReplyProto appendEntries(AppendEntriesRequestProto r) throws IOException {
        return AppendEntriesReplyProto.parseFrom(send(APPEND, r.getServerRequest(), r, ANSWER_MAX));
    }

    @Override
    public InstallSnapshotReplyProto installSnapshot(InstallSnapshotRequestProto r) throws IOException {
        return InstallSnapshotReplyProto.parseFrom(send(SNAPSHOT, r.getServerRequest(), r, SNAPSHOT_ANSWER_MAX));
    }

    @Override
    public StartLeaderElectionReplyProto startLeaderElection(StartLeaderElectionRequestProto r) throws IOException {
        return StartLeaderElectionReplyProto.parseFrom(send(START_ELECTION, r.getServerRequest(), r, ANSWER_MAX));
    }

    /**
     * The term that a voter is in at some moment after the subscription. Any thread. Faults: NOTREPLICA when it has no replica that
     * votes, or another one than this replica knows; those of a call.
     */
    Mono<Long> term(RaftGroupId group, RaftPeerId peer) {
        return ask(group, PeerIds.address(peer), TERM, ByteString.EMPTY, ANSWER_MAX)
                .map(reply -> reply.getPayload().asReadOnlyByteBuffer().getLong());
    }

    /** Faults: STALE when the replica there is of a later configuration; those of a call. */
    Mono<Void> begin(RaftGroupId group, String to, RaftBegin begin) {
        return ask(group, to, BEGIN, begin.toByteString(), BEGIN_MAX).then();
    }

    private Mono<RaftEnvelope> ask(RaftGroupId group, String to, int kind, ByteString payload, Duration deadline) {
        RaftEnvelope question = RaftEnvelope.newBuilder()
                .setFrom(PeerIds.address(server.getId()))
                .setTo(to)
                .setKind(kind)
                .setGroup(Ids.bytes(group.getUuid()))
                .setIdentity(ids.of(group.getUuid()))
                .setPayload(payload)
                .build();
        return rpc.call(Endpoint.node(to), RpcMethod.RAFT, RpcMessage.of(question), deadline, reply -> {
            RaftEnvelope answer = RaftEnvelope.parseFrom(reply.body());
            if (kind != BEGIN) checkIdentity(group, to, answer.getIdentity());
            return answer;
        });
    }

    /** Whoever lost its log and comes under the same address is not the voter that it was. */
    private void checkIdentity(RaftGroupId group, String address, String identity) {
        Optional<Voter> known = voter(group, address);
        if (known.isEmpty() || known.get().mayBe(identity)) return;
        throw Fault.of(FaultCode.NOTREPLICA, "the replica on %s is another one than the group knows", address)
                .asException();
    }

    /** As this replica knows it. */
    private Optional<Voter> voter(RaftGroupId group, String address) {
        try {
            RaftConfiguration known = server.getDivision(group).getRaftConf();
            return Optional.ofNullable(known.getPeer(PeerIds.of(address), RaftPeerRole.FOLLOWER))
                    .map(Voter::of);
        } catch (IOException notHere) {
            return Optional.empty();
        }
    }

    private byte[] send(int kind, RaftRpcRequestProto head, MessageLite message, Duration deadline) throws IOException {
        String to = PeerIds.address(head.getReplyId().toStringUtf8());
        RaftGroupId group = group(head);
        RaftEnvelope envelope = RaftEnvelope.newBuilder()
                .setFrom(PeerIds.address(head.getRequestorId().toStringUtf8()))
                .setTo(to)
                .setKind(kind)
                .setIdentity(ids.of(group.getUuid()))
                .setPayload(UnsafeByteOperations.unsafeWrap(message.toByteArray()))
                .build();
        CompletableFuture<byte[]> answer = rpc.call(
                        Endpoint.node(to), RpcMethod.RAFT, RpcMessage.of(envelope), deadline, reply -> {
                            RaftEnvelope in = RaftEnvelope.parseFrom(reply.body());
                            checkIdentity(group, to, in.getIdentity());
                            return in.getPayload().toByteArray();
                        })
                .toFuture();
        try {
            byte[] bytes = answer.get();
            if (bytes == null) throw new IOException(to + " gave no answer");
            return bytes;
        } catch (InterruptedException e) {
            answer.cancel(true);
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while asking " + to);
        } catch (java.util.concurrent.ExecutionException e) {
            throw new Unreached(FaultException.faultOf(e).message());
        }
    }

    /** Expected while a peer is down, and logged by Ratis each time: without a stack trace. */
    private static final class Unreached extends IOException {
        private static final long serialVersionUID = 1L;

        Unreached(String message) {
            super(message);
        }

        @Override
        public synchronized Throwable fillInStackTrace() {
            return this;
        }
    }

    /**
     * A peer's message, whose sender the transport has proven. Blocks for the disk. NO_PERM and AGAIN: not from there. NOTREPLICA:
     * from a replica that the group does not know.
     */
    CompletableFuture<RaftEnvelope> answer(RaftEnvelope in, KnownServers servers) throws IOException {
        byte[] bytes = in.getPayload().toByteArray();
        switch (in.getKind()) {
            case VOTE -> {
                var r = RequestVoteRequestProto.parseFrom(bytes);
                check(in, r.getServerRequest(), servers);
                return CompletableFuture.completedFuture(wrap(server.requestVote(r), group(r.getServerRequest())));
            }
            case APPEND -> {
                var r = AppendEntriesRequestProto.parseFrom(bytes);
                check(in, r.getServerRequest(), servers);
                return server.appendEntriesAsync(r).thenApply(a -> wrap(a, group(r.getServerRequest())));
            }
            case SNAPSHOT -> {
                var r = InstallSnapshotRequestProto.parseFrom(bytes);
                check(in, r.getServerRequest(), servers);
                return CompletableFuture.completedFuture(wrap(server.installSnapshot(r), group(r.getServerRequest())));
            }
            case START_ELECTION -> {
                var r = StartLeaderElectionRequestProto.parseFrom(bytes);
                check(in, r.getServerRequest(), servers);
                return CompletableFuture.completedFuture(
                        wrap(server.startLeaderElection(r), group(r.getServerRequest())));
            }
            case TERM -> {
                RaftGroupId group = RaftGroupId.valueOf(Ids.uuid(in.getGroup()));
                // whoever asks, and may have lost his own log, has to know that there is one
                checkMember(in.getFrom(), group, servers);
                return CompletableFuture.completedFuture(term(group));
            }
            default ->
                throw Fault.of(FaultCode.PROTO, "unknown Raft message %s", Integer.toUnsignedString(in.getKind()))
                        .asException();
        }
    }

    /** Inside stands again who asks: that is whom the library believes. */
    private void check(RaftEnvelope in, RaftRpcRequestProto head, KnownServers servers) throws IOException {
        String requestor = PeerIds.address(head.getRequestorId().toStringUtf8());
        if (!requestor.equals(in.getFrom())) {
            throw Fault.of(FaultCode.NO_PERM, "a Raft message of '%s' comes from '%s'", requestor, in.getFrom())
                    .asException();
        }
        RaftGroupId group = group(head);
        checkMember(in.getFrom(), group, servers);
        checkIdentity(group, in.getFrom(), in.getIdentity());
    }

    private static RaftGroupId group(RaftRpcRequestProto head) {
        byte[] id = head.getRaftGroupId().getId().toByteArray();
        return RaftGroupId.valueOf(Ids.uuid(ByteString.copyFrom(id)));
    }

    /**
     * The map alone would keep groups without a leader until the management service has one; the group alone would keep out
     * a leader that this replica has yet to hear of.
     */
    void checkMember(String from, RaftGroupId group, KnownServers servers) throws IOException {
        if (servers.isMember(from)) return;
        boolean isOfGroup = server.getDivision(group).getGroup().getPeer(PeerIds.of(from)) != null;
        if (!isOfGroup) throw servers.stranger(from).asException();
    }

    /** Only of one that votes: what has begun and was not let in yet holds nothing. */
    private RaftEnvelope term(RaftGroupId group) throws IOException {
        long term = server.getDivision(group).getInfo().getCurrentTerm();
        if (voter(group, PeerIds.address(server.getId())).isEmpty())
            throw Fault.of(FaultCode.NOTREPLICA, "the replica here does not vote")
                    .asException();
        return RaftEnvelope.newBuilder()
                .setIdentity(ids.of(group.getUuid()))
                .setPayload(UnsafeByteOperations.unsafeWrap(
                        ByteBuffer.allocate(Long.BYTES).putLong(term).flip()))
                .build();
    }

    private RaftEnvelope wrap(MessageLite reply, RaftGroupId group) {
        return RaftEnvelope.newBuilder()
                .setIdentity(ids.of(group.getUuid()))
                .setPayload(UnsafeByteOperations.unsafeWrap(reply.toByteArray()))
                .build();
    }
}
