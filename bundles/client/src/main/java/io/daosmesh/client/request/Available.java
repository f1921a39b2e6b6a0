package io.daosmesh.client.request;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import reactor.core.publisher.Mono;

/**
 * New objects in a pool that misses fault domains: only ids whose groups can all be written to now, with no fewer copies than
 * the container's redundancy factor allows. What lies where a domain is missing is made good when it is back. Pure.
 */
public final class Available {
    /** Ids looked at before the number of groups is halved: with fewer groups more ids fit. */
    private static final int TRIES = 16;
    /** With a single group every third id fits even if two of three domains are out. */
    private static final int TRIES_LAST = 256;

    /** Upper user bits of the object that everybody finds without asking. */
    public static final int WELL_KNOWN = 0;

    private Available() {}

    /** Makes an object id from a number that is nobody else's. */
    @FunctionalInterface
    public interface Maker {
        ObjectId make(long number, int groups);
    }

    /** Takes numbers until an id fits; RF when none does. */
    public static Mono<ObjectId> id(Mono<Long> numbers, Maker maker, int groups, int copiesMin, PoolMap map) {
        if (isWhole(map)) return numbers.map(n -> maker.make(n, groups));
        int halvings = Integer.SIZE - 1 - Integer.numberOfLeadingZeros(groups);
        return numbers.repeat()
                .index((i, number) -> maker.make(number, Math.max(1, groups >> (int) Math.min(31, i / TRIES))))
                .take((long) halvings * TRIES + TRIES_LAST)
                .filter(id -> fits(map, id, copiesMin))
                .next()
                .switchIfEmpty(Mono.error(() -> tooFew(copiesMin).asException()));
    }

    private static Fault tooFew(int copiesMin) {
        return Fault.of(FaultCode.RF, "too few fault domains serve for %d copies of a new object", copiesMin)
                .remedy("start the failed ranks again: see dmg pool query");
    }

    /** For a new container: its well-known object must be one that can be made now. */
    public static long catalogueNumber(Redundancy redundancy, PoolMap map) {
        ObjectClass c = redundancy.objectClass().objectClass();
        int copiesMin = copiesMin(c, redundancy.factor());
        for (long number = 0; number < TRIES_LAST; number++)
            if (fits(map, catalogue(c, number), copiesMin)) return number;
        throw tooFew(copiesMin).asException();
    }

    public static ObjectId catalogue(ObjectClass c, long number) {
        return ObjectId.of(ObjectId.Type.KEY_VALUE, c, 1, WELL_KNOWN, number);
    }

    /** Copies that an object of the class must have at least when it is made. */
    public static int copiesMin(ObjectClass c, int redundancyFactor) {
        return Math.max(1, c.replicas() - redundancyFactor);
    }

    private static boolean fits(PoolMap map, ObjectId id, int copiesMin) {
        for (int g = 0; g < id.groupCount(); g++) {
            ShardGroup group = Placement.group(map, id, g);
            if (!group.isAvailable() || group.members().size() < copiesMin) return false;
        }
        return true;
    }

    private static boolean isWhole(PoolMap map) {
        return map.losses().isEmpty() && map.targets().stream().allMatch(PoolTarget::isHolder);
    }
}
