package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AttributesRequest;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolRef;
import io.daosmesh.model.wire.PoolTargetMessage;
import io.daosmesh.model.wire.PoolTargetsReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.model.wire.PropertiesReply;
import java.io.IOException;
import java.nio.file.Files;
import java.util.TreeMap;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What dmg does to a system as a whole: attributes, ranks in all pools, telemetry. */
@Timeout(20)
class DmgOperationsTest extends FakeDmg {
    @Test
    void shouldKeepAttributesOfTheSystem() {
        TreeMap<String, String> kept = new TreeMap<>();
        answers.put(RpcMethod.SYSTEM_ATTRIBUTES, r -> {
            AttributesRequest a = (AttributesRequest) r;
            kept.putAll(a.getSetMap());
            a.getRemoveList().forEach(kept::remove);
            return PropertiesReply.newBuilder().putAllValues(kept).build();
        });

        assertEquals(0, dmg("system", "get-attr"));
        assertEquals("No system attributes found.\n", text(out));
        assertEquals(0, dmg("system", "set-attr", "site:north,contact:ops"));
        assertEquals(0, dmg("system", "del-attr", "contact"));
        assertEquals(1, dmg("system", "get-attr", "contact"));
        out.reset();
        assertEquals(0, dmg("system", "get-attr"));

        assertEquals("Name Value \n---- ----- \nsite north \n", text(out));
    }

    @Test
    void shouldDrainARankFromEveryPoolThatHasIt() {
        answers.put(RpcMethod.SYSTEM_QUERY, r -> members());
        PoolEntryMessage tank = pool(1, "tank");
        PoolEntryMessage vat = pool(2, "vat");
        answers.put(
                RpcMethod.POOL_LIST,
                r -> PoolListReply.newBuilder().addPools(tank).addPools(vat).build());
        answers.put(RpcMethod.POOL_FIND, r -> {
            boolean isTank =
                    ((PoolRef) r).getPool().equals(Ids.uuid(tank.getPool()).toString());
            return PoolFindReply.newBuilder().setEntry(isTank ? tank : vat).build();
        });
        answers.put(
                RpcMethod.POOL_QUERY,
                r -> PoolQueryReply.newBuilder()
                        .setMap(PoolMapMessage.newBuilder()
                                .setPool(tank.getPool())
                                .setVersion(1)
                                .addTargets(PoolTargetMessage.newBuilder()
                                        .setRank(1)
                                        .setFaultDomain("/a")
                                        .setState(PoolTargetMessage.State.UPIN)))
                        .build());
        answers.put(RpcMethod.POOL_TARGETS, r -> {
            if (((PoolTargetsRequest) r)
                    .getPool()
                    .equals(Ids.uuid(vat.getPool()).toString()))
                throw Fault.of(FaultCode.BUSY, "the pool is being extended").asException();
            return PoolTargetsReply.getDefaultInstance();
        });

        assertEquals(1, dmg("system", "drain", "--ranks", "0-1"));

        assertEquals(
                "Pool Ranks Result Reason                     \n"
                        + "---- ----- ------ ------                     \n"
                        + "tank 1     OK     -                          \n"
                        + "vat  1     FAIL   the pool is being extended \n\n",
                text(out));
        assertTrue(text(err).contains("drain failed on 1 of 2 pools: vat"), text(err));
        assertEquals(1, dmg("system", "reintegrate", "--ranks", "0"));
        assertTrue(text(err).contains("no pool-ranks found to operate on with request params"), text(err));
        assertEquals(1, dmg("system", "drain"));
        assertTrue(text(err).contains("no ranks or hosts specified"), text(err));
    }

    private static PoolEntryMessage pool(int n, String label) {
        return PoolEntryMessage.newBuilder()
                .setPool(Ids.bytes(new UUID(0, n)))
                .setLabel(label)
                .setState(PoolEntryMessage.State.READY)
                .build();
    }

    @Test
    void shouldAnswerInJsonAlsoWhenItStandsBehindWrongUsage() {
        assertEquals(1, dmg("system", "query", "--nonsense", "two", "-j"));

        assertTrue(text(out).startsWith("{") && text(out).contains("unknown flag `nonsense'"), text(out));
    }

    @Test
    void shouldWriteTheConfigurationThatPrometheusScrapesWith() throws IOException {
        answers.put(
                RpcMethod.NODE_STATUS,
                r -> NodeStatusReply.newBuilder().setTelemetryPort(9191).build());
        Files.writeString(folder.resolve(".prometheus.yml"), "global: {}\n");

        assertEquals(0, dmg("-l", "127.0.0.1:10001,127.0.0.2:10001", "telemetry", "config"));

        assertEquals("""
                # Written by dmg telemetry config.
                scrape_configs:
                - job_name: daos
                  scrape_interval: 5s
                  static_configs:
                  - targets:
                    - 127.0.0.1:9191
                    - 127.0.0.2:9191
                """, Files.readString(folder.resolve(".prometheus.yml")));
        assertEquals("global: {}\n", Files.readString(folder.resolve(".prometheus.yml.bak")));
        assertEquals(1, dmg("telemetry", "config", "-i", folder.toString()));
        assertTrue(text(err).contains("there is no program prometheus in " + folder), text(err));
    }

    @Test
    void shouldNameNodesWithoutTelemetry() {
        answers.put(RpcMethod.NODE_STATUS, r -> NodeStatusReply.getDefaultInstance());

        assertEquals(1, dmg("telemetry", "config"));

        assertTrue(text(err).contains("telemetry is off"), text(err));
        assertFalse(Files.exists(folder.resolve(".prometheus.yml")));
    }
}
