package io.daosmesh.client;

import com.google.protobuf.ByteString;
import io.daosmesh.client.request.Available;
import io.daosmesh.client.request.Cluster;
import io.daosmesh.client.request.Handle;
import io.daosmesh.client.request.ObjectIo;
import io.daosmesh.client.request.OidRanges;
import io.daosmesh.client.request.PoolMaps;
import io.daosmesh.client.request.PoolService;
import io.daosmesh.client.request.Redundancy;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AclMessage;
import io.daosmesh.model.wire.ContainerCloseRequest;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerListReply;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.ContainerOpenReply;
import io.daosmesh.model.wire.ContainerOpenRequest;
import io.daosmesh.model.wire.ContainerPropertiesRequest;
import io.daosmesh.model.wire.ContainerRef;
import io.daosmesh.model.wire.PoolConnectReply;
import io.daosmesh.model.wire.PoolConnectRequest;
import io.daosmesh.model.wire.PoolDisconnectRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PropertiesReply;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** A connected pool and its containers. Any thread. When an administrator has evicted it, calls fail with NO_HDL. */
public final class Pool {
    static final int LABEL_CHARS_MAX = 127;

    private static final Logger log = LoggerFactory.getLogger(Pool.class);

    private final Cluster cluster;
    private final PoolService service;
    private final PoolMaps maps;
    private final UUID uuid;
    private final Handle handle;
    private final Client client;

    private Pool(Cluster cluster, PoolService service, PoolConnectReply given, Client client) {
        this.cluster = cluster;
        this.service = service;
        this.maps = new PoolMaps(service, PoolMap.fromWire(given.getMap()));
        this.uuid = Ids.uuid(service.entry().getPool());
        this.handle = new Handle("pool " + label(), given.getHandle(), null);
        this.client = client;
    }

    /**
     * Whose it is.
     *
     * @param id names the client's updates
     * @param connected pools that it has to give back
     * @param handles is told of them
     */
    record Client(UUID id, Set<Pool> connected, HandleListener handles) {}

    static Mono<Pool> connect(Cluster cluster, String pool, OpenMode mode, Client client) {
        return PoolService.find(cluster, pool).flatMap(service -> {
            PoolConnectRequest request = PoolConnectRequest.newBuilder()
                    .setPool(Ids.uuid(service.entry().getPool()).toString())
                    .setFlags(mode.flags())
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.open(RpcMethod.POOL_CONNECT, request, reply -> PoolConnectReply.parseFrom(reply.body()))
                    .map(given -> {
                        Pool opened = new Pool(cluster, service, given, client);
                        client.connected().add(opened);
                        opened.tell(HandleListener::onConnected);
                        return opened;
                    });
        });
    }

    private interface Event {
        void tell(HandleListener listener, UUID pool, byte[] handle);
    }

    private void tell(Event event) {
        try {
            event.tell(client.handles(), uuid, handle.bytes().toByteArray());
        } catch (RuntimeException e) {
            log.warn("the listener for handles of pool {}: {}", uuid, e.toString());
        }
    }

    /** Gives it back, and with it all of its containers that are open. May be called again. */
    public Mono<Void> close() {
        PoolDisconnectRequest request = PoolDisconnectRequest.newBuilder()
                .setPool(Ids.bytes(uuid))
                .setHandle(handle.bytes())
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return handle.close(service.call(RpcMethod.POOL_DISCONNECT, request, reply -> true)
                        .then())
                .doOnSuccess(done -> {
                    if (client.connected().remove(this)) tell(HandleListener::onDisconnected);
                });
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
        return Mono.defer(
                () -> service.call(RpcMethod.POOL_QUERY, ref(), reply -> PoolQueryReply.parseFrom(reply.body())));
    }

    public Mono<List<ContainerInfo>> listContainers() {
        return Mono.defer(() -> service.call(
                        RpcMethod.CONTAINER_LIST, ref(), reply -> ContainerListReply.parseFrom(reply.body())))
                .map(list -> list.getContainersList().stream()
                        .map(ContainerInfo::fromWire)
                        .toList());
    }

    /** Makes it and opens it; EXIST when the label is taken, INVAL when the pool cannot protect it as asked. */
    public Mono<Container> createContainer(ContainerSpec spec) {
        return makeContainer(spec).flatMap(made -> openContainer(made.uuid().toString()));
    }

    /** The same without opening it. */
    public Mono<ContainerInfo> makeContainer(ContainerSpec spec) {
        return Mono.defer(() -> {
            checkLabel(spec.label());
            Redundancy redundancy = Redundancy.of(
                    spec.objectClass(), spec.properties(), service.entry().getPropertiesMap(), maps.map());
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
                    .setPoolHandle(handle.shown())
                    .build();
            return service.call(RpcMethod.CONTAINER_CREATE, request, reply -> ContainerMessage.parseFrom(reply.body()))
                    .map(made -> ContainerInfo.fromWire(made.getUuid().equals(ByteString.EMPTY) ? wanted : made));
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
        return new Acls(service, uuid, handle);
    }

    /** To read and write, by label or UUID; NONEXIST when there is none, RF when it is unclean, NO_PERM by its list. */
    public Mono<Container> openContainer(String container) {
        return openContainer(container, OpenMode.READ_WRITE);
    }

    /** The same to read only: an unclean container can be opened so. */
    public Mono<Container> openContainerToRead(String container) {
        return openContainer(container, OpenMode.READ_ONLY);
    }

    public Mono<Container> openContainer(String container, OpenMode mode) {
        return Mono.defer(() -> {
            ContainerOpenRequest request = ContainerOpenRequest.newBuilder()
                    .setPool(Ids.bytes(uuid))
                    .setPoolHandle(handle.shown())
                    .setContainer(container)
                    .setFlags(mode.flags())
                    .setRequestId(UUID.randomUUID().toString())
                    .build();
            return service.open(RpcMethod.CONTAINER_OPEN, request, reply -> ContainerOpenReply.parseFrom(reply.body()))
                    .map(this::opened);
        });
    }

    /** A container as it is now, without opening it. */
    public Mono<ContainerInfo> queryContainer(String container) {
        return Mono.defer(() -> service.call(
                        RpcMethod.CONTAINER_QUERY,
                        containerRef(container).build(),
                        reply -> ContainerMessage.parseFrom(reply.body())))
                .map(ContainerInfo::fromWire);
    }

    /** Sets what is given, and answers all properties with the values that hold. */
    public Mono<Map<String, String>> containerProperties(String container, Map<String, String> set) {
        return Mono.defer(() -> {
            ContainerPropertiesRequest request = ContainerPropertiesRequest.newBuilder()
                    .setPool(uuid.toString())
                    .setContainer(container)
                    .putAllSet(set)
                    .setRequestId(UUID.randomUUID().toString())
                    .setPoolHandle(handle.shown())
                    .build();
            return service.call(
                    RpcMethod.CONTAINER_PROPERTIES,
                    request,
                    reply -> Map.copyOf(PropertiesReply.parseFrom(reply.body()).getValuesMap()));
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

    private Container opened(ContainerOpenReply given) {
        ContainerInfo info = ContainerInfo.fromWire(given.getContainer());
        Handle own = new Handle("container " + info.label(), given.getHandle(), handle);
        ObjectIo io = new ObjectIo(cluster, maps, info.uuid(), own, client.id());
        OidRanges oids = new OidRanges(service, uuid.toString(), info.uuid().toString(), own);
        return new Container(info, maps, io, oids, own.close(giveBack(own)));
    }

    private Mono<Void> giveBack(Handle container) {
        ContainerCloseRequest request = ContainerCloseRequest.newBuilder()
                .setPool(Ids.bytes(uuid))
                .setHandle(container.bytes())
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return service.call(RpcMethod.CONTAINER_CLOSE, request, reply -> true).then();
    }

    private PoolRef ref() {
        return PoolRef.newBuilder()
                .setPool(uuid.toString())
                .setPoolHandle(handle.shown())
                .build();
    }

    private ContainerRef.Builder containerRef(String container) {
        return ContainerRef.newBuilder()
                .setPool(uuid.toString())
                .setContainer(container)
                .setPoolHandle(handle.shown());
    }

    private static void checkLabel(String label) {
        if (!label.matches("[A-Za-z0-9._:-]{1," + LABEL_CHARS_MAX + "}")) {
            throw Fault.of(FaultCode.INVAL, "label '%s'", label)
                    .remedy("use 1 to 127 letters, digits, and . _ : -")
                    .asException();
        }
    }
}
