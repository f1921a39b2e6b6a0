package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolCreateRequest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PoolPlanTest {
    private static final long MIB = 1 << 20;

    /** Two ranks on each of the nodes. */
    private static GroupMap nodes(int count) {
        return new GroupMap(
                "sys",
                1,
                IntStream.range(0, 2 * count)
                        .mapToObj(r -> new Member(
                                r,
                                new UUID(0, r),
                                "h" + r / 2 + ":1",
                                "/h" + r / 2,
                                MemberState.JOINED,
                                1,
                                2,
                                r % 2,
                                "",
                                0))
                        .toList());
    }

    private static PoolCreateRequest.Builder request() {
        return PoolCreateRequest.newBuilder().setLabel("tank").setScmBytesTotal(240 * MIB);
    }

    private static String refusal(PoolCreateRequest.Builder r) {
        Fault f = assertThrows(FaultException.class, () -> PoolPlan.of(r.build(), nodes(3), new UUID(1, 1)))
                .fault();
        return f.argument("fault").orElse(f.text());
    }

    @Test
    void shouldDivideTotalOverAllTargetsAndSpreadTheService() {
        PoolPlan p = PoolPlan.of(request().setNvmeBytesTotal(1200 * MIB).build(), nodes(3), new UUID(1, 1));

        assertEquals(12, p.map().targets().size());
        assertEquals(20 * MIB, p.entry().getScmBytesPerTarget());
        assertEquals(100 * MIB, p.entry().getNvmeBytesPerTarget());
        assertEquals(
                Set.of("h0:1", "h1:1", "h2:1"),
                p.service().stream().map(Member::address).collect(Collectors.toSet()));
        assertEquals(40 * MIB, p.reply(0).getScmBytesPerRank());
    }

    @Test
    void shouldBeginWithoutTargetsOfDevicesThatDoNotServe() {
        PoolPlan p = PoolPlan.of(request().build(), nodes(2), new UUID(1, 1));

        PoolPlan begun = p.without(Map.of(1, List.of(0)));

        assertEquals(1, p.map().version());
        assertEquals(2, begun.map().version());
        assertEquals(1, begun.map().disabledCount());
        assertEquals(TargetState.DOWNOUT, begun.map().ofRank(1).get(0).state());
        assertFalse(begun.map().needsRebuild());
        assertEquals(begun.map(), PoolMap.fromWire(begun.start().getMap()));
        // it comes back as one whose data others hold
        PoolMap back = begun.map().withStates(Set.of(2), TargetState.UP, Outage.Cause.DEVICE);
        assertTrue(back.target(2).hasHomeElsewhere());
        assertSame(p, p.without(Map.of()));
        Map<Integer, List<Integer>> all =
                Map.of(0, List.of(0, 1), 1, List.of(0, 1), 2, List.of(0, 1), 3, List.of(0, 1));
        assertEquals(
                FaultCode.NVME_IO,
                assertThrows(FaultException.class, () -> p.without(all)).code());
    }

    @Test
    void shouldRunOneServiceReplicaWhenThereAreTwoNodes() {
        assertEquals(
                1,
                PoolPlan.of(request().build(), nodes(2), new UUID(1, 1))
                        .service()
                        .size());
    }

    @Test
    void shouldTakeRanksOfDifferentDomainsWhenOnlySomeAreWanted() {
        PoolPlan p = PoolPlan.of(request().setRankCount(3).build(), nodes(3), new UUID(1, 1));

        assertEquals(List.of(0, 2, 4), p.members().stream().map(Member::rank).toList());
    }

    @Test
    void shouldNameTheFaultWhenARequestIsWrong() {
        assertEquals("604", refusal(request().setScmBytesTotal(10 * MIB)));
        assertEquals("605", refusal(request().setNvmeBytesTotal(10 * MIB)));
        assertEquals("606", refusal(request().addRanks(77)));
        assertEquals("607", refusal(request().setRankCount(7)));
        assertEquals("608", refusal(request().setServiceReplicas(4)));
        assertEquals("615", refusal(request().setLabel("")));
        assertEquals("unknown property \"colour\"", refusal(request().putProperties("colour", "red")));
        assertEquals("invalid value \"9\" for rd_fac: 0 to 4", refusal(request().putProperties("rd_fac", "9")));
    }

    @Test
    void shouldHoldForANewPoolWhatIsSetForAll() {
        Map<String, String> system = Map.of("pool_scrub_mode", "timed", "pool_scrub_thresh", "9");

        PoolPlan p = PoolPlan.of(request().putProperties("scrub", "off").build(), nodes(3), new UUID(1, 1), system);

        assertEquals(Map.of("scrub", "off", "scrub_thresh", "9"), p.entry().getPropertiesMap());
        assertEquals(Map.of("scrub", "timed", "scrub_thresh", "9"), p.entry().getFollowedMap());
    }
}
