package io.daosmesh.client;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PropertiesReply;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import reactor.core.publisher.Mono;

/** A connected pool and its containers. Any thread. */
public final class Pool {
    static final int LABEL_CHARS_MAX = 127;

    private final Cluster cluster;
    private final PoolService service;
    private final PoolMaps maps;
    private final UUID clientId;
    private final UUID uuid;

    private Pool(Cluster cluster, PoolService service, PoolMaps maps, UUID clientId) {
        this.cluster = cluster;
        this.service = service;
        this.maps = maps;
        this.clientId = clientId;
        this.uuid = Ids.uuid(service.entry().getPool());
    }

    static Mono<Pool> connect(Cluster cluster, String pool, UUID clientId) {
        return PoolService.find(cluster, pool)
                .flatMap(service -> PoolMaps.fetch(service).map(maps -> new Pool(cluster, service, maps, clientId)));
    }

    public UUID uuid() {
        return uuid;
    }

    public String label() {
        return service.entry().getLabel();
    }

    /** The map this client works with; it follows the servers' when they say so. */
    public PoolMap map() {
        return maps.map();
    }

    /** What the pool service says about itself now: map, space, rebuild. */
    public Mono<PoolQueryReply> query() {
        return service.call(RpcMethod.POOL_QUERY, ref(), reply -> PoolQueryReply.parseFrom(reply.body()));
    }

    public Mono<List<ContainerInfo>> listContainers() {
        return service.call(RpcMethod.CONTAINER_LIST, ref(), reply -> ContainerListReply.parseFrom(reply.body()))
                .map(list -> list.getContainersList().stream()
                        .map(ContainerInfo::fromWire)
                        .toList());
    }

    /** EXIST when the label is taken; INVAL when the pool cannot protect it as asked. */
    public Mono<Container> createContainer(ContainerSpec spec) {
        return Mono.defer(() -> {
            checkLabel(spec.label());
            Redundancy redundancy = Redundancy.of(spec, service.entry().getPropertiesMap(), maps.map());
            ContainerMessage wanted = ContainerMessage.newBuilder()
                    .setUuid(Ids.bytes(UUID.randomUUID()))
                    .setLabel(spec.label())
                    .setType(spec.type().isEmpty() ? "unknown" : spec.type())
                    .setObjectClass(redundancy.objectClass().name())
                    .setRdFac(redundancy.factor())
                    .setCatalogueNumber(Available.catalogueNumber(redundancy, maps.map()))
                    .putAllProperties(spec.properties())
                    .build();
            ContainerCreateRequest request = owned(spec.access())
                    .setPool(uuid.toString())
                    .setContainer(wanted)
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.call(RpcMethod.CONTAINER_CREATE, request, reply -> ContainerMessage.parseFrom(reply.body()))
                    .map(made -> open(made.getUuid().equals(ByteString.EMPTY) ? wanted : made));
        });
    }

    private static ContainerCreateRequest.Builder owned(ContainerSpec.Access access) {
        ContainerCreateRequest.Builder b =
                ContainerCreateRequest.newBuilder().setUser(access.user()).setGroup(access.group());
        if (!access.entries().isEmpty()) {
            b.setAcl(AclMessage.newBuilder().addAllEntries(access.entries()));
        }
        return b;
    }

    /** Access control lists and owners of its containers. */
    public Acls acls() {
        return new Acls(service, uuid, toLook());
    }

    /** A handle to read is enough: what may be changed is said by the list of the container. */
    private Mono<ByteString> toLook() {
        PoolConnectRequest request = PoolConnectRequest.newBuilder()
                .setPool(uuid.toString())
                .setFlags(1)
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return service.call(RpcMethod.POOL_CONNECT, request, reply -> PoolConnectReply.parseFrom(reply.body()))
                .map(PoolConnectReply::getHandle)
                .cache();
    }

    /** To read and write, by label or UUID; NONEXIST when there is none, RF when it is unclean. */
    public Mono<Container> openContainer(String container) {
        return queryContainer(container, true).map(this::open);
    }

    /** The same to read only: an unclean container can be opened so. */
    public Mono<Container> openContainerToRead(String container) {
        return queryContainer(container, false).map(this::open);
    }

    /** Sets what is given, and answers all properties with the values that hold. */
    public Mono<Map<String, String>> containerProperties(String container, Map<String, String> set) {
        return Mono.defer(() -> {
            ContainerPropertiesRequest request = ContainerPropertiesRequest.newBuilder()
                    .setPool(uuid.toString())
                    .setContainer(container)
                    .putAllSet(set)
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.call(
                    RpcMethod.CONTAINER_PROPERTIES,
                    request,
                    reply -> Map.copyOf(PropertiesReply.parseFrom(reply.body()).getValuesMap()));
        });
    }

    private Mono<ContainerMessage> queryContainer(String container, boolean isForWriting) {
        return service.call(
                        RpcMethod.CONTAINER_QUERY,
                        containerRef(container).setForWriting(isForWriting).build(),
                        reply -> ContainerMessage.parseFrom(reply.body()))
                .map(found -> {
                    if (found.getUuid().isEmpty()) {
                        throw Fault.of(FaultCode.NONEXIST, "container '%s' does not exist", container)
                                .asException();
                    }
                    return found;
                });
    }

    /** With everything in it. */
    public Mono<Void> destroyContainer(String container, boolean force) {
        return Mono.defer(() -> {
            ContainerRef request = containerRef(container)
                    .setForce(force)
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.call(RpcMethod.CONTAINER_DESTROY, request, reply -> true)
                    .then();
        });
    }

    private Container open(ContainerMessage message) {
        ContainerInfo info = ContainerInfo.fromWire(message);
        ObjectIo io = new ObjectIo(cluster, maps, info.uuid(), clientId);
        return new Container(
                info,
                maps,
                io,
                new OidRanges(service, uuid.toString(), info.uuid().toString()));
    }

    private PoolRef ref() {
        return PoolRef.newBuilder().setPool(uuid.toString()).build();
    }

    private ContainerRef.Builder containerRef(String container) {
        return ContainerRef.newBuilder().setPool(uuid.toString()).setContainer(container);
    }

    private static void checkLabel(String label) {
        if (!label.matches("[A-Za-z0-9._:-]{1," + LABEL_CHARS_MAX + "}")) {
            throw Fault.of(FaultCode.INVAL, "label '%s'", label)
                    .remedy("use 1 to 127 letters, digits, and . _ : -")
                    .asException();
        }
    }
}
