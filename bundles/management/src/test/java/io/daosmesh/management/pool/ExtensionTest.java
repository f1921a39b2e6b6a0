package io.daosmesh.management.pool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.TargetCreateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ExtensionTest {
    private static final UUID POOL = new UUID(3, 3);

    private final PoolMap map = new PoolMap(
            POOL,
            1,
            List.of(
                    new PoolTarget(0, 0, 0, "/n0", TargetState.UPIN, false, 1),
                    new PoolTarget(1, 1, 0, "/n1", TargetState.UPIN, false, 1)));
    private final PoolEntryMessage entry = PoolEntryMessage.newBuilder()
            .setPool(Ids.bytes(POOL))
            .setScmBytesPerTarget(5 << 20)
            .setNvmeBytesPerTarget(50 << 20)
            .putProperties("data_thresh", "8192")
            .build();
    private final List<Member> members = new ArrayList<>();

    ExtensionTest() {
        for (int rank = 0; rank < 6; rank++)
            members.add(new Member(
                    rank,
                    new UUID(1, rank),
                    "h" + rank + ":1",
                    "/n" + rank,
                    rank == 5 ? MemberState.STOPPED : MemberState.JOINED,
                    1,
                    rank + 1,
                    0,
                    "",
                    0));
    }

    private Extension extension(Integer... ranks) {
        return of(map, PoolTargetsRequest.newBuilder().addAllRanks(List.of(ranks)));
    }

    private Extension of(PoolMap of, PoolTargetsRequest.Builder r) {
        return Extension.of(r.setOp(PoolTargetsRequest.Op.EXTEND).build(), entry, of, new GroupMap("s", 9, members));
    }

    private void assertRefused(FaultCode code, String text, Integer... ranks) {
        Fault f = assertThrows(FaultException.class, () -> extension(ranks)).fault();
        assertEquals(code + ": " + text, f.code() + ": " + f.text());
        assertTrue(!f.remedy().isEmpty(), f.message());
    }

    @Test
    void shouldGiveNewRanksWhatTheOthersHave() {
        Extension e = extension(3, 2);

        TargetCreateRequest asked = e.create(7);
        assertEquals(5 << 20, asked.getScmBytesPerTarget());
        assertEquals(50 << 20, asked.getNvmeBytesPerTarget());
        assertEquals("8192", asked.getPropertiesOrThrow("data_thresh"));
        assertEquals(map, PoolMap.fromWire(asked.getMap()));
        assertEquals(7, e.remove(7).getTerm());
        PoolMap larger = Extension.apply(map, e.change(9));
        assertEquals(Set.of(0, 1, 2, 3), larger.ranks());
        assertEquals(3, larger.ofRank(2).size());
        assertEquals(4, larger.ofRank(3).size());
        assertEquals("/n3", larger.target(8).faultDomain());
    }

    @Test
    void shouldSayWhatIsWrongWithARank() {
        assertRefused(FaultCode.INVAL, "no ranks given to extend");
        assertRefused(FaultCode.INVAL, "rank 3 is given twice", 3, 2, 3);
        assertRefused(FaultCode.ALREADY, "rank 1 is in the pool already", 2, 1);
        assertRefused(FaultCode.NONEXIST, "rank 9 is not in the system", 9);
        assertRefused(FaultCode.NONEXIST, "rank -1 is not in the system", -1);
        assertRefused(FaultCode.INVAL, "the pool cannot be extended by rank 5: it is Stopped", 5);
        PoolTargetsRequest.Builder single =
                PoolTargetsRequest.newBuilder().addRanks(2).addTargetIndexes(0);
        assertEquals(
                FaultCode.INVAL,
                assertThrows(FaultException.class, () -> of(map, single)).code());
    }

    @Test
    void shouldSendAnExcludedRankToReintegrate() {
        PoolMap down = map.withStates(Set.of(1), TargetState.DOWN);

        Fault f = assertThrows(
                        FaultException.class,
                        () -> of(down, PoolTargetsRequest.newBuilder().addRanks(1)))
                .fault();

        assertEquals("rank 1 is in the pool, but excluded", f.text());
        assertTrue(f.remedy().contains("pool reintegrate"));
    }

    @Test
    void shouldRefuseInTheLogWhatAnotherLeaderHasDoneMeanwhile() {
        Extension e = extension(2);
        PoolMap larger = Extension.apply(map, e.change(9));

        FaultException twice = assertThrows(FaultException.class, () -> Extension.apply(larger, e.change(9)));

        assertEquals(FaultCode.ALREADY, twice.code());
    }
}
