package io.daosmesh.management.pool.upkeep;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.management.pool.PoolDb;
import io.daosmesh.management.pool.TargetChanges;
import io.daosmesh.management.properties.PoolProperties;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetsChangeMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the self_heal policies of the system and of a pool let its leader do by itself, and what it proposes then. Pure. */
public final class SelfHeal {
    private SelfHeal() {}

    /** @param system properties of the system, here and below */
    public static boolean mayExclude(Map<String, String> system, PoolDb db) {
        return SystemProperties.heals(system, "pool_exclude")
                && PoolProperties.mayExclude(db.entry().getPropertiesMap());
    }

    public static boolean mayRebuild(Map<String, String> system, PoolDb db) {
        return db.mayRebuild(SystemProperties.heals(system, "pool_rebuild"));
    }

    /** A return moves data, as a rebuild does. */
    public static boolean mayBringBack(Map<String, String> system, PoolDb db) {
        return SystemProperties.heals(system, "pool_rebuild")
                && PoolProperties.mayRebuild(db.entry().getPropertiesMap());
    }

    /** Ranks that have left, those of one kind at a time; the guard may let go of some and not of others. */
    public static List<TargetsChangeMessage> exclusions(Map<String, String> system, PoolDb db, GroupMap members) {
        List<TargetsChangeMessage> changes = new ArrayList<>();
        if (!mayExclude(system, db)) return changes;
        Departure.of(db.map(), members, db.returns())
                .forEach((why, ranks) -> exclusion(db, members, why, ranks).ifPresent(changes::add));
        return changes;
    }

    /** Ranks that answer nobody; those among them that are members and whom the guard lets go of. */
    public static Optional<TargetsChangeMessage> silenced(
            Map<String, String> system, PoolDb db, GroupMap members, Set<Integer> silent) {
        if (!mayExclude(system, db)) return Optional.empty();
        Set<Integer> joined = new TreeSet<>(silent);
        joined.removeIf(r ->
                members.member(r).filter(m -> m.state() == MemberState.JOINED).isEmpty());
        return exclusion(db, members, Departure.SILENCE, joined);
    }

    private static Optional<TargetsChangeMessage> exclusion(
            PoolDb db, GroupMap members, Departure why, Set<Integer> ranks) {
        boolean isVain = TargetChanges.excludable(db.map(), List.copyOf(ranks), List.of(), db.guard())
                .isEmpty();
        if (isVain) return Optional.empty();
        return Optional.of(change(PoolTargetsRequest.Op.EXCLUDE, ranks, members)
                .setDeparture(why.toWire())
                .build());
    }

    public static TargetsChangeMessage bringingBack(Set<Integer> ranks, GroupMap members) {
        return change(PoolTargetsRequest.Op.REINTEGRATE, ranks, members).build();
    }

    private static TargetsChangeMessage.Builder change(PoolTargetsRequest.Op op, Set<Integer> ranks, GroupMap members) {
        return TargetsChangeMessage.newBuilder()
                .setOp(op)
                .addAllRanks(ranks)
                .setGroupVersion(members.version())
                .setAutomatic(true);
    }
}
