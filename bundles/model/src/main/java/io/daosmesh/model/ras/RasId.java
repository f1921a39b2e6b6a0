package io.daosmesh.model.ras;

import io.daosmesh.model.ras.RasEvent.Type;
import java.util.Locale;

/** Known RAS events; the printed id is the lower-case name. */
public enum RasId {
    ENGINE_FORMAT_REQUIRED(Type.INFO_ONLY),
    ENGINE_DIED(Type.STATE_CHANGE),
    ENGINE_ASSERTED(Type.STATE_CHANGE),
    ENGINE_CLOCK_DRIFT(Type.INFO_ONLY),
    ENGINE_JOIN_FAILED(Type.INFO_ONLY),
    ENGINE_SELF_TERMINATED(Type.INFO_ONLY),
    DEVICE_SET_FAULTY(Type.INFO_ONLY),
    DEVICE_MEDIA_ERROR(Type.INFO_ONLY),
    DEVICE_UNPLUGGED(Type.INFO_ONLY),
    DEVICE_PLUGGED(Type.INFO_ONLY),
    DEVICE_REPLACE(Type.INFO_ONLY),
    POOL_CORRUPTION_DETECTED(Type.INFO_ONLY),
    POOL_DESTROY_DEFERRED(Type.INFO_ONLY),
    POOL_REBUILD_STARTED(Type.INFO_ONLY),
    POOL_REBUILD_FINISHED(Type.INFO_ONLY),
    POOL_REBUILD_FAILED(Type.INFO_ONLY),
    POOL_REPLICAS_UPDATED(Type.STATE_CHANGE),
    POOL_RANK_RETURNED(Type.INFO_ONLY),
    POOL_RETURN_DELAYED(Type.INFO_ONLY),
    POOL_DURABLE_FORMAT_INCOMPAT(Type.INFO_ONLY),
    CONTAINER_DURABLE_FORMAT_INCOMPAT(Type.INFO_ONLY),
    CONTAINER_UNCLEAN(Type.INFO_ONLY),
    RDB_DURABLE_FORMAT_INCOMPATIBLE(Type.INFO_ONLY),
    SWIM_RANK_ALIVE(Type.STATE_CHANGE),
    SWIM_RANK_DEAD(Type.STATE_CHANGE),
    SYSTEM_START_FAILED(Type.INFO_ONLY),
    SYSTEM_STOP_FAILED(Type.INFO_ONLY);

    private final Type type;

    RasId(Type type) {
        this.type = type;
    }

    public Type type() {
        return type;
    }

    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
