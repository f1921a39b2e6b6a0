package io.daosmesh.client;

import io.daosmesh.client.request.Available;
import io.daosmesh.client.request.ObjectIo;
import io.daosmesh.client.request.OidRanges;
import io.daosmesh.client.request.PoolMaps;
import io.daosmesh.client.request.Redundancy;
import io.daosmesh.client.value.Condition;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import java.nio.ByteBuffer;
import java.util.List;
import reactor.core.publisher.Mono;

/** An open container: makes and opens objects. Any thread. When an administrator has ended it, calls fail with NO_HDL. */
public final class Container {
    /** Upper user bits of ids that the pool service has handed out. */
    private static final int ALLOCATED = 1;

    private static final byte[] KEY_VALUE_ROOT = KeyValue.utf8("kv.root");

    private final ContainerInfo info;
    private final PoolMaps maps;
    private final ObjectIo io;
    private final OidRanges oids;
    private final Mono<Void> closing;
    private final ObjectClass.Named defaultClass;

    Container(ContainerInfo info, PoolMaps maps, ObjectIo io, OidRanges oids, Mono<Void> closing) {
        this.info = info;
        this.maps = maps;
        this.io = io;
        this.oids = oids;
        this.closing = closing;
        this.defaultClass = info.objectClass().isEmpty()
                ? ObjectClass.forRedundancyFactor(info.redundancyFactor())
                : ObjectClass.parse(info.objectClass());
    }

    public ContainerInfo info() {
        return info;
    }

    /** Gives it back; its objects fail with NO_HDL from then on. May be called again. Ends with its pool by itself. */
    public Mono<Void> close() {
        return closing;
    }

    /** Class of objects that are made without one. */
    public ObjectClass.Named defaultClass() {
        return defaultClass;
    }

    /**
     * A new id that nobody else gets. The number of groups is settled now, with the pool's present size. INVAL for a class
     * that survives fewer failures than the container's redundancy factor, RF when too few fault domains serve now.
     */
    public Mono<ObjectId> newId(ObjectId.Type type, ObjectClass.Named objectClass) {
        return Mono.defer(() -> {
            PoolMap map = maps.map();
            Redundancy.check(objectClass, map);
            ObjectClass c = objectClass.objectClass();
            if (c.redundancyFactor() < info.redundancyFactor()) {
                throw Fault.of(
                                FaultCode.INVAL,
                                "class %s survives fewer failures than rd_fac %d of the container",
                                objectClass.name(),
                                info.redundancyFactor())
                        .remedy("choose a class with more replicas")
                        .asException();
            }
            int groups = objectClass.resolveGroups(map.targets().size());
            Available.Maker maker = (number, n) -> ObjectId.of(type, c, n, ALLOCATED, number);
            return Available.id(oids.next(), maker, groups, Available.copiesMin(c, info.redundancyFactor()), map);
        });
    }

    public DaosObject object(ObjectId id) {
        return new DaosObject(io, id);
    }

    public KeyValue keyValue(ObjectId id) {
        return new KeyValue(object(id));
    }

    public ArrayObject array(ObjectId id, int chunkBytes) {
        return new ArrayObject(object(id), chunkBytes);
    }

    public ArrayObject array(ObjectId id) {
        return array(id, ArrayObject.CHUNK_BYTES);
    }

    public Mono<ArrayObject> createArray() {
        return newId(ObjectId.Type.ARRAY, defaultClass).map(this::array);
    }

    public Mono<KeyValue> createKeyValue() {
        return newId(ObjectId.Type.KEY_VALUE, defaultClass).map(this::keyValue);
    }

    /** The one object every client finds without asking: what the container's other well-known objects are. */
    public KeyValue catalogue() {
        return keyValue(Available.catalogue(defaultClass.objectClass(), info.catalogueNumber()));
    }

    /** The container's own key-value object, for scripts; made at the first call of anybody. */
    public Mono<KeyValue> keyValueRoot() {
        return existingKeyValueRoot().switchIfEmpty(Mono.defer(this::makeKeyValueRoot));
    }

    /** Empty while nobody has put anything. */
    public Mono<KeyValue> existingKeyValueRoot() {
        return catalogue().get(KEY_VALUE_ROOT).map(bytes -> keyValue(idFrom(bytes)));
    }

    private Mono<KeyValue> makeKeyValueRoot() {
        return newId(ObjectId.Type.KEY_VALUE, defaultClass)
                .flatMap(id -> catalogue()
                        .put(KEY_VALUE_ROOT, bytesOf(id), Condition.INSERT)
                        .thenReturn(keyValue(id))
                        .onErrorResume(Container::isThere, e -> existingKeyValueRoot()));
    }

    private static boolean isThere(Throwable error) {
        return FaultException.faultOf(error).code() == FaultCode.EXIST;
    }

    /** Where an object's groups live at the present map, for people. */
    public List<ShardGroup> layout(ObjectId id) {
        PoolMap map = maps.map();
        return java.util.stream.IntStream.range(0, id.groupCount())
                .mapToObj(group -> maps.layout(map, id, group))
                .toList();
    }

    public PoolMap poolMap() {
        return maps.map();
    }

    /** Sixteen bytes, as objects refer to each other. */
    public static byte[] bytesOf(ObjectId id) {
        return ByteBuffer.allocate(16).putLong(id.high()).putLong(id.low()).array();
    }

    public static ObjectId idFrom(byte[] bytes) {
        ByteBuffer b = ByteBuffer.wrap(bytes);
        return new ObjectId(b.getLong(), b.getLong());
    }
}
