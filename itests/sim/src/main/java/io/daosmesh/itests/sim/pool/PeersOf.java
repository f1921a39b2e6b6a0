package io.daosmesh.itests.sim.pool;

import io.daosmesh.engine.shard.Peers;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.itests.sim.machine.Buffers;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import java.nio.ByteBuffer;

/** The other targets as one engine reaches them, with the deadlines of the shipped {@code RpcPeers}. */
final class PeersOf implements Peers {
    private final EngineLife from;

    PeersOf(EngineLife from) {
        this.from = from;
    }

    @Override
    public void shardWrite(int rank, int target, WriteOp op, Runnable onSent, Done reply) {
        ByteBuffer copy = copy(op.data());
        from.world.time.after(from.world.time.between(1_000, 300_000), onSent);
        from.<Boolean>call(
                rank,
                Timeline.ms(2_000),
                (life, answer) -> {
                    // before anything else, as shipped: an epoch from far ahead is refused
                    life.sawEpoch(op.dtx().epoch());
                    life.execute(() -> life.target.shardWrite(op.withData(copy), fault -> {
                        // what the transport does with a request that is answered
                        Buffers.scribble(copy);
                        answer.answer(fault == null ? Boolean.TRUE : null, fault);
                    }));
                },
                (ok, fault) -> reply.done(fault));
    }

    static ByteBuffer copy(ByteBuffer data) {
        ByteBuffer copy = ByteBuffer.allocateDirect(data.remaining());
        return copy.put(data.duplicate()).flip();
    }

    @Override
    public void commit(int rank, DtxBatchRequest request) {
        from.<Boolean>call(
                rank,
                Timeline.ms(5_000),
                (life, answer) -> life.execute(() -> life.target.commit(World.POOL, request.getDtxsList())),
                (ok, fault) -> {});
    }

    @Override
    public void abort(int rank, DtxBatchRequest request) {
        from.<Boolean>call(
                rank,
                Timeline.ms(5_000),
                (life, answer) -> life.execute(
                        () -> life.target.abort(World.POOL, request.getMapVersion(), request.getDtxsList())),
                (ok, fault) -> {});
    }

    @Override
    public void record(int rank, RecordPullRequest request, Answer<ByteBuffer> answer) {
        from.<ByteBuffer>call(
                rank,
                Timeline.ms(2_000),
                (life, back) -> life.execute(() -> life.target.record(request, (exported, fault) -> {
                    if (exported == null) {
                        back.answer(null, fault);
                        return;
                    }
                    ByteBuffer bytes = copy(exported.data());
                    exported.onDone().run();
                    back.answer(bytes, null);
                })),
                answer);
    }

    @Override
    public void resolve(int rank, DtxResolveRequest request, Answer<Integer> answer) {
        from.<Integer>call(
                rank,
                Timeline.ms(1_000),
                (life, back) -> life.execute(() -> life.target.resolve(request, back)),
                answer);
    }
}
