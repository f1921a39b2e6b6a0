package io.daosmesh.admin;

import com.google.protobuf.MessageLite;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.DriversReply;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.LedRequest;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.ListDevicesRequest;
import io.daosmesh.model.wire.ListPoolsReply;
import io.daosmesh.model.wire.LogMasksRequest;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.OwnerRequest;
import io.daosmesh.model.wire.PoolCreateReply;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolDestroyRequest;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolQueryRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import io.daosmesh.model.wire.PropertiesRequest;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import io.daosmesh.model.wire.RebindRequest;
import io.daosmesh.model.wire.ReplaceDeviceRequest;
import io.daosmesh.model.wire.SetFaultyRequest;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.StorageScanReply;
import io.daosmesh.model.wire.StorageScanRequest;
import io.daosmesh.model.wire.StorageUsageReply;
import io.daosmesh.model.wire.SupportPart;
import io.daosmesh.model.wire.SupportRequest;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import io.daosmesh.model.wire.SystemQueryReply;
import io.daosmesh.model.wire.SystemQueryRequest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import reactor.core.publisher.Flux;

/**
 * Everything an administrator can ask for. Every method blocks the calling thread at most for its deadline and throws
 * {@link FaultException}. Any thread but a transport thread.
 */
public final class AdminCalls {
    private static final int FAN_OUT_MAX = 64;
    /** Added to a deadline that the transport itself keeps: only if that fails do we stop waiting ourselves. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    private static final Duration TRY_STATUS = Duration.ofSeconds(1);
    private static final Duration TRY_READ = Duration.ofSeconds(3);
    private static final Duration TRY_WRITE = Duration.ofSeconds(30);

    private final Rpc rpc;
    private final List<String> hosts;
    private final Duration readMax;
    private final Duration writeMax;

    /**
     * @param hosts addresses {@code host:port} that lead to the system; any of its servers will do
     * @param readMax how long a question may take with all its retries
     * @param writeMax the same for what changes something
     */
    public AdminCalls(Rpc rpc, List<String> hosts, Duration readMax, Duration writeMax) {
        this.rpc = rpc;
        this.hosts = List.copyOf(hosts);
        this.readMax = readMax;
        this.writeMax = writeMax;
    }

    public List<String> hosts() {
        return hosts;
    }

    // ---------------------------------------------------------------- system

    public SystemQueryReply systemQuery(List<Integer> ranks) {
        SystemQueryRequest request =
                SystemQueryRequest.newBuilder().addAllRanks(ranks).build();
        return atLeader(RpcMethod.SYSTEM_QUERY, request, SystemQueryReply::parseFrom, true);
    }

    /** What nodes say about themselves, soon or not at all: one that hangs must not delay the answer about the others. */
    public HostReplies<NodeStatusReply> nodeStatus(List<String> at) {
        return nodeStatus(at, TRY_STATUS);
    }

    public HostReplies<NodeStatusReply> nodeStatus(List<String> at, Duration max) {
        return fanOut(at, RpcMethod.NODE_STATUS, Empty.getDefaultInstance(), NodeStatusReply::parseFrom, max);
    }

    public LeaderQueryReply leaderQuery() {
        return atLeader(RpcMethod.LEADER_QUERY, Empty.getDefaultInstance(), LeaderQueryReply::parseFrom, true);
    }

    /** @param ranks empty = all there are, for stop and start */
    public SystemActionReply systemAction(SystemActionRequest.Action action, List<Integer> ranks, boolean force) {
        SystemActionRequest request = SystemActionRequest.newBuilder()
                .setAll(ranks.isEmpty())
                .setAction(action)
                .addAllRanks(ranks)
                .setForce(force)
                .setRequestId(newRequestId())
                .build();
        return atLeader(RpcMethod.SYSTEM_ACTION, request, SystemActionReply::parseFrom, false);
    }

    /** Properties of the system with the values that hold, after those given have been set; empty = none to set. */
    public Map<String, String> systemProperties(Map<String, String> set) {
        PropertiesRequest request = properties(set).build();
        return atLeader(RpcMethod.SYSTEM_PROPERTIES, request, PropertiesReply::parseFrom, set.isEmpty())
                .getValuesMap();
    }

    /** Attributes of the system, sorted. */
    public SortedMap<String, String> attributes() {
        return attributes(AttributesRequest.newBuilder());
    }

    public void setAttributes(Map<String, String> set) {
        attributes(AttributesRequest.newBuilder()
                .setOp(AttributesRequest.Op.SET)
                .putAllSet(set)
                .setRequestId(newRequestId()));
    }

    /** NONEXIST for one that is not there; then none is removed. */
    public void removeAttributes(List<String> keys) {
        attributes(AttributesRequest.newBuilder()
                .setOp(AttributesRequest.Op.REMOVE)
                .addAllRemove(keys)
                .setRequestId(newRequestId()));
    }

    private SortedMap<String, String> attributes(AttributesRequest.Builder request) {
        boolean isRead = request.getOp() == AttributesRequest.Op.GET;
        return new TreeMap<>(atLeader(RpcMethod.SYSTEM_ATTRIBUTES, request.build(), PropertiesReply::parseFrom, isRead)
                .getValuesMap());
    }

    private static PropertiesRequest.Builder properties(Map<String, String> set) {
        return PropertiesRequest.newBuilder().putAllSet(set).setRequestId(newRequestId());
    }

    // ---------------------------------------------------------------- pools

    public PoolListReply poolList() {
        return atLeader(RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply::parseFrom, true);
    }

    /** @param pool UUID or label */
    public PoolFindReply poolFind(String pool) {
        PoolRef request = PoolRef.newBuilder().setPool(pool).build();
        return atLeader(RpcMethod.POOL_FIND, request, PoolFindReply::parseFrom, true);
    }

    public PoolQueryReply poolQuery(String pool) {
        return poolQuery(pool, false);
    }

    /** With the space of each target that answers. */
    public PoolQueryReply poolQueryTargets(String pool) {
        return poolQuery(pool, true);
    }

    private PoolQueryReply poolQuery(String pool, boolean targets) {
        PoolFindReply found = poolFind(pool);
        PoolQueryRequest request = PoolQueryRequest.newBuilder()
                .setPool(uuid(found))
                .setTargets(targets)
                .build();
        return atPool(found, RpcMethod.POOL_QUERY, request, PoolQueryReply::parseFrom, true);
    }

    /** The request gets an id of its own: a resend is recognised. */
    public PoolCreateReply poolCreate(PoolCreateRequest request) {
        PoolCreateRequest numbered =
                request.toBuilder().setRequestId(newRequestId()).build();
        return atLeader(RpcMethod.POOL_CREATE, numbered, PoolCreateReply::parseFrom, false);
    }

    public void poolDestroy(String pool, boolean recursive, boolean force) {
        PoolDestroyRequest request = PoolDestroyRequest.newBuilder()
                .setPool(pool)
                .setRecursive(recursive)
                .setForce(force)
                .setRequestId(newRequestId())
                .build();
        atLeader(RpcMethod.POOL_DESTROY, request, Empty::parseFrom, false);
    }

    public PoolTargetsReply poolTargets(
            String pool, PoolTargetsRequest.Op operation, List<Integer> ranks, List<Integer> targets, boolean force) {
        PoolFindReply found = poolFind(pool);
        PoolTargetsRequest request = PoolTargetsRequest.newBuilder()
                .setPool(uuid(found))
                .setOp(operation)
                .addAllRanks(ranks)
                .addAllTargetIndexes(targets)
                .setForce(force)
                .setRequestId(newRequestId())
                .build();
        return atPool(found, RpcMethod.POOL_TARGETS, request, PoolTargetsReply::parseFrom, false);
    }

    /** The same for a pool. */
    public Map<String, String> poolProperties(String pool, Map<String, String> set) {
        PoolFindReply found = poolFind(pool);
        PropertiesRequest request = properties(set).setPool(uuid(found)).build();
        return atPool(found, RpcMethod.POOL_PROPERTIES, request, PropertiesReply::parseFrom, set.isEmpty())
                .getValuesMap();
    }

    /** Ends all handles of a pool; answers when the ranks that are up have confirmed, or names those that have not. */
    public PoolEvictReply poolEvict(String pool) {
        PoolFindReply found = poolFind(pool);
        PoolEvictRequest request = PoolEvictRequest.newBuilder()
                .setPool(uuid(found))
                .setRequestId(newRequestId())
                .build();
        return atPool(found, RpcMethod.POOL_EVICT, request, PoolEvictReply::parseFrom, false);
    }

    /**
     * The access control list of a pool, after the operation.
     *
     * @param entries to overwrite or update with
     * @param principal whose entry to delete
     */
    public AclReply poolAcl(String pool, AclRequest.Op operation, List<String> entries, String principal) {
        PoolFindReply found = poolFind(pool);
        AclRequest request = AclRequest.newBuilder()
                .setPool(uuid(found))
                .setOp(operation)
                .addAllEntries(entries)
                .setPrincipal(principal)
                .setRequestId(newRequestId())
                .build();
        return atPool(found, RpcMethod.POOL_ACL, request, AclReply::parseFrom, operation == AclRequest.Op.GET);
    }

    /** @param user empty = as it is; the same for the group */
    public void containerOwner(String pool, String container, String user, String group) {
        PoolFindReply found = poolFind(pool);
        OwnerRequest request = OwnerRequest.newBuilder()
                .setPool(uuid(found))
                .setContainer(container)
                .setUser(user)
                .setGroup(group)
                .setRequestId(newRequestId())
                .build();
        atPool(found, RpcMethod.CONTAINER_OWNER, request, Empty::parseFrom, false);
    }

    // ---------------------------------------------------------------- storage, host by host

    public HostReplies<StorageScanReply> storageScan(List<String> at, boolean health, boolean meta) {
        StorageScanRequest request = StorageScanRequest.newBuilder()
                .setNvmeHealth(health)
                .setNvmeMeta(meta)
                .build();
        return fanOut(at, RpcMethod.STORAGE_SCAN, request, StorageScanReply::parseFrom, readMax);
    }

    /** What the machines have, used or not. */
    public HostReplies<HardwareScanReply> hardware(List<String> at) {
        return fanOut(at, RpcMethod.HARDWARE_SCAN, Empty.getDefaultInstance(), HardwareScanReply::parseFrom, readMax);
    }

    /** Sent once: a resend would find what the first one has formatted. */
    public HostReplies<StorageFormatReply> storageFormat(List<String> at, boolean force, boolean replace) {
        StorageFormatRequest request = StorageFormatRequest.newBuilder()
                .setForce(force)
                .setReplace(replace)
                .build();
        return fanOut(at, RpcMethod.STORAGE_FORMAT, request, StorageFormatReply::parseFrom, writeMax);
    }

    public HostReplies<StorageUsageReply> storageUsage(List<String> at) {
        return fanOut(at, RpcMethod.STORAGE_USAGE, Empty.getDefaultInstance(), StorageUsageReply::parseFrom, readMax);
    }

    public HostReplies<ListDevicesReply> devices(List<String> at, ListDevicesRequest request) {
        return fanOut(at, RpcMethod.STORAGE_LIST_DEVICES, request, ListDevicesReply::parseFrom, readMax);
    }

    public HostReplies<ListPoolsReply> devicePools(List<String> at) {
        return fanOut(at, RpcMethod.STORAGE_LIST_POOLS, Empty.getDefaultInstance(), ListPoolsReply::parseFrom, readMax);
    }

    public HostReplies<DriversReply> drivers(List<String> at) {
        return fanOut(at, RpcMethod.STORAGE_DRIVERS, Empty.getDefaultInstance(), DriversReply::parseFrom, readMax);
    }

    public HostReplies<ListDevicesReply> led(List<String> at, LedRequest request) {
        return fanOut(at, RpcMethod.STORAGE_LED, request, ListDevicesReply::parseFrom, readMax);
    }

    public HostReplies<ListDevicesReply> setFaulty(List<String> at, String uuid) {
        SetFaultyRequest request = SetFaultyRequest.newBuilder().setUuid(uuid).build();
        return fanOut(at, RpcMethod.STORAGE_SET_FAULTY, request, ListDevicesReply::parseFrom, writeMax);
    }

    /** The targets of one device go on with another one of the same engine, or anew with the same one. */
    public HostReplies<ListDevicesReply> replaceDevice(List<String> at, String oldUuid, String newUuid) {
        ReplaceDeviceRequest request = ReplaceDeviceRequest.newBuilder()
                .setOldUuid(oldUuid)
                .setNewUuid(newUuid)
                .build();
        return fanOut(at, RpcMethod.STORAGE_REPLACE, request, ListDevicesReply::parseFrom, writeMax);
    }

    /** Takes a device that was plugged in into an engine of one host. */
    public HostReplies<ListDevicesReply> addDevice(List<String> at, AddDeviceRequest request) {
        return fanOut(at, RpcMethod.STORAGE_ADD_DEVICE, request, ListDevicesReply::parseFrom, writeMax);
    }

    /** Gives an NVMe controller of one host to a driver for user space. */
    public HostReplies<Empty> rebind(List<String> at, String address) {
        RebindRequest request = RebindRequest.newBuilder().setAddress(address).build();
        return fanOut(at, RpcMethod.STORAGE_REBIND, request, Empty::parseFrom, writeMax);
    }

    /**
     * What is empty goes back to each node's configuration.
     *
     * @param streams of debug lines; subsystems that may debug
     */
    public HostReplies<Empty> logMasks(List<String> at, String masks, String streams, String subsystems) {
        LogMasksRequest request = LogMasksRequest.newBuilder()
                .setMasks(masks)
                .setReset(masks.isEmpty())
                .setStreams(streams)
                .setSubsystems(subsystems)
                .build();
        return fanOut(at, RpcMethod.LOG_MASKS, request, Empty::parseFrom, writeMax);
    }

    /** Events of one host; the subscriber's demand rules, cancelling ends it. */
    public Flux<RasEventMessage> events(String host, long afterSequence, boolean follow) {
        RasStreamRequest request = RasStreamRequest.newBuilder()
                .setAfterSequence(afterSequence)
                .setFollow(follow)
                .build();
        return rpc.stream(
                Endpoint.node(host),
                RpcMethod.RAS_STREAM,
                RpcMessage.of(request),
                reply -> RasEventMessage.parseFrom(reply.body()));
    }

    /** What one host hands out for a look at a problem; the subscriber's demand rules, cancelling ends it. */
    public Flux<SupportPart> support(String host, String extraFolder) {
        return rpc.stream(
                Endpoint.node(host),
                RpcMethod.COLLECT_LOG,
                RpcMessage.of(
                        SupportRequest.newBuilder().setExtraFolder(extraFolder).build()),
                reply -> SupportPart.parseFrom(reply.body()));
    }

    // ---------------------------------------------------------------- how

    /** Decodes a reply message. */
    public interface Parser<T> {
        T parse(ByteBuffer body) throws Exception;
    }

    /** Asks all hosts at once, at most {@link #FAN_OUT_MAX} at a time; nothing is sent twice. */
    <T> HostReplies<T> fanOut(
            List<String> at, RpcMethod method, MessageLite request, Parser<T> parser, Duration deadline) {
        Map<String, T> replies = new LinkedHashMap<>();
        Map<String, Fault> errors = new LinkedHashMap<>();
        for (int from = 0; from < at.size(); from += FAN_OUT_MAX) {
            Map<String, CompletableFuture<T>> asked = new LinkedHashMap<>();
            for (String host : at.subList(from, Math.min(at.size(), from + FAN_OUT_MAX))) {
                asked.put(host, send(host, method, request, parser, deadline));
            }
            asked.forEach((host, answer) -> {
                try {
                    replies.put(host, await(host, method, answer, deadline));
                } catch (FaultException e) {
                    errors.put(host, e.fault());
                }
            });
        }
        return new HostReplies<>(replies, errors);
    }

    <T> T atLeader(RpcMethod method, MessageLite request, Parser<T> parser, boolean read) {
        return leaderCall(hosts, method, request, parser, read);
    }

    <T> T atPool(PoolFindReply found, RpcMethod method, MessageLite request, Parser<T> parser, boolean read) {
        List<String> at = new ArrayList<>();
        for (int rank : found.getEntry().getServiceRanksList()) {
            found.getGroupMap().getMembersList().stream()
                    .filter(m -> m.getRank() == rank)
                    .map(MemberMessage::getAddress)
                    .filter(a -> !at.contains(a))
                    .forEach(at::add);
        }
        return leaderCall(at.isEmpty() ? hosts : at, method, request, parser, read);
    }

    private <T> T leaderCall(List<String> at, RpcMethod method, MessageLite request, Parser<T> parser, boolean read) {
        LeaderCall call = new LeaderCall(at, read ? readMax : writeMax, read ? TRY_READ : TRY_WRITE);
        return call.run(
                method,
                (host, deadline) -> await(host, method, send(host, method, request, parser, deadline), deadline));
    }

    private <T> CompletableFuture<T> send(
            String host, RpcMethod method, MessageLite request, Parser<T> parser, Duration deadline) {
        try {
            return rpc.call(
                            Endpoint.node(host),
                            method,
                            RpcMessage.of(request),
                            deadline,
                            reply -> parser.parse(reply.body()))
                    .toFuture();
        } catch (FaultException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static <T> T await(String host, RpcMethod method, CompletableFuture<T> answer, Duration deadline) {
        try {
            return answer.get(deadline.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw FaultException.faultOf(e.getCause() == null ? e : e.getCause())
                    .asException();
        } catch (TimeoutException e) {
            throw Fault.of(FaultCode.TIMEDOUT, "%s did not answer %s in time", host, method.name())
                    .asException();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED, "interrupted").asException();
        }
    }

    static String uuid(PoolFindReply found) {
        return Ids.uuid(found.getEntry().getPool()).toString();
    }

    static String newRequestId() {
        return UUID.randomUUID().toString();
    }
}
