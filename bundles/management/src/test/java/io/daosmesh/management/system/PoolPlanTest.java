package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
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
