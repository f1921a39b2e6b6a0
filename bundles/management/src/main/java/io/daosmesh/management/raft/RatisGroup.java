package io.daosmesh.management.raft;

import io.daosmesh.management.log.Replies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.LogReply;
import io.daosmesh.model.wire.RaftBegin;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.ratis.client.impl.ClientProtoUtils;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.StartLeaderElectionRequestProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.protocol.exceptions.GroupMismatchException;
import org.apache.ratis.protocol.exceptions.NotLeaderException;
import org.apache.ratis.protocol.exceptions.RaftException;
import org.apache.ratis.server.RaftConfiguration;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Scheduler;
import reactor.util.retry.Retry;

/** {@link RaftGroup} on Ratis. Any thread; what may block runs on the node's Raft scheduler. */
final class RatisGroup implements RaftGroup {
    private static final ClientId CLIENT = ClientId.randomId();
    private static final AtomicLong CALLS = new AtomicLong(1);

    /** Before voters that could not be reached are asked again. */
    private static final Duration CONFIRM_PAUSE = Duration.ofMillis(50);

    /** Several heartbeats and a few refusals: a voter that is being started is heard again before. */
    private static final long UNHEARD_MS = 2_000;

    private final RaftServer server;
    private final RaftGroupId id;
    private final Scheduler scheduler;

    RatisGroup(RaftServer server, RaftGroupId id, Scheduler scheduler) {
        this.server = server;
        this.id = id;
        this.scheduler = scheduler;
    }

    @Override
    public Mono<LogReply> propose(LogCommand command, Duration deadline) {
        return Mono.defer(() -> {
                    RaftGroup.checkSize(command);
                    Message message = Message.valueOf(bytes(command.toByteArray()));
                    return ask(
                            () -> server.submitClientRequestAsync(
                                    request(message, RaftClientRequest.writeRequestType())),
                            deadline);
                })
                .map(r -> Replies.orThrow(r.getMessage().getContent().toByteArray()));
    }

    @Override
    public Mono<Void> barrier(Duration deadline) {
        return Mono.defer(this::confirm)
                .retryWhen(Retry.fixedDelay(Long.MAX_VALUE, CONFIRM_PAUSE)
                        .scheduler(scheduler)
                        .filter(e -> FaultException.faultOf(e).code() == FaultCode.AGAIN))
                .timeout(deadline, scheduler)
                .publishOn(scheduler)
                .onErrorMap(this::fault);
    }

    /** A leader that is ready has applied all that former leaders acknowledged, and acknowledges only what it has applied. */
    private Mono<Void> confirm() {
        long term = term();
        Optional<RaftConfiguration> voters = info(RaftServer.Division::getRaftConf);
        if (voters.isEmpty() || !isLeader() || term() != term) return Mono.error(notLeader(null));
        return new ReadBarrier(server.getId(), term, voters.get())
                .confirm(peer -> wire().term(id, peer))
                .onErrorMap(e -> FaultException.faultOf(e).code() == FaultCode.NOTLEADER, e -> notLeader(null));
    }

    @Override
    public boolean isLeader() {
        return info(d -> d.getInfo().isLeaderReady()).orElse(false);
    }

    @Override
    public Optional<String> leader() {
        return info(d -> Optional.ofNullable(d.getInfo().getLeaderId()).map(PeerIds::address))
                .flatMap(Function.identity());
    }

    @Override
    public long leaderUnheardMs() {
        return info(d -> d.getInfo().getRoleInfoProto())
                .filter(RoleInfoProto::hasFollowerInfo)
                .map(r -> r.getFollowerInfo().getLeaderInfo().getLastRpcElapsedTimeMs())
                .orElse(0L);
    }

    @Override
    public long term() {
        return info(d -> d.getInfo().getCurrentTerm()).orElse(0L);
    }

    @Override
    public List<String> peers() {
        return info(d -> d.getGroup().getPeers().stream()
                        .map(p -> PeerIds.address(p.getId()))
                        .sorted()
                        .toList())
                .orElse(List.of());
    }

    @Override
    public Optional<List<String>> members() {
        return info(RaftServer.Division::getRaftConf)
                .filter(c -> c.getPreviousPeers().isEmpty())
                .map(c -> peers(c).toList());
    }

    @Override
    public Mono<Void> changeMembers(List<String> next, Set<String> anew, Duration deadline) {
        return Mono.defer(() -> {
            List<Voter> now = info(RaftServer.Division::getRaftConf)
                    .filter(c -> c.getPreviousPeers().isEmpty())
                    .map(c -> c.getCurrentPeers().stream().map(Voter::of).toList())
                    .orElse(List.of());
            if (now.isEmpty())
                return Mono.error(Fault.of(FaultCode.AGAIN, "the voters are being changed")
                        .asException());
            List<Voter> kept =
                    now.stream().filter(v -> !anew.contains(v.address())).toList();
            List<Voter> wanted = next.stream()
                    .map(a -> kept.stream()
                            .filter(v -> v.address().equals(a))
                            .findFirst()
                            .orElseGet(() -> Voter.fresh(a)))
                    .toList();
            Mono<Void> out = kept.size() == now.size() ? Mono.empty() : configure(kept, deadline);
            Mono<Void> begun = Flux.fromIterable(wanted)
                    .filter(v -> !kept.contains(v))
                    .concatMap(v -> begin(v, kept))
                    .then();
            return out.then(begun).then(configure(wanted, deadline));
        });
    }

    /** @param others voters it is not among */
    private Mono<Void> begin(Voter fresh, List<Voter> others) {
        return Mono.defer(() -> {
            RaftBegin.Builder begin = RaftBegin.newBuilder()
                    .setIdentity(fresh.identity())
                    .setConfIndex(info(d -> d.getRaftConf().getLogEntryIndex()).orElse(-1L));
            others.forEach(v -> begin.addVoters(v.toWire()));
            return wire().begin(id, fresh.address(), begin.build());
        });
    }

    private RaftWire wire() {
        return (RaftWire) server.getServerRpc();
    }

    @Override
    public Mono<List<String>> lostVoters() {
        return Mono.defer(() -> {
            List<String> voters = members().orElse(List.of());
            List<RaftPeerId> unheard = info(d -> d.getInfo().getRoleInfoProto())
                    .filter(RoleInfoProto::hasLeaderInfo)
                    .map(r -> r.getLeaderInfo().getFollowerInfoList().stream()
                            .filter(f -> f.getLastRpcElapsedTimeMs() > UNHEARD_MS)
                            .map(f -> RaftPeerId.valueOf(f.getId().getId()))
                            .filter(p -> voters.contains(PeerIds.address(p)))
                            .toList())
                    .orElse(List.of());
            return Flux.fromIterable(unheard)
                    .filterWhen(peer -> wire().term(id, peer)
                            .map(term -> false)
                            .onErrorResume(
                                    e -> Mono.just(FaultException.faultOf(e).code() == FaultCode.NOTREPLICA)))
                    .map(PeerIds::address)
                    .collectList();
        });
    }

    private Mono<Void> configure(List<Voter> voters, Duration deadline) {
        SetConfigurationRequest.Arguments to = SetConfigurationRequest.Arguments.newBuilder()
                .setServersInNewConf(voters.stream().map(Voter::toPeer).toList())
                .build();
        return Mono.defer(() -> ask(
                        () -> server.setConfigurationAsync(
                                new SetConfigurationRequest(CLIENT, server.getId(), id, CALLS.getAndIncrement(), to)),
                        deadline))
                .then();
    }

    @Override
    public Mono<Void> transferLeadership(String peer, Duration deadline) {
        return Mono.defer(() -> ask(
                        () -> server.transferLeadershipAsync(new TransferLeadershipRequest(
                                CLIENT,
                                server.getId(),
                                id,
                                CALLS.getAndIncrement(),
                                PeerIds.of(peer),
                                deadline.toMillis())),
                        deadline))
                .then();
    }

    @Override
    public Mono<Long> snapshot(Duration deadline) {
        return Mono.defer(() -> ask(
                        () -> server.snapshotManagementAsync(SnapshotManagementRequest.newCreate(
                                CLIENT, server.getId(), id, CALLS.getAndIncrement(), deadline.toMillis())),
                        deadline))
                .map(RaftClientReply::getLogIndex);
    }

    @Override
    public Mono<Boolean> electInsteadOf(String dead, Set<String> living) {
        return Mono.fromCallable(() -> elect(dead, living))
                .subscribeOn(scheduler)
                .onErrorMap(this::fault);
    }

    /**
     * What a leader asks of its successor when it hands over, asked by the successor itself. The library refuses it when the
     * term, the leader or the role has changed meanwhile, and when the log does not reach into the term.
     */
    private boolean elect(String dead, Set<String> living) throws IOException {
        RaftServer.Division replica = server.getDivision(id);
        long term = replica.getInfo().getCurrentTerm();
        TermIndex last = replica.getRaftLog().getLastEntryTermIndex();
        Optional<String> first =
                peers(replica.getRaftConf()).filter(living::contains).findFirst();
        boolean isMine = first.filter(PeerIds.address(server.getId())::equals).isPresent();
        if (!isMine || last == null || !leader().equals(Optional.of(dead))) return false;
        StartLeaderElectionRequestProto request = StartLeaderElectionRequestProto.newBuilder()
                .setServerRequest(ClientProtoUtils.toRaftRpcRequestProtoBuilder(
                        RaftGroupMemberId.valueOf(PeerIds.of(dead), id), server.getId()))
                .setLeaderLastEntry(TermIndex.valueOf(term, last.getIndex()).toProto())
                .build();
        return server.startLeaderElection(request).getServerReply().getSuccess();
    }

    private static Stream<String> peers(RaftConfiguration voters) {
        return voters.getCurrentPeers().stream()
                .map(p -> PeerIds.address(p.getId()))
                .sorted();
    }

    private RaftClientRequest request(Message message, RaftClientRequest.Type type) {
        return RaftClientRequest.newBuilder()
                .setClientId(CLIENT)
                .setServerId(server.getId())
                .setGroupId(id)
                .setCallId(CALLS.getAndIncrement())
                .setMessage(message)
                .setType(type)
                .build();
    }

    private static ByteString bytes(byte[] b) {
        return UnsafeByteOperations.unsafeWrap(b);
    }

    /** One request to the library, with its failures as faults. */
    private Mono<RaftClientReply> ask(Question question, Duration deadline) {
        // A failure is carried as a value: after the deadline it must not become a dropped error.
        return Mono.defer(() -> Mono.fromFuture(answer(question), true))
                .subscribeOn(scheduler)
                .timeout(deadline, scheduler)
                .publishOn(scheduler)
                .onErrorMap(this::fault)
                .flatMap(a -> a.reply != null && a.reply.isSuccess()
                        ? Mono.just(a.reply)
                        : Mono.error(fault(a.reply == null ? a.error : a.reply.getException())));
    }

    private record Answer(
            @Nullable RaftClientReply reply, @Nullable Throwable error) {}

    private static CompletableFuture<Answer> answer(Question question) {
        try {
            return question.ask().handle(Answer::new);
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.completedFuture(new Answer(null, e));
        }
    }

    private Throwable fault(@Nullable Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof FaultException) return t;
            if (t instanceof NotLeaderException n) return notLeader(n);
            if (t instanceof TimeoutException)
                return Fault.of(FaultCode.TIMEDOUT, "no majority of the replicas answered in time")
                        .asException();
            if (t instanceof GroupMismatchException)
                return Fault.of(FaultCode.NOTREPLICA).asException();
            if (t instanceof RaftException) {
                // Not ready, stepping down, shutting down: the same request is right a moment later.
                return Fault.of(FaultCode.AGAIN, String.valueOf(t.getMessage())).asException();
            }
        }
        return Fault.of(FaultCode.AGAIN, "the Raft group failed: %s", String.valueOf(error))
                .asException();
    }

    private FaultException notLeader(@Nullable NotLeaderException e) {
        RaftPeer suggested = e == null ? null : e.getSuggestedLeader();
        Optional<String> hint = leader().filter(l -> !l.equals(PeerIds.address(server.getId())));
        if (hint.isEmpty() && suggested != null) hint = Optional.of(PeerIds.address(suggested.getId()));
        Fault f = Fault.of(FaultCode.NOTLEADER);
        return (hint.isPresent() ? f.with("leader", hint.get()) : f).asException();
    }

    private <T> Optional<T> info(Function<RaftServer.Division, T> reader) {
        try {
            return Optional.ofNullable(reader.apply(server.getDivision(id)));
        } catch (IOException | IllegalStateException e) {
            return Optional.empty();
        }
    }

    @FunctionalInterface
    private interface Question {
        CompletableFuture<RaftClientReply> ask() throws IOException;
    }
}
