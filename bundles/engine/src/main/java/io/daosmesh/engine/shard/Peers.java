package io.daosmesh.engine.shard;

import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.Done;
import io.daosmesh.model.wire.DtxBatchRequest;
import io.daosmesh.model.wire.DtxResolveRequest;
import io.daosmesh.model.wire.RecordPullRequest;
import java.nio.ByteBuffer;

/** Other targets, as a target loop sees them. Every answer comes within the deadline, on the loop. */
public interface Peers {
    /**
     * Leader to member.
     *
     * @param onSent on any thread, exactly once, when the operation's data is needed no more
     */
    void shardWrite(int rank, int target, WriteOp op, Runnable onSent, Done reply);

    /** Best effort: who misses it asks later. */
    void commit(int rank, DtxBatchRequest request);

    /** Best effort. */
    void abort(int rank, DtxBatchRequest request);

    /**
     * A record of another replica.
     *
     * @param answer its bytes, as long as wanted, not yet verified
     */
    void record(int rank, RecordPullRequest request, Answer<ByteBuffer> answer);

    /** What another target knows of a DTX: a state as in DtxBatchReply. */
    void resolve(int rank, DtxResolveRequest request, Answer<Integer> answer);
}
