package io.daosmesh.rebuild.scan;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;

/** Which groups of a stored object must move where: a function of the pool map alone. Pure. */
public final class Scan {
    private Scan() {}

    /**
     * What a target reports for an object it holds: only the leader of a group reports it, so that each missing shard is
     * named once.
     *
     * @param self pool target id of the scanning target
     */
    public static List<Work> works(PoolMap map, int self, UUID container, ObjectId oid) {
        List<Work> works = new ArrayList<>();
        for (int g = 0; g < oid.groupCount(); g++) {
            ShardGroup group = Placement.group(map, oid, g);
            if (!group.isAvailable() || group.leader() != self) continue;
            for (int home : group.missing()) works.add(new Work(container, oid, g, self, home));
        }
        return works;
    }

    /** Groups of a stored object that this target itself has to pull, if their holders have anything of them. */
    public static List<Work> own(PoolMap map, int self, UUID container, ObjectId oid) {
        List<Work> works = new ArrayList<>();
        for (int g = 0; g < oid.groupCount(); g++) {
            ShardGroup group = Placement.group(map, oid, g);
            if (group.isAvailable() && group.missing().contains(self))
                works.add(new Work(container, oid, g, group.leader(), self));
        }
        return works;
    }

    /** Targets of a rank that take part: one that is out, for its device say, neither answers nor leads a group. */
    public static List<PoolTarget> scanned(PoolMap map, int rank) {
        return map.ofRank(rank).stream()
                .filter(t -> !t.state().isDisabled() && t.state() != TargetState.NEW)
                .toList();
    }

    /** Groups of an object that have no business on a target at this map. */
    public static Set<Integer> foreignGroups(PoolMap map, int self, ObjectId oid) {
        Set<Integer> foreign = new TreeSet<>();
        for (int g = 0; g < oid.groupCount(); g++) {
            ShardGroup group = Placement.group(map, oid, g);
            if (group.isAvailable() && !group.members().contains(self)) foreign.add(g);
        }
        return foreign;
    }
}
