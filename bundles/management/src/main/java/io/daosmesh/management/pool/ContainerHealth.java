package io.daosmesh.management.pool;

import io.daosmesh.management.properties.ContainerProperties;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.wire.ContainerHealthMessage;
import io.daosmesh.model.wire.ContainerMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Health of containers as in DAOS (PROP_CO_STATUS): one that more fault domains have failed than it can stand is unclean,
 * is opened for reading only, and stays so until a person says that it is healthy. Pure.
 */
public final class ContainerHealth {
    static final int HEALTHY = 0;
    static final int UNCLEAN = 1;
    /** Layouts looked at to say how much is unavailable: one percent more or less. */
    private static final int SAMPLES = 2_000;

    private ContainerHealth() {}

    public static boolean isUnclean(ContainerMessage c) {
        return c.getStatus() == UNCLEAN;
    }

    /** The container under a new map: unclean from the moment on that more domains are out at a time than it can stand. */
    static ContainerMessage review(ContainerMessage c, PoolMap map) {
        if (isUnclean(c) || Redundancy.failures(map, c.getAcceptedVersion()) <= c.getRdFac()) return c;
        return c.toBuilder().setStatus(UNCLEAN).setUncleanVersion(map.version()).build();
    }

    /** The container with properties changed; INVAL and NOSYS for what cannot be changed or is not built. */
    static ContainerMessage withProperties(ContainerMessage c, Map<String, String> set, PoolMap map) {
        ContainerProperties.checkChange(set);
        ContainerMessage.Builder b = c.toBuilder();
        if (set.containsKey(ContainerProperties.STATUS)) b.setStatus(HEALTHY).setAcceptedVersion(map.version());
        String scrubber = set.get(ContainerProperties.SCRUBBER);
        return scrubber == null
                ? b.build()
                : b.putProperties(ContainerProperties.SCRUBBER, scrubber).build();
    }

    /** Properties with the values that hold. */
    public static Map<String, String> properties(ContainerMessage c) {
        Map<String, String> all = new TreeMap<>(c.getPropertiesMap());
        all.remove("rf");
        all.put("label", c.getLabel());
        all.put("layout_type", c.getType());
        all.put("rd_fac", "rd_fac" + c.getRdFac());
        all.put("rd_lvl", "node");
        all.putIfAbsent(ContainerProperties.SCRUBBER, "on");
        all.put(ContainerProperties.STATUS, isUnclean(c) ? "UNCLEAN" : "HEALTHY");
        return all;
    }

    /** RF while it must not be written to. */
    public static void checkWritable(ContainerMessage c) {
        if (!isUnclean(c)) return;
        throw Fault.of(
                        FaultCode.RF,
                        "container '%s' is UNCLEAN since pool map version %d: more than rd_fac %d fault domains had failed",
                        c.getLabel(),
                        c.getUncleanVersion(),
                        c.getRdFac())
                .remedy("bring the failed ranks back, then run daos container set-prop POOL CONT status:healthy")
                .asException();
    }

    /** Containers that an administrator has to know of, unclean ones first to come. */
    public static List<ContainerHealthMessage> unhealthy(List<ContainerMessage> containers, PoolMap map) {
        Map<Integer, Double> shares = new HashMap<>();
        List<ContainerHealthMessage> unhealthy = new ArrayList<>();
        List<Integer> missing = missingRanks(map);
        for (ContainerMessage c : containers) {
            double share = missing.isEmpty() ? 0 : shares.computeIfAbsent(copies(c), n -> unavailableShare(map, n));
            if (!isUnclean(c) && share == 0) continue;
            ContainerHealthMessage.Builder b =
                    ContainerHealthMessage.newBuilder().setContainer(c).setUnavailableShare(share);
            unhealthy.add((share == 0 ? b : b.addAllMissingRanks(missing)).build());
        }
        return unhealthy;
    }

    /** As this release understands the container: of one with a class that it does not know, as many as there can be. */
    static int copies(ContainerMessage c) {
        if (c.getObjectClass().isEmpty()) return known(c.getRdFac() + 1L);
        return ObjectClass.find(c.getObjectClass())
                .map(n -> n.objectClass().replicas())
                .orElse(ObjectClass.REPLICAS_MAX);
    }

    private static int known(long copies) {
        return (int) Math.max(1, Math.min(ObjectClass.REPLICAS_MAX, copies));
    }

    /** Ranks with a target that something waits for. */
    private static List<Integer> missingRanks(PoolMap map) {
        return map.targets().stream()
                .filter(t -> t.state().isDisabled() && (t.isHole() || isAwaited(map, t)))
                .map(PoolTarget::rank)
                .distinct()
                .sorted()
                .toList();
    }

    private static boolean isAwaited(PoolMap map, PoolTarget t) {
        return map.losses().stream().anyMatch(l -> {
            var hole = l.holes().get(t.id());
            return hole != null && hole.isAway();
        });
    }

    private static double unavailableShare(PoolMap map, int copies) {
        ObjectClass c = ObjectClass.forRedundancyFactor(copies - 1).objectClass();
        int unavailable = 0;
        for (int i = 0; i < SAMPLES; i++) {
            ObjectId oid = ObjectId.of(ObjectId.Type.MULTI_HASHED, c, 1, 0, i * 0x9e3779b97f4a7c15L);
            if (!Placement.group(map, oid, 0).isAvailable()) unavailable++;
        }
        return (double) unavailable / SAMPLES;
    }
}
