package io.daosmesh.engine.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.storage.DeviceState;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DeviceReactionTest {
    private static final int RANK = 5;
    private final PoolMap whole = new PoolMap(
            new UUID(1, 1),
            1,
            List.of(target(0, RANK, 0), target(1, RANK, 1), target(2, RANK, 2), target(3, 6, 0), target(4, 6, 1)));

    private static PoolTarget target(int id, int rank, int index) {
        return new PoolTarget(id, rank, index, "/n" + rank, TargetState.UPIN, false, 1);
    }

    @ParameterizedTest
    @EnumSource(
            value = DeviceState.class,
            names = {"UNPLUGGED", "FAULTY", "TEARDOWN", "OUT"})
    void shouldExcludeExactlyTheTargetsOfALostDevice(DeviceState lost) {
        var states = Map.of(0, DeviceState.NORMAL, 1, lost, 2, lost);

        DeviceReaction r = DeviceReaction.of(whole, RANK, states, Set.of());

        assertEquals(new DeviceReaction(Set.of(1, 2), Set.of(), Set.of()), r);
        PoolMap after = whole.withStates(Set.of(1, 2), TargetState.DOWN);
        assertFalse(DeviceReaction.isOut(whole, RANK, Set.of(1, 2)));
        assertTrue(DeviceReaction.isOut(after, RANK, Set.of(1, 2)));
        assertEquals(
                Set.of(), DeviceReaction.of(after, RANK, states, Set.of(1, 2)).exclude());
    }

    @Test
    void shouldBringBackOnlyWhatItTookOut() {
        PoolMap map = whole.withStates(Set.of(0, 1), TargetState.DOWN).afterRebuild();
        var states = Map.of(0, DeviceState.NORMAL, 1, DeviceState.NORMAL, 2, DeviceState.NORMAL);

        DeviceReaction r = DeviceReaction.of(map, RANK, states, Set.of(1));

        assertEquals(new DeviceReaction(Set.of(), Set.of(1), Set.of()), r);
    }

    @Test
    void shouldForgetWhatIsBackAndExcludeAgainWhatReturnsTooEarly() {
        PoolMap map = whole.withStates(Set.of(0, 1), TargetState.DOWN).withStates(Set.of(0, 1), TargetState.UP);
        var states = Map.of(0, DeviceState.NORMAL, 1, DeviceState.UNPLUGGED, 2, DeviceState.NORMAL);

        DeviceReaction r = DeviceReaction.of(map, RANK, states, Set.of(0, 1));

        assertEquals(new DeviceReaction(Set.of(1), Set.of(), Set.of(0)), r);
    }
}
