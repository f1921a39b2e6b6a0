package io.daosmesh.engine.rank;

import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.DeviceState;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the states of a rank's devices mean for its targets in one pool. Pure. Source: daos-engine facts 6.5 (NVMe reaction:
 * exclude the targets of a faulty device, reintegrate them when it is back).
 *
 * @param exclude indexes of targets that are in the map and whose device cannot serve
 * @param reintegrate indexes of targets that were excluded for their device, which serves again
 * @param settled indexes of such targets that are back in the map
 */
public record DeviceReaction(Set<Integer> exclude, Set<Integer> reintegrate, Set<Integer> settled) {

    /**
     * @param states by target index; a target without an entry is left alone
     * @param outForDevice indexes of targets that were excluded because of their device
     */
    public static DeviceReaction of(
            PoolMap map, int rank, Map<Integer, DeviceState> states, Set<Integer> outForDevice) {
        Set<Integer> exclude = new TreeSet<>();
        Set<Integer> reintegrate = new TreeSet<>();
        Set<Integer> settled = new TreeSet<>();
        for (PoolTarget t : map.ofRank(rank)) {
            DeviceState state = states.get(t.index());
            if (state == null) continue;
            if (isLost(state)) {
                if (t.state().mayBecome(TargetState.DOWN)) exclude.add(t.index());
            } else if (outForDevice.contains(t.index())) {
                if (t.state().isDisabled()) reintegrate.add(t.index());
                else settled.add(t.index());
            }
        }
        return new DeviceReaction(exclude, reintegrate, settled);
    }

    /** True for states in which the device takes no writes and will not soon. */
    public static boolean isLost(DeviceState state) {
        return state != DeviceState.NORMAL && state != DeviceState.NEW;
    }

    /** True if no target with such an index serves in the pool any more. */
    public static boolean isOut(PoolMap map, int rank, Set<Integer> indexes) {
        return map.ofRank(rank).stream()
                .filter(t -> indexes.contains(t.index()))
                .allMatch(t -> t.state().isDisabled() || t.state() == TargetState.NEW);
    }
}
