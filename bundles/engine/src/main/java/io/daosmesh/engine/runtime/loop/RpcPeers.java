package io.daosmesh.engine.runtime.loop;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.Peers;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxBatchReply;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import io.daosmesh.model.wire.UpdateRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Calls of one target to others. Owner: target loop; answers come back on it. */
final class RpcPeers implements Peers {
    /** A member that is slower than this holds up the group: the write is undone and tried again. */
    private static final Duration WRITE_MAX = Duration.ofSeconds(2);

    private static final Duration ASK_MAX = Duration.ofSeconds(1);
    private static final Duration TELL_MAX = Duration.ofSeconds(5);
    private static final Logger log = LoggerFactory.getLogger(RpcPeers.class);

    private final EngineContext context;
    private final TurnPipeline.Loop loop;

    RpcPeers(EngineContext context, TurnPipeline.Loop loop) {
        this.context = context;
        this.loop = loop;
    }

    @Override
    public void shardWrite(int rank, int target, WriteOp op, Runnable onSent, Done reply) {
        AtomicBoolean isSent = new AtomicBoolean();
        Runnable once = () -> {
            if (isSent.compareAndSet(false, true)) onSent.run();
        };
        RpcMessage message = new RpcMessage(
                switch (op.level()) {
                    case WriteOp.UPDATE -> update(op, target);
                    case WriteOp.CHANGES -> change(op, target);
                    default -> punch(op, target);
                },
                op.data().duplicate(),
                once);
        RpcMethod method = switch (op.level()) {
            case WriteOp.UPDATE -> RpcMethod.SHARD_UPDATE;
            case WriteOp.CHANGES -> RpcMethod.SHARD_CHANGE;
            default -> RpcMethod.SHARD_PUNCH;
        };
        Optional<Endpoint> to = endpoint(rank);
        if (to.isEmpty()) {
            loop.execute(once);
            loop.execute(() -> reply.done(unknown(rank)));
            return;
        }
        context.rpc()
                .call(to.get(), method, message, WRITE_MAX, r -> Boolean.TRUE)
                .subscribe(ok -> loop.execute(() -> reply.done(null)), error -> {
                    loop.execute(() -> reply.done(FaultException.faultOf(error)));
                });
    }

    private static MessageLite update(WriteOp op, int target) {
        return UpdateRequest.newBuilder()
                .setAddress(op.address().toWire(target))
                .setDkey(ByteString.copyFrom(op.dkey()))
                .addAllValues(op.values())
                .setDtx(WriteOp.dtxMessage(op.dtx().id()))
                .setEpoch(op.dtx().epoch())
                .setForwarded(true)
                .setResent(op.dtx().isResent())
                .setNamesCrc32C(op.dtx().nameSum())
                .build();
    }

    /** A member of a release that does not know it refuses the method, and the client tries again until it is updated. */
    private static MessageLite change(WriteOp op, int target) {
        return ChangeRequest.newBuilder()
                .setAddress(op.address().toWire(target))
                .addAllChanges(op.changes().stream().map(KeyChange::toWire).toList())
                .setDtx(WriteOp.dtxMessage(op.dtx().id()))
                .setEpoch(op.dtx().epoch())
                .setForwarded(true)
                .setResent(op.dtx().isResent())
                .setNamesCrc32C(op.dtx().nameSum())
                .build();
    }

    private static MessageLite punch(WriteOp op, int target) {
        return PunchRequest.newBuilder()
                .setAddress(op.address().toWire(target))
                .setLevel(op.level())
                .setDkey(ByteString.copyFrom(op.dkey()))
                .addAllValues(op.values())
                .setDtx(WriteOp.dtxMessage(op.dtx().id()))
                .setEpoch(op.dtx().epoch())
                .setForwarded(true)
                .setResent(op.dtx().isResent())
                .setNamesCrc32C(op.dtx().nameSum())
                .build();
    }

    @Override
    public void commit(int rank, DtxBatchRequest request) {
        tell(rank, RpcMethod.DTX_COMMIT, request);
    }

    @Override
    public void abort(int rank, DtxBatchRequest request) {
        tell(rank, RpcMethod.DTX_ABORT, request);
    }

    private void tell(int rank, RpcMethod method, DtxBatchRequest request) {
        send(rank, method, request, TELL_MAX, r -> Boolean.TRUE)
                .subscribe(ok -> {}, e -> log.debug("{} to rank {}: {}", method, rank, e.getMessage()));
    }

    @Override
    public void resolve(int rank, DtxResolveRequest request, Answer<Integer> answer) {
        send(
                        rank,
                        RpcMethod.DTX_RESOLVE,
                        request,
                        ASK_MAX,
                        r -> DtxBatchReply.parseFrom(r.body()).getStates(0))
                .subscribe(
                        state -> loop.execute(() -> answer.answer(state, null)),
                        error -> loop.execute(() -> answer.refuse(FaultException.faultOf(error))));
    }

    @Override
    public void record(int rank, RecordPullRequest request, Answer<ByteBuffer> answer) {
        send(rank, RpcMethod.RECORD_PULL, request, WRITE_MAX, r -> {
                    ByteBuffer copy = ByteBuffer.allocate(r.data().remaining());
                    return copy.put(r.data().duplicate()).flip();
                })
                .subscribe(
                        bytes -> loop.execute(() -> answer.answer(bytes, null)),
                        error -> loop.execute(() -> answer.refuse(FaultException.faultOf(error))));
    }

    private <T> Mono<T> send(int rank, RpcMethod method, MessageLite body, Duration max, RpcReply.Decoder<T> decoder) {
        return endpoint(rank)
                .map(to -> context.rpc().call(to, method, RpcMessage.of(body), max, decoder))
                .orElseGet(() -> Mono.error(unknown(rank).asException()));
    }

    private Optional<Endpoint> endpoint(int rank) {
        return context.maps().groupMap().member(rank).map(Member::address).map(a -> Endpoint.rank(a, rank));
    }

    private static Fault unknown(int rank) {
        return Fault.of(FaultCode.OOG, "rank %d is not in the group map", rank);
    }
}
