package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.EngineStatusMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolEvictReply;
import io.daosmesh.model.wire.PoolEvictRequest;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolRebuildRequest;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolUpgradeReply;
import io.daosmesh.model.wire.StorageFormatReply;
import io.daosmesh.model.wire.StorageFormatRequest;
import io.daosmesh.model.wire.SystemEraseReply;
import io.daosmesh.model.wire.SystemQueryReply;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What dmg does to keep pools in order: rebuilds, handles of machines. */
@Timeout(20)
class DmgUpkeepTest extends FakeDmg {
    private final List<PoolEntryMessage> pools = List.of(pool(1, "tank"), pool(2, "vat"), pool(3, "well"));

    @BeforeEach
    void pools() {
        answers.put(
                RpcMethod.POOL_LIST,
                r -> PoolListReply.newBuilder().addAllPools(pools).build());
        answers.put(
                RpcMethod.POOL_FIND,
                r -> PoolFindReply.newBuilder()
                        .setEntry(pools.stream()
                                .filter(p -> uuid(p).equals(((PoolRef) r).getPool())
                                        || p.getLabel().equals(((PoolRef) r).getPool()))
                                .findFirst()
                                .orElseThrow(() -> Fault.of(FaultCode.NONEXIST, "pool '%s' does not exist", r)
                                        .asException()))
                        .build());
    }

    private static PoolEntryMessage pool(int n, String label) {
        return PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(new UUID(0, n)))
                .setLabel(label)
                .setState(PoolEntryMessage.State.READY)
                .build();
    }

    private static String uuid(PoolEntryMessage p) {
        return Ids.uuid(p.getPool()).toString();
    }

    @Test
    void shouldStopAndStartTheRebuildOfAPool() {
        List<PoolRebuildRequest> asked = new ArrayList<>();
        answers.put(RpcMethod.POOL_REBUILD, r -> {
            asked.add((PoolRebuildRequest) r);
            return Empty.getDefaultInstance();
        });

        assertEquals(0, dmg("pool", "rebuild", "stop", "tank", "-f"));
        assertEquals(0, dmg("pool", "rebuild", "start", "tank"));

        assertEquals("Pool-rebuild stop request succeeded\nPool-rebuild start request succeeded\n", text(out));
        assertEquals(
                List.of(true, false),
                asked.stream().map(PoolRebuildRequest::getForce).toList());
        assertEquals(uuid(pools.get(0)), asked.get(0).getPool());
        assertEquals(1, dmg("pool", "rebuild", "start", "tank", "-f"));
        assertTrue(text(err).contains("unknown flag `f'"), text(err));
    }

    @Test
    void shouldCountThePoolsWhoseRebuildsWereStopped() {
        answers.put(RpcMethod.POOL_REBUILD, r -> {
            String pool = ((PoolRebuildRequest) r).getPool();
            if (pool.equals(uuid(pools.get(1))))
                throw Fault.of(FaultCode.NONEXIST, "the pool has no rebuild").asException();
            if (pool.equals(uuid(pools.get(2))))
                throw Fault.of(FaultCode.NO_PERM, "no").asException();
            return Empty.getDefaultInstance();
        });

        assertEquals(1, dmg("system", "rebuild", "stop", "-v"));

        assertEquals("""
            System-rebuild stop requested for 3 pools
            - With active or finishing rebuild:  1 pool (tank)
            - Without active rebuild:            1 pool (vat)
            - Errors:                            1 pool (well)
            """, text(out));
        assertTrue(text(err).contains("pool-rebuild stop failed on pool well: no"), text(err));
        out.reset();
        assertEquals(1, dmg("-j", "system", "rebuild", "start"));
        assertTrue(text(out).contains("\"status\": -1005"), text(out));
        assertTrue(text(out).contains("\"operation\": \"start\""), text(out));
    }

    @Test
    void shouldSaySoWhenThereIsNoPoolToStop() {
        answers.put(RpcMethod.POOL_LIST, r -> PoolListReply.getDefaultInstance());

        assertEquals(0, dmg("system", "rebuild", "stop"));

        assertEquals("No pools in system.\nCommand completed successfully.\n", text(out));
    }

    @Test
    void shouldEndTheHandlesOfAMachineInEveryPool() {
        answers.put(RpcMethod.POOL_EVICT, r -> {
            PoolEvictRequest evict = (PoolEvictRequest) r;
            boolean isTank = evict.getPool().equals(uuid(pools.get(0)));
            return PoolEvictReply.newBuilder()
                    .setCount(isTank && evict.getMachine().equals("cn07") ? 3 : 0)
                    .build();
        });

        assertEquals(0, dmg("system", "cleanup", "cn07", "-v"));
        assertEquals("Pool Handles Revoked \n---- --------------- \ntank 3               \n\n", text(out));
        out.reset();
        assertEquals(0, dmg("system", "cleanup", "cn07"));
        assertEquals("System Cleanup Success\n", text(out));
        out.reset();
        assertEquals(0, dmg("system", "cleanup", "cn08"));
        assertEquals("No handles cleaned up\n", text(out));
        assertEquals(1, dmg("system", "cleanup", ""));
        assertTrue(text(err).contains("it names nothing"), text(err));
    }

    @Test
    void shouldNameRanksThatLetAMachineInStill() {
        answers.put(
                RpcMethod.POOL_EVICT,
                r -> PoolEvictReply.newBuilder()
                        .setCount(1)
                        .addUnconfirmedRanks(2)
                        .build());

        assertEquals(1, dmg("-j", "system", "cleanup", "cn07"));

        assertTrue(text(out).contains("ranks [2] have not confirmed"), text(out));
        assertTrue(text(out).contains("\"status\": -1011"), text(out));
    }

    private void nodes(String storage) {
        answers.put(
                RpcMethod.NODE_STATUS,
                r -> NodeStatusReply.newBuilder()
                        .setHost("127.0.0.1:10001")
                        .addEngines(EngineStatusMessage.newBuilder().setStorageState(storage))
                        .build());
    }

    @Test
    void shouldEraseOnlyWithConsent() {
        nodes("READY");
        int[] erased = new int[1];
        answers.put(RpcMethod.SYSTEM_ERASE, r -> {
            erased[0]++;
            nodes("AWAIT_FORMAT");
            return SystemEraseReply.newBuilder()
                    .addNodes("127.0.0.1:10001")
                    .addAbsentNodes("127.0.0.9:10001")
                    .build();
        });

        assertEquals(1, dmg("-j", "system", "erase"));
        assertTrue(text(out).contains("consent not given"), text(out));
        assertEquals(0, erased[0]);
        out.reset();
        assertEquals(0, dmg("system", "erase", "--force"));
        assertEquals(
                "System erased: 127.0.0.1:10001 await format, see dmg storage format\n"
                        + "Not reached, with excluded ranks only: 127.0.0.9:10001"
                        + " (before they serve again: dmg storage format --force)\n",
                text(out));
        out.reset();
        assertEquals(0, dmg("system", "erase"));
        assertEquals("There is no system: all storage awaits its format\n", text(out));
        assertEquals(1, erased[0]);
    }

    private void memberOn(String... addresses) {
        GroupMapMessage.Builder all = GroupMapMessage.newBuilder();
        for (String a : addresses)
            all.addMembers(
                    MemberMessage.newBuilder().setRank(all.getMembersCount()).setAddress(a));
        answers.put(
                RpcMethod.SYSTEM_QUERY,
                r -> SystemQueryReply.newBuilder().setGroupMap(all).build());
    }

    @Test
    void shouldEndTheSystemBeforeItsStorageIsFormattedByForce() {
        nodes("READY");
        List<String> done = new ArrayList<>();
        answers.put(RpcMethod.SYSTEM_ERASE, r -> {
            done.add("erase");
            nodes("AWAIT_FORMAT");
            return SystemEraseReply.newBuilder().addNodes("127.0.0.1:10001").build();
        });
        answers.put(RpcMethod.STORAGE_FORMAT, r -> {
            done.add(((StorageFormatRequest) r).getForce() ? "force" : "format");
            return StorageFormatReply.newBuilder()
                    .addResults(FormatResultMessage.newBuilder().setKind("scm").setOk(true))
                    .build();
        });
        memberOn("127.0.0.1:10001", "127.0.0.9:10001");

        assertEquals(1, dmg("storage", "format", "--force", "-l", "127.0.0.1:10001"));
        assertTrue(text(err).contains("not named, or do not answer: [127.0.0.9:10001]"), text(err));
        assertEquals(List.of(), done);

        memberOn("127.0.0.9:10001");
        assertEquals(0, dmg("storage", "format", "--force", "-l", "127.0.0.1:10001"), () -> text(err));
        assertEquals(List.of("force"), done, "none of its ranks is there");

        memberOn("127.0.0.1:10001");
        assertEquals(0, dmg("storage", "format", "--force", "-l", "127.0.0.1:10001"), () -> text(err));
        assertEquals(0, dmg("storage", "format", "--force", "-l", "127.0.0.1:10001"), () -> text(err));
        assertEquals(List.of("force", "erase", "format", "force"), done);
    }

    @Test
    void shouldTellWhatKeepsASystemFromBeingErased() {
        nodes("READY");
        answers.put(RpcMethod.SYSTEM_ERASE, r -> {
            throw Fault.of(FaultCode.OP_CANCELED, "the system is running: ranks [0] are not stopped")
                    .remedy("run dmg system stop first")
                    .asException();
        });

        assertEquals(1, dmg("system", "erase", "-f"));

        assertTrue(text(err).contains("ranks [0] are not stopped"), text(err));
        assertTrue(text(err).contains("run dmg system stop first"), text(err));
    }

    @Test
    void shouldSayThatAPoolHasTheNewestLayout() {
        answers.put(
                RpcMethod.POOL_UPGRADE,
                r -> PoolUpgradeReply.newBuilder().setLayout(1).setNewest(1).build());

        assertEquals(0, dmg("pool", "upgrade", "tank"));

        assertEquals("Pool-upgrade command succeeded\nPool layout: 1, the newest is 1\n", text(out));
        answers.put(RpcMethod.POOL_UPGRADE, r -> {
            throw Fault.of(FaultCode.DF_INCOMPT, "the pool has layout 2, this release knows 1 at most")
                    .asException();
        });
        assertEquals(1, dmg("pool", "upgrade", "tank"));
        assertTrue(text(err).contains("DER_DF_INCOMPT(-2023)"), text(err));
    }

    @Test
    void shouldHaveThePolicyLookedAtAgain() {
        answers.put(RpcMethod.SELF_HEAL_EVAL, r -> Empty.getDefaultInstance());

        assertEquals(0, dmg("system", "self-heal", "eval"));

        assertEquals("System self-heal eval request succeeded\n", text(out));
        assertEquals(0, dmg("-j", "system", "self-heal", "eval"));
    }
}
