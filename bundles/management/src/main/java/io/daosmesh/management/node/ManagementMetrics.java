package io.daosmesh.management.node;

import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.service.PoolHandlers;
import io.daosmesh.management.pool.service.PoolHost;
import io.daosmesh.management.pool.service.PoolService;
import io.daosmesh.management.system.service.SystemService;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMethod;
import java.util.Map;

/** Numbers of this node's management. Any thread. */
final class ManagementMetrics implements MetricSource {
    private static final Map<RpcMethod, String> OPERATIONS = Map.of(
            RpcMethod.POOL_QUERY, "engine_pool_ops_pool_query",
            RpcMethod.POOL_MAP, "engine_pool_ops_pool_map",
            RpcMethod.POOL_TARGETS, "engine_pool_ops_pool_targets",
            RpcMethod.CONTAINER_CREATE, "engine_pool_ops_cont_create",
            RpcMethod.CONTAINER_LIST, "engine_pool_ops_cont_list",
            RpcMethod.CONTAINER_QUERY, "engine_pool_ops_cont_query",
            RpcMethod.CONTAINER_DESTROY, "engine_pool_ops_cont_destroy",
            RpcMethod.OID_RANGE, "engine_pool_ops_oid_range");

    private final SystemService system;
    private final PoolHost pools;
    private final PoolHandlers handlers;

    ManagementMetrics(SystemService system, PoolHost pools, PoolHandlers handlers) {
        this.system = system;
        this.pools = pools;
        this.handlers = handlers;
    }

    @Override
    public void collect(Sink sink) {
        OPERATIONS.forEach((method, name) -> sink.counter(
                name, "Requests of this kind to pool services of this node", Map.of(), handlers.count(method)));
        sink.gauge(
                "engine_management_leader",
                "1 while this node leads the management service",
                Map.of(),
                system.isLeader() ? 1 : 0);
        sink.gauge("engine_management_term", "Raft term of the management service", Map.of(), system.term());
        sink.counter(
                "engine_management_commands",
                "Commands this node has proposed to the management service",
                Map.of(),
                system.commandCount());
        for (PoolService s : pools.services()) {
            if (!s.replica().read(PoolDb::isMade)) continue;
            PoolMap map = s.replica().read(PoolDb::map);
            Map<String, String> labels = Map.of("pool", s.pool().toString());
            sink.gauge("engine_pool_map_version", "Version of the pool map", labels, map.version());
            sink.gauge("engine_pool_disabled_targets", "Targets that are DOWN or DOWNOUT", labels, map.disabledCount());
            sink.gauge(
                    "engine_pool_service_leader",
                    "1 while this node leads the pool's service",
                    labels,
                    s.isLeader() ? 1 : 0);
            sink.counter(
                    "engine_pool_service_commands",
                    "Commands this node has proposed to the pool's service",
                    labels,
                    s.commandCount());
        }
    }
}
