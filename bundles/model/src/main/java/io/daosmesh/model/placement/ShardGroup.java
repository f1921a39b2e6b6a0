package io.daosmesh.model.placement;

import java.util.List;

/**
 * Where the replicas of one redundancy group live at one map version. Immutable.
 *
 * @param index group number
 * @param settled target ids that hold every acknowledged write of the group: reads go here; the first is the leader;
 *     empty = the data is unavailable
 * @param goal target ids where the group's shards belong; those outside {@code settled} are being rebuilt
 * @param members settled and goal together, without duplicates, leader first: every write goes to all of them
 */
public record ShardGroup(int index, List<Integer> settled, List<Integer> goal, List<Integer> members) {
    public ShardGroup {
        settled = List.copyOf(settled);
        goal = List.copyOf(goal);
        members = List.copyOf(members);
    }

    public boolean isAvailable() {
        return !settled.isEmpty();
    }

    /** Target id of the leader. */
    public int leader() {
        return settled.get(0);
    }

    /** Goal targets that have to pull the group's data. */
    public List<Integer> missing() {
        return goal.stream().filter(t -> !settled.contains(t)).toList();
    }
}
