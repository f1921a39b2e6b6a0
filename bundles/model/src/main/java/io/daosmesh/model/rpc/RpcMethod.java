package io.daosmesh.model.rpc;

import static io.daosmesh.model.rpc.Role.ADMIN;
import static io.daosmesh.model.rpc.Role.AGENT;
import static io.daosmesh.model.rpc.Role.SERVER;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Every RPC: number on the wire (stable, only appended), interaction model, and the one table of who may call it.
 * What is not in this table is refused. Described in docs/protocol.md, which a test checks against this list.
 */
public enum RpcMethod {
    // a node's control plane (destination rank -1)
    NODE_STATUS(1, Kind.CALL, SERVER, ADMIN, AGENT),
    STORAGE_SCAN(2, Kind.CALL, SERVER, ADMIN),
    STORAGE_FORMAT(3, Kind.CALL, ADMIN),
    STORAGE_USAGE(4, Kind.CALL, SERVER, ADMIN),
    STORAGE_LIST_DEVICES(5, Kind.CALL, SERVER, ADMIN),
    STORAGE_LIST_POOLS(6, Kind.CALL, SERVER, ADMIN),
    STORAGE_DRIVERS(7, Kind.CALL, SERVER, ADMIN),
    STORAGE_LED(8, Kind.CALL, ADMIN),
    STORAGE_SET_FAULTY(9, Kind.CALL, ADMIN),
    STORAGE_REPLACE(10, Kind.CALL, ADMIN),
    RAS_STREAM(11, Kind.STREAM, SERVER, ADMIN),
    LOG_MASKS(12, Kind.CALL, ADMIN),
    DATA_SESSION(13, Kind.CALL, SERVER, ADMIN, AGENT),
    RANK_ACTION(14, Kind.CALL, SERVER),
    HARDWARE_SCAN(20, Kind.CALL, SERVER, ADMIN),
    COLLECT_LOG(21, Kind.STREAM, ADMIN),
    STORAGE_REBIND(22, Kind.CALL, ADMIN),
    STORAGE_ADD_DEVICE(23, Kind.CALL, ADMIN),
    // management service (destination rank -1; leader only where NOTLEADER is possible)
    JOIN(30, Kind.CALL, SERVER),
    GROUP_MAP(31, Kind.CALL, SERVER, ADMIN, AGENT),
    SYSTEM_QUERY(32, Kind.CALL, SERVER, ADMIN),
    SYSTEM_ACTION(33, Kind.CALL, ADMIN),
    LEADER_QUERY(34, Kind.CALL, SERVER, ADMIN, AGENT),
    RANK_DEAD(35, Kind.CALL, SERVER),
    POOL_CREATE(36, Kind.CALL, ADMIN),
    POOL_LIST(37, Kind.CALL, SERVER, ADMIN, AGENT),
    POOL_FIND(38, Kind.CALL, SERVER, ADMIN, AGENT),
    POOL_DESTROY(39, Kind.CALL, ADMIN),
    MAP_PUSH(40, Kind.CALL, SERVER),
    MAP_STREAM(41, Kind.STREAM, SERVER, ADMIN, AGENT),
    RAFT(42, Kind.CALL, SERVER),
    POOL_SERVICE_START(43, Kind.CALL, SERVER),
    POOL_SERVICE_STOP(44, Kind.CALL, SERVER),
    POOL_SERVICE_RANKS(45, Kind.CALL, SERVER),
    SYSTEM_PROPERTIES(46, Kind.CALL, ADMIN),
    SYSTEM_ATTRIBUTES(47, Kind.CALL, ADMIN),
    // pool service (node of the pool-service leader)
    POOL_QUERY(50, Kind.CALL, SERVER, ADMIN, AGENT),
    POOL_MAP(51, Kind.CALL, SERVER, ADMIN, AGENT),
    POOL_TARGETS(52, Kind.CALL, SERVER, ADMIN),
    CONTAINER_CREATE(53, Kind.CALL, ADMIN, AGENT),
    CONTAINER_LIST(54, Kind.CALL, ADMIN, AGENT),
    CONTAINER_QUERY(55, Kind.CALL, ADMIN, AGENT),
    CONTAINER_DESTROY(56, Kind.CALL, ADMIN, AGENT),
    OID_RANGE(57, Kind.CALL, ADMIN, AGENT),
    POOL_PROPERTIES(58, Kind.CALL, ADMIN),
    CONTAINER_PROPERTIES(59, Kind.CALL, ADMIN, AGENT),
    // gossip (destination = rank)
    SWIM(60, Kind.FIRE, SERVER),
    // events that change the state of a member (leader of the management service)
    STATE_EVENT(61, Kind.CALL, SERVER),
    // engine (destination = rank)
    OBJECT_UPDATE(70, Kind.CALL, AGENT),
    OBJECT_FETCH(71, Kind.CALL, AGENT),
    OBJECT_PUNCH(72, Kind.CALL, AGENT),
    OBJECT_ENUMERATE(73, Kind.CALL, AGENT),
    SHARD_UPDATE(74, Kind.CALL, SERVER),
    SHARD_PUNCH(75, Kind.CALL, SERVER),
    DTX_COMMIT(76, Kind.CALL, SERVER),
    DTX_ABORT(77, Kind.CALL, SERVER),
    DTX_CHECK(78, Kind.CALL, SERVER),
    DTX_RESOLVE(79, Kind.CALL, SERVER),
    TARGET_CREATE(80, Kind.CALL, SERVER),
    TARGET_DESTROY(81, Kind.CALL, SERVER),
    TARGET_QUERY(82, Kind.CALL, SERVER),
    CONTAINER_DESTROY_TARGET(83, Kind.CALL, SERVER),
    READ_LEASE(84, Kind.CALL, SERVER),
    OBJECT_CHANGE(85, Kind.CALL, AGENT),
    SHARD_CHANGE(86, Kind.CALL, SERVER),
    RECORD_PULL(87, Kind.CALL, SERVER),
    // rebuild (destination = rank)
    REBUILD_PREPARE(90, Kind.CALL, SERVER),
    REBUILD_SCAN(91, Kind.CALL, SERVER),
    REBUILD_OBJECTS(92, Kind.CALL, SERVER),
    REBUILD_PULL(93, Kind.STREAM, SERVER),
    REBUILD_STATUS(94, Kind.CALL, SERVER),
    REBUILD_FINISH(95, Kind.CALL, SERVER),
    REBUILD_CHANGES(96, Kind.CALL, SERVER),
    // handles, owners and access control lists (pool service; HANDLES_GONE: destination = rank)
    POOL_CONNECT(100, Kind.CALL, AGENT),
    POOL_DISCONNECT(101, Kind.CALL, AGENT),
    POOL_EVICT(102, Kind.CALL, ADMIN, AGENT),
    POOL_ACL(103, Kind.CALL, ADMIN),
    CONTAINER_OPEN(104, Kind.CALL, AGENT),
    CONTAINER_CLOSE(105, Kind.CALL, AGENT),
    CONTAINER_ACL(106, Kind.CALL, AGENT),
    CONTAINER_OWNER(107, Kind.CALL, ADMIN, AGENT),
    HANDLE_CHECK(108, Kind.CALL, SERVER),
    HANDLES_GONE(109, Kind.CALL, SERVER),
    // upkeep of a pool (pool service)
    POOL_REBUILD(110, Kind.CALL, ADMIN),
    // upkeep of a system (management service; ERASE_NODE: any node; POOL_UPGRADE: pool service)
    SYSTEM_ERASE(111, Kind.CALL, ADMIN),
    ERASE_NODE(112, Kind.CALL, SERVER),
    SELF_HEAL_EVAL(113, Kind.CALL, ADMIN),
    POOL_UPGRADE(114, Kind.CALL, ADMIN);

    /** RSocket interaction model. */
    public enum Kind {
        CALL,
        FIRE,
        STREAM
    }

    /** What changes a node, the system, a pool or a container, when others than servers ask for it; see docs/security.md. */
    private static final Set<RpcMethod> AUDITED = EnumSet.of(
            STORAGE_FORMAT,
            STORAGE_LED,
            STORAGE_SET_FAULTY,
            STORAGE_REPLACE,
            STORAGE_REBIND,
            STORAGE_ADD_DEVICE,
            LOG_MASKS,
            SYSTEM_ACTION,
            SYSTEM_PROPERTIES,
            SYSTEM_ATTRIBUTES,
            POOL_CREATE,
            POOL_DESTROY,
            POOL_TARGETS,
            POOL_PROPERTIES,
            POOL_EVICT,
            POOL_ACL,
            CONTAINER_CREATE,
            CONTAINER_DESTROY,
            CONTAINER_PROPERTIES,
            CONTAINER_ACL,
            CONTAINER_OWNER,
            POOL_REBUILD,
            SYSTEM_ERASE,
            SELF_HEAL_EVAL,
            POOL_UPGRADE);

    private static final Map<Integer, RpcMethod> BY_NUMBER =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(RpcMethod::number, Function.identity()));

    private final int number;
    private final Kind kind;
    private final Set<Role> roles;

    RpcMethod(int number, Kind kind, Role first, Role... more) {
        this.number = number;
        this.kind = kind;
        this.roles = EnumSet.of(first, more);
    }

    public int number() {
        return number;
    }

    public Kind kind() {
        return kind;
    }

    public boolean mayBeCalledBy(Role role) {
        return roles.contains(role);
    }

    public Set<Role> roles() {
        return Set.copyOf(roles);
    }

    /** It is written down who called it, unless a server did: see {@link io.daosmesh.model.audit.AuditedRequest}. */
    public boolean isAudited() {
        return AUDITED.contains(this);
    }

    public static Optional<RpcMethod> of(int number) {
        return Optional.ofNullable(BY_NUMBER.get(number));
    }
}
