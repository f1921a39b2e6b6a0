package io.daosmesh.engine.shard;

import io.daosmesh.engine.vos.Keys;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.ObjectAddress;
import java.util.UUID;

/** One group of an object and the sender's map version. Immutable. */
public record ShardAddress(UUID pool, UUID container, ObjectId oid, int group, int mapVersion) {
    public static ShardAddress of(ObjectAddress a) {
        return new ShardAddress(
                Ids.uuid(a.getPool()),
                Ids.uuid(a.getContainer()),
                new ObjectId(a.getOidHigh(), a.getOidLow()),
                a.getGroup(),
                a.getMapVersion());
    }

    public ObjectAddress toWire(int target) {
        return ObjectAddress.newBuilder()
                .setPool(Ids.bytes(pool))
                .setContainer(Ids.bytes(container))
                .setOidHigh(oid.high())
                .setOidLow(oid.low())
                .setTarget(target)
                .setGroup(group)
                .setMapVersion(mapVersion)
                .build();
    }

    public byte[] groupPrefix() {
        return Keys.group(pool, container, oid, group);
    }

    public ShardAddress withMapVersion(int version) {
        return new ShardAddress(pool, container, oid, group, version);
    }

    /** INVAL when the object has no such group. */
    public void check() {
        oid.objectClass();
        if (group < 0 || group >= Math.max(1, oid.groupCount())) {
            throw Fault.of(FaultCode.INVAL, "object %s has no group %d", oid, group)
                    .asException();
        }
    }
}
