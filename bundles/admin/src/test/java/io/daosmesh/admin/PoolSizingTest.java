package io.daosmesh.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.admin.PoolSizing.Layout;
import io.daosmesh.admin.grammar.TierRatio;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.MemberMessage;
import java.util.List;
import org.junit.jupiter.api.Test;

class PoolSizingTest {
    private static final Layout SIX_TARGETS = new Layout(List.of(0, 1, 2), 3, 2);

    @Test
    void shouldRaiseScmToItsMinimumWhenTheShareIsTooSmall() {
        PoolSizing sizing = PoolSizing.ofTotal(300_000_000, TierRatio.DEFAULT, SIX_TARGETS);

        assertEquals(PoolSizing.SCM_MIN, sizing.scmPerTarget());
        assertEquals(282_000_000 / 6 / 4096 * 4096, sizing.nvmePerTarget());
        assertEquals("Creating DAOS pool with automatic storage allocation: 300 MB total, 6.38% ratio", sizing.title());
    }

    @Test
    void shouldRefuseWhenTheDeviceShareIsBelowTheMinimum() {
        FaultException e = assertThrows(
                FaultException.class, () -> PoolSizing.ofTotal(50_000_000, TierRatio.DEFAULT, SIX_TARGETS));

        assertTrue(e.getMessage().contains("size 50 MB is too small"), e.getMessage());
    }

    @Test
    void shouldRefuseAPoolOfNothing() {
        FaultException e =
                assertThrows(FaultException.class, () -> PoolSizing.ofTotal(0, TierRatio.DEFAULT, SIX_TARGETS));

        assertTrue(e.getMessage().contains("size 0 B is too small"), e.getMessage());
    }

    @Test
    void shouldDivideWhatAnEngineGetsByItsTargets() {
        PoolSizing sizing = PoolSizing.ofEngines(10_000_000_000L, 100_000_000_000L, SIX_TARGETS);

        assertEquals(5_000_000_000L / 4096 * 4096, sizing.scmPerTarget());
        assertEquals(
                "Creating DAOS pool with manual per-engine storage allocation: 10 GB SCM, 100 GB NVMe (10.00% ratio)",
                sizing.title());
        assertThrows(FaultException.class, () -> PoolSizing.ofEngines(1_000_000, 0, SIX_TARGETS));
        assertThrows(FaultException.class, () -> PoolSizing.ofEngines(1L << 30, 1_000_000, SIX_TARGETS));
    }

    @Test
    void shouldTakeAShareOfWhatIsFree() {
        PoolSizing sizing = PoolSizing.ofPercent(50, 1_000_000_000, 10_000_000_000L, SIX_TARGETS);

        assertEquals(250_000_000 / 4096 * 4096, sizing.scmPerTarget());
        assertThrows(FaultException.class, () -> PoolSizing.ofPercent(1, 1_000_000, 0, SIX_TARGETS));
    }

    @Test
    void shouldUseOnlyJoinedRanks() {
        List<MemberMessage> members =
                List.of(member(0, MemberState.JOINED), member(1, MemberState.EXCLUDED), member(2, MemberState.JOINED));

        assertEquals(new Layout(List.of(0, 2), 2, 2), PoolSizing.layout(members, List.of(), 0));
        assertEquals(1, PoolSizing.layout(members, List.of(), 1).rankCount());
        assertThrows(FaultException.class, () -> PoolSizing.layout(members, List.of(1), 0));
        assertThrows(FaultException.class, () -> PoolSizing.layout(members, List.of(), 3));
        assertThrows(FaultException.class, () -> PoolSizing.layout(List.of(), List.of(), 0));
    }

    private static MemberMessage member(int rank, MemberState state) {
        return MemberMessage.newBuilder()
                .setRank(rank)
                .setState(state.toWire())
                .setTargetCount(2)
                .build();
    }
}
