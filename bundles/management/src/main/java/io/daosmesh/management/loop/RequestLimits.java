package io.daosmesh.management.loop;

import io.daosmesh.model.limit.MapLimits;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.EraseNodeRequest;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.HandleCheckRequest;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.RaftEnvelope;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemQueryRequest;

/** The table of sizes of what management is asked. A field that is not named is small. Immutable. */
public final class RequestLimits {
    /** Properties, peers, service ranks: nobody sends half as many. */
    private static final int COUNT_MAX = 64;

    /** The longest host name with a port has 259 bytes, a principal 256. */
    private static final int BYTES_MAX = 260;

    /** Members of a system. */
    private static final int RANKS_MAX = 4096;

    private static final int TARGETS_OF_RANK_MAX = 256;
    private static final int HANDLES_MAX = 4096;

    /** Log entries in one message. */
    public static final int RAFT_PAGE_BYTES = 256 << 10;

    /** A page of the log, or a chunk of a snapshot, with what is around it. */
    private static final int RAFT_BYTES_MAX = 2 * RAFT_PAGE_BYTES;

    public static final MessageLimits ALL = MapLimits.with(MessageLimits.of(COUNT_MAX, BYTES_MAX))
            .withCount(SystemQueryRequest.getDescriptor(), "ranks", RANKS_MAX)
            .withCount(SystemActionRequest.getDescriptor(), "ranks", RANKS_MAX)
            .withCount(EraseNodeRequest.getDescriptor(), "engines", RANKS_MAX)
            .withCount(EraseNodeRequest.getDescriptor(), "nodes", RANKS_MAX)
            .withCount(EraseNodeRequest.getDescriptor(), "absentees", RANKS_MAX)
            .withCount(PoolCreateRequest.getDescriptor(), "ranks", RANKS_MAX)
            .withCount(PoolTargetsRequest.getDescriptor(), "ranks", RANKS_MAX)
            .withCount(PoolTargetsRequest.getDescriptor(), "target_indexes", TARGETS_OF_RANK_MAX)
            .withCount(PoolEntryMessage.getDescriptor(), "ranks", RANKS_MAX)
            .withCount(GroupMapMessage.getDescriptor(), "members", RANKS_MAX)
            .withCount(MapPushMessage.getDescriptor(), "pools_gone", RANKS_MAX)
            .withCount(PoolEvictRequest.getDescriptor(), "handles", HANDLES_MAX)
            .withCount(HandleCheckRequest.getDescriptor(), "handles", HANDLES_MAX)
            .withCount(AclRequest.getDescriptor(), "entries", HANDLES_MAX)
            .withBytes(RaftEnvelope.getDescriptor(), "payload", RAFT_BYTES_MAX);

    private RequestLimits() {}
}
