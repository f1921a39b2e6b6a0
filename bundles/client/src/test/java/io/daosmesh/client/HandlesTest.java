package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.value.Outcome;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.RpcMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.Mono;

@Timeout(60)
class HandlesTest {
    private static final byte[] VALUE = {1, 2};

    private final FakeCluster cluster = new FakeCluster(1);
    private final List<String> told = Collections.synchronizedList(new ArrayList<>());
    private final HandleListener listener = new HandleListener() {
        @Override
        public void onConnected(UUID pool, byte[] handle) {
            told.add("connected " + HexFormat.of().formatHex(handle));
        }

        @Override
        public void onDisconnected(UUID pool, byte[] handle) {
            told.add("disconnected " + HexFormat.of().formatHex(handle));
        }
    };

    private DaosClient connect() {
        return Blocking.get(DaosClient.connect(cluster.config().withHandles(listener)));
    }

    private static FaultCode codeOf(Mono<?> call) {
        return assertThrows(FaultException.class, () -> Blocking.find(call)).code();
    }

    private int served(RpcMethod method) {
        return cluster.served.getOrDefault(method, 0);
    }

    @Test
    void shouldGiveEverythingBackOnceHoweverOftenItIsClosed() {
        DaosClient client = connect();
        Pool pool = Blocking.get(client.connectPool("tank"));
        Container first = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
        Blocking.get(pool.openContainerToRead("c1"));
        assertEquals(1, cluster.connectedPools());
        assertEquals(2, cluster.openContainers());

        Blocking.run(first.close());
        Blocking.run(first.close());
        assertEquals(1, cluster.openContainers());
        Blocking.run(pool.close());
        Blocking.run(pool.close());
        Blocking.run(first.close());
        Blocking.run(client.close());

        assertEquals(0, cluster.connectedPools());
        assertEquals(0, cluster.openContainers());
        assertEquals(1, served(RpcMethod.CONTAINER_CLOSE));
        assertEquals(1, served(RpcMethod.POOL_DISCONNECT));
        assertEquals(2, told.size());
        assertEquals(told.get(0).substring("connected".length()), told.get(1).substring("disconnected".length()));
    }

    @Test
    void shouldPayThreeRequestsForOpeningAndOneForClosing() {
        DaosClient maker = connect();
        Container made = Blocking.get(Blocking.get(maker.connectPool("tank")).createContainer(ContainerSpec.of("c1")));
        Blocking.run(Blocking.get(made.keyValueRoot()).put("k", VALUE));
        Blocking.run(maker.close());
        cluster.serviceLeader = 0;
        cluster.served.clear();

        DaosClient client = connect();
        Container container = Blocking.get(
                Blocking.get(client.connectPool("tank", OpenMode.READ_ONLY)).openContainerToRead("c1"));
        assertArrayEquals(
                VALUE,
                Blocking.get(Blocking.get(container.existingKeyValueRoot()).get("k")));
        Blocking.run(client.close());

        assertEquals(
                java.util.Map.of(
                        RpcMethod.GROUP_MAP, 1,
                        RpcMethod.POOL_FIND, 1,
                        RpcMethod.POOL_CONNECT, 1,
                        RpcMethod.CONTAINER_OPEN, 1,
                        RpcMethod.OBJECT_FETCH, 2,
                        RpcMethod.POOL_DISCONNECT, 1),
                cluster.served);
    }

    @Test
    void shouldRefuseByItselfWhatIsClosed() {
        Pool pool = Blocking.get(connect().connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
        KeyValue kv = Blocking.get(container.createKeyValue());
        Container second = Blocking.get(pool.openContainer("c1"));
        Blocking.run(container.close());
        cluster.served.clear();

        assertEquals(FaultCode.NO_HDL, codeOf(kv.put("k", VALUE)));
        assertEquals(FaultCode.NO_HDL, codeOf(kv.get("k")));
        assertEquals(0, served(RpcMethod.OBJECT_UPDATE) + served(RpcMethod.OBJECT_CHANGE));
        Blocking.get(second.createKeyValue());
        Blocking.run(pool.close());

        assertEquals(FaultCode.NO_HDL, codeOf(second.catalogue().get("k")));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.query()));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.listContainers()));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.openContainer("c1")));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.createContainer(ContainerSpec.of("c2"))));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.destroyContainer("c1", false)));
        assertEquals(0, served(RpcMethod.POOL_QUERY) + served(RpcMethod.CONTAINER_LIST));
    }

    @Test
    void shouldTellTheCallerAtOnceThatAnAdministratorHasEvictedIt() {
        Pool pool = Blocking.get(connect().connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
        KeyValue kv = Blocking.get(container.createKeyValue());
        Blocking.run(kv.put("k", VALUE));
        cluster.evict();
        cluster.served.clear();

        Fault change = assertThrows(FaultException.class, () -> Blocking.run(kv.put("k", VALUE)))
                .fault();

        assertEquals(FaultCode.NO_HDL, change.code());
        assertEquals(Outcome.NOT_DONE, Outcome.of(change));
        assertEquals(FaultCode.NO_HDL, codeOf(kv.get("k")));
        assertEquals(FaultCode.NO_HDL, codeOf(pool.listContainers()));
        assertEquals(1, served(RpcMethod.OBJECT_FETCH), "nothing was tried again");
        Blocking.run(pool.close());
        assertEquals(2, told.size(), "the agent need not end it any more");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldHoldOneHandleHoweverManyAnswersAreLost(long seed) {
        FakeCluster lossy = new FakeCluster(seed);
        lossy.loseMessages(0.3);
        DaosClient client = Blocking.get(DaosClient.connect(lossy.config()));
        Pool pool = Blocking.get(client.connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));

        assertEquals(1, lossy.connectedPools());
        assertEquals(1, lossy.openContainers());
        Blocking.run(container.close());
        assertEquals(0, lossy.openContainers());
        Blocking.run(pool.close());
        assertEquals(0, lossy.connectedPools());
    }

    @Test
    void shouldStayUsableWhenAnotherLeads() {
        Pool pool = Blocking.get(connect().connectPool("tank"));
        Container container = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
        cluster.kill(2);
        cluster.exclude(2);
        cluster.serviceLeader = 0;

        Blocking.run(Blocking.get(container.createKeyValue()).put("k", VALUE));
        Blocking.get(pool.openContainer("c1"));
        Blocking.run(pool.close());

        assertEquals(0, cluster.connectedPools());
    }

    @Test
    void shouldEndInTimeWhenThePoolServiceIsDead() {
        DaosClient client = connect();
        Pool pool = Blocking.get(client.connectPool("tank"));
        for (int rank = 0; rank < 3; rank++) cluster.kill(rank);
        long begunNs = System.nanoTime();

        Blocking.run(client.close());

        long tookMs = (System.nanoTime() - begunNs) / 1_000_000;
        assertTrue(tookMs < 3000, tookMs + " ms");
        assertEquals(1, told.size());
        for (int rank = 0; rank < 3; rank++) cluster.revive(rank);
        Blocking.run(pool.close());
        assertEquals(0, cluster.connectedPools());
        assertEquals(2, told.size());
    }

    @Test
    void shouldTellSoonThatAPoolIsTaken() {
        DaosClient client = connect();
        Pool own = Blocking.get(client.connectPool("tank", OpenMode.EXCLUSIVE));
        long begunNs = System.nanoTime();

        assertEquals(FaultCode.BUSY, codeOf(client.connectPool("tank")));

        assertTrue(System.nanoTime() - begunNs < Duration.ofSeconds(5).toNanos());
        Blocking.run(own.close());
        Blocking.get(client.connectPool("tank"));
        assertEquals(FaultCode.BUSY, codeOf(client.connectPool("tank", OpenMode.EXCLUSIVE)));
    }

    @Test
    void shouldNotGiveMoreThanThePoolWasConnectedFor() {
        DaosClient client = connect();
        Pool pool = Blocking.get(client.connectPool("tank"));
        Blocking.get(pool.makeContainer(ContainerSpec.of("c1")));
        Pool toRead = Blocking.get(client.connectPool("tank", OpenMode.READ_ONLY));

        assertEquals(FaultCode.NO_PERM, codeOf(toRead.openContainer("c1")));
        Container container = Blocking.get(toRead.openContainerToRead("c1"));
        assertEquals(FaultCode.NO_PERM, codeOf(container.catalogue().put("k", VALUE)));
    }

    @Test
    void shouldConnectThoughTheListenerFails() {
        HandleListener broken = new HandleListener() {
            @Override
            public void onConnected(UUID pool, byte[] handle) {
                throw new IllegalStateException("no agent");
            }

            @Override
            public void onDisconnected(UUID pool, byte[] handle) {
                throw new IllegalStateException("no agent");
            }
        };
        DaosClient client = Blocking.get(DaosClient.connect(cluster.config().withHandles(broken)));

        Blocking.run(Blocking.get(client.connectPool("tank")).close());

        assertEquals(0, cluster.connectedPools());
    }
}
