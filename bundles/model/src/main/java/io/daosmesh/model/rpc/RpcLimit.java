package io.daosmesh.model.rpc;

import java.util.EnumMap;
import java.util.Map;

/**
 * How large a request of each RPC may be; checked by the caller, and by the node before it parses anything. Immutable.
 *
 * @param bodyBytes of the request message
 * @param dataBytes of the bulk bytes
 * @param streams of one connection at the same time; of streams only
 */
public record RpcLimit(int bodyBytes, int dataBytes, int streams) {
    /** Bulk bytes of any message. */
    public static final int DATA_BYTES_MAX = 8 << 20;

    /** Body of any message, requests and replies. */
    public static final int BODY_BYTES_MAX = 4 << 20;

    private static final RpcLimit USUAL = new RpcLimit(64 << 10, 0, 4);
    private static final RpcLimit LISTS = new RpcLimit(1 << 20, 0, 4);
    private static final RpcLimit MAPS = new RpcLimit(BODY_BYTES_MAX, 0, 4);
    private static final RpcLimit VALUES = new RpcLimit(1 << 20, DATA_BYTES_MAX, 4);

    private static final Map<RpcMethod, RpcLimit> LIMITS = limits();

    /** What is not named here is small. */
    private static Map<RpcMethod, RpcLimit> limits() {
        Map<RpcMethod, RpcLimit> of = new EnumMap<>(RpcMethod.class);
        for (RpcMethod m : new RpcMethod[] {
            RpcMethod.MAP_PUSH, RpcMethod.RAFT, RpcMethod.POOL_SERVICE_START, RpcMethod.TARGET_CREATE
        }) of.put(m, MAPS);
        for (RpcMethod m : new RpcMethod[] {
            RpcMethod.SYSTEM_QUERY,
            RpcMethod.SYSTEM_ACTION,
            RpcMethod.POOL_CREATE,
            RpcMethod.POOL_TARGETS,
            RpcMethod.POOL_EVICT,
            RpcMethod.OBJECT_FETCH,
            RpcMethod.OBJECT_PUNCH,
            RpcMethod.SHARD_PUNCH,
            RpcMethod.DTX_COMMIT,
            RpcMethod.DTX_ABORT,
            RpcMethod.DTX_CHECK,
            RpcMethod.READ_LEASE,
            RpcMethod.HANDLE_CHECK,
            RpcMethod.HANDLES_GONE,
            RpcMethod.REBUILD_PREPARE,
            RpcMethod.REBUILD_SCAN,
            RpcMethod.REBUILD_OBJECTS,
            RpcMethod.REBUILD_CHANGES
        }) of.put(m, LISTS);
        for (RpcMethod m : new RpcMethod[] {
            RpcMethod.OBJECT_UPDATE, RpcMethod.OBJECT_CHANGE, RpcMethod.SHARD_UPDATE, RpcMethod.SHARD_CHANGE
        }) of.put(m, VALUES);
        // a rank pulls a few objects at a time for each of its targets
        of.put(RpcMethod.REBUILD_PULL, new RpcLimit(USUAL.bodyBytes(), 0, 128));
        return Map.copyOf(of);
    }

    public static RpcLimit of(RpcMethod method) {
        return LIMITS.getOrDefault(method, USUAL);
    }
}
