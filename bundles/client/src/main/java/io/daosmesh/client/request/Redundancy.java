package io.daosmesh.client.request;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a new container protects its objects. Immutable.
 *
 * @param factor failures survived
 * @param objectClass default class
 */
public record Redundancy(int factor, ObjectClass.Named objectClass) {
    private static final int FACTOR_MAX = 2;

    /** INVAL when class and factor contradict each other, or the pool has too few fault domains. */
    public static Redundancy of(
            String objectClass, Map<String, String> properties, Map<String, String> poolProperties, PoolMap map) {
        Integer wanted = factor(properties);
        if (!objectClass.isEmpty()) {
            ObjectClass.Named named = ObjectClass.parse(objectClass);
            int factor = wanted == null ? named.objectClass().redundancyFactor() : wanted;
            if (named.objectClass().redundancyFactor() < factor) {
                throw Fault.of(FaultCode.INVAL, "class %s survives fewer failures than rd_fac %d", named.name(), factor)
                        .remedy("choose a class with more replicas or a lower rd_fac")
                        .asException();
            }
            check(named, map);
            return new Redundancy(factor, named);
        }
        int factor = wanted != null ? wanted : inherited(poolProperties, map);
        ObjectClass.Named named = ObjectClass.forRedundancyFactor(factor);
        check(named, map);
        return new Redundancy(factor, named);
    }

    /** Not named by the user: as safe as the pool says, or else as safe as it can be. */
    private static int inherited(Map<String, String> poolProperties, PoolMap map) {
        Integer ofPool = factor(poolProperties);
        int possible = Math.min(FACTOR_MAX, (int) Math.max(0, domains(map) - 1));
        return ofPool == null ? possible : Math.min(ofPool, possible);
    }

    private static @Nullable Integer factor(Map<String, String> properties) {
        String text = properties.getOrDefault("rd_fac", properties.get("rf"));
        if (text == null) return null;
        String digits = text.startsWith("rd_fac") ? text.substring("rd_fac".length()) : text;
        try {
            return Integer.parseInt(digits);
        } catch (NumberFormatException e) {
            throw Fault.of(FaultCode.INVAL, "rd_fac '%s' is not a number", text).asException();
        }
    }

    /** The domains of the pool count, not those that serve just now: what is missing is made good when they are back. */
    public static void check(ObjectClass.Named named, PoolMap map) {
        long have = domains(map);
        if (named.objectClass().replicas() > have) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "class %s needs %d fault domains, the pool has %d",
                            named.name(),
                            named.objectClass().replicas(),
                            have)
                    .remedy("choose a class with fewer replicas, or extend the pool")
                    .asException();
        }
    }

    private static long domains(PoolMap map) {
        return map.targets().stream()
                .filter(t -> t.state() != TargetState.NEW)
                .map(PoolTarget::faultDomain)
                .distinct()
                .count();
    }
}
