package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.value.Condition;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class RetryTest {
    private final FakeCluster cluster = new FakeCluster(1);

    private static Container container(DaosClient client) {
        Pool pool = Blocking.get(client.connectPool("tank"));
        return Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
    }

    private DaosClient connect() {
        return Blocking.get(DaosClient.connect(cluster.config()));
    }

    @Test
    void shouldFollowTheHintWhenAskingAFollower() {
        DaosClient client = connect();

        Container made = container(client);

        assertEquals("c1", made.info().label());
        assertEquals("RP_3GX", made.info().objectClass());
        assertTrue(client.stats().retries() >= 1);
    }

    @Test
    void shouldRefreshTheMapWhenItIsStale() {
        DaosClient client = connect();
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        Blocking.run(kv.put("before", new byte[] {1}));

        cluster.exclude(1);
        Blocking.run(kv.put("after", new byte[] {2}));

        assertArrayEquals(new byte[] {1}, Blocking.get(kv.get("before")));
        assertTrue(client.stats().staleMaps() >= 1);
        assertEquals(0, client.stats().failures());
    }

    @Test
    void shouldReachTheNewLeaderWhenTheOldOneDies() {
        DaosClient client = connect();
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        for (int i = 0; i < 20; i++) Blocking.run(kv.put("k" + i, new byte[] {(byte) i}));

        cluster.kill(1);
        cluster.exclude(1);

        for (int i = 0; i < 20; i++) assertArrayEquals(new byte[] {(byte) i}, Blocking.get(kv.get("k" + i)));
        assertEquals(0, client.stats().failures());
    }

    @ParameterizedTest
    @Tag("slow")
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldNeitherLoseNorRepeatWhenMessagesAreLost(long seed) {
        FakeCluster lossy = new FakeCluster(seed);
        DaosClient client = Blocking.get(DaosClient.connect(lossy.config()));
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        Random random = new Random(seed);
        TreeMap<String, byte[]> expected = new TreeMap<>();
        int before = lossy.engine.applied;

        lossy.loseMessages(0.2);
        int operations = 90;
        int refused = 0;
        for (int i = 0; i < operations; i++) {
            if (i == 30) lossy.exclude(2);
            if (i == 60) lossy.reintegrate(2);
            String key = "k" + random.nextInt(15);
            byte[] value = {(byte) i, (byte) random.nextInt()};
            switch (random.nextInt(3)) {
                case 0 -> {
                    Blocking.run(kv.put(key, value));
                    expected.put(key, value);
                }
                case 1 -> {
                    // A resend of an insert that was carried out must not be told that its own key is there.
                    boolean isThere = expected.containsKey(key);
                    Optional<FaultCode> code = attempt(() -> Blocking.run(kv.insert(key, value)));
                    assertEquals(isThere ? Optional.of(FaultCode.EXIST) : Optional.empty(), code);
                    expected.putIfAbsent(key, value);
                    if (isThere) refused++;
                }
                default -> {
                    Blocking.run(kv.remove(key));
                    expected.remove(key);
                }
            }
        }

        assertEquals(operations - refused, lossy.engine.applied - before);
        lossy.loseMessages(0);
        List<String> keys = new Blocking.KeyValues(kv).list().stream().sorted().toList();
        assertEquals(List.copyOf(expected.keySet()), keys);
        expected.forEach((key, value) -> assertArrayEquals(value, Blocking.get(kv.get(key))));
        assertTrue(client.stats().retries() > 10);
    }

    private static Optional<FaultCode> attempt(Runnable call) {
        try {
            call.run();
            return Optional.empty();
        } catch (FaultException e) {
            return Optional.of(e.code());
        }
    }

    @Test
    void shouldReadAnotherReplicaWhenBytesAreDamaged() {
        DaosClient client = connect();
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        Blocking.run(kv.put("k", new byte[] {7}));

        cluster.engine.damageNext = 2;

        assertArrayEquals(new byte[] {7}, Blocking.get(kv.get("k")));
        assertEquals(2, client.stats().checksumFailures());
        assertEquals(0, client.stats().mediaErrors());
    }

    @Test
    void shouldReadAnotherReplicaWhenADeviceFailsAndNotCallThatDamage() {
        DaosClient client = connect();
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        Blocking.run(kv.put("k", new byte[] {7}));

        cluster.engine.deviceErrors = 2;

        assertArrayEquals(new byte[] {7}, Blocking.get(kv.get("k")));
        assertEquals(2, client.stats().mediaErrors());
        assertEquals(0, client.stats().checksumFailures());
    }

    @Test
    void shouldFailWithCsumWhenEveryCopyIsDamaged() {
        DaosClient client = connect();
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        Blocking.run(kv.put("k", new byte[] {7}));

        cluster.engine.damageAll = true;

        FaultException fault = assertThrows(FaultException.class, () -> Blocking.get(kv.get("k")));
        assertEquals(FaultCode.CSUM, fault.code());
        assertEquals(1, client.stats().failures());
    }

    @Test
    void shouldGiveUpWhenTimeIsOver() {
        ClientConfig hasty = cluster.config().withLimits(Duration.ofMillis(300), Duration.ofMillis(100));
        DaosClient client = Blocking.get(DaosClient.connect(hasty));
        KeyValue kv = Blocking.get(container(client).createKeyValue());
        for (int rank = 0; rank < 3; rank++) cluster.kill(rank);

        FaultException fault = assertThrows(FaultException.class, () -> Blocking.run(kv.put("k", new byte[1])));

        assertEquals(FaultCode.UNREACH, fault.code());
        assertTrue(fault.fault().argument("tries").isPresent());
    }

    @Test
    void shouldNotRetryWhatIsRefusedForGood() {
        DaosClient client = connect();
        Container made = container(client);
        int sent = cluster.served.values().stream().mapToInt(i -> i).sum();

        FaultException fault = assertThrows(
                FaultException.class,
                () -> Blocking.run(
                        Blocking.get(made.createKeyValue()).put(new byte[5000], new byte[1], Condition.NONE)));

        assertEquals(FaultCode.KEY2BIG, fault.code());
        assertEquals(sent + 1, cluster.served.values().stream().mapToInt(i -> i).sum());
        assertEquals(1, cluster.served.get(RpcMethod.OID_RANGE));
    }

    @Test
    void shouldRefuseAClassThePoolCannotHold() {
        cluster.map = new PoolMap(
                cluster.map.pool(),
                1,
                cluster.map.targets().stream().filter(t -> t.rank() == 0).toList());
        Pool pool = Blocking.get(connect().connectPool("tank"));

        FaultException fault = assertThrows(
                FaultException.class,
                () -> Blocking.get(pool.createContainer(ContainerSpec.of("c").withClass("RP_2GX"))));

        assertEquals(FaultCode.INVAL, fault.code());
        assertEquals(
                "SX",
                Blocking.get(pool.createContainer(ContainerSpec.of("d"))).info().objectClass());
    }

    @Test
    void shouldMakeObjectsWithTheCopiesThatTheRedundancyFactorAsksFor() {
        Pool pool = Blocking.get(connect().connectPool("tank"));
        cluster.exclude(2);
        cluster.map = cluster.map.afterRebuild();
        Pool degraded = Blocking.get(connect().connectPool("tank"));

        Container tolerant =
                Blocking.get(pool.createContainer(ContainerSpec.of("t").withClass("RP_3GX")));
        KeyValue kv = Blocking.get(Blocking.get(degraded.openContainer("t")).createKeyValue());
        Blocking.run(kv.put("k", new byte[] {1}));
        assertArrayEquals(new byte[] {1}, Blocking.get(kv.get("k")));
        assertEquals(2, tolerant.info().redundancyFactor());

        ContainerSpec strict = new ContainerSpec("s", "", "RP_3GX", java.util.Map.of("rd_fac", "0"));
        FaultException fault = assertThrows(
                FaultException.class,
                () -> Blocking.get(
                        Blocking.get(degraded.createContainer(strict)).createKeyValue()));
        assertEquals(FaultCode.RF, fault.code());
    }

    @Test
    void shouldMakeSingleCopiesWhereSomebodyServes() {
        Pool pool = Blocking.get(connect().connectPool("tank"));
        Container c = Blocking.get(pool.createContainer(ContainerSpec.of("s").withClass("SX")));
        cluster.exclude(2);
        cluster.map = cluster.map.afterRebuild();
        Container degraded =
                Blocking.get(Blocking.get(connect().connectPool("tank")).openContainer("s"));

        for (int i = 0; i < 50; i++)
            Blocking.run(Blocking.get(degraded.createKeyValue()).put("k" + i, new byte[1]));
        assertEquals(0, c.info().redundancyFactor());
    }

    @Test
    void shouldSayUnavailableAtOnceWhenEveryHolderIsOut() {
        Container c = Blocking.get(Blocking.get(connect().connectPool("tank"))
                .createContainer(ContainerSpec.of("s").withClass("S1")));
        List<KeyValue> all = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            all.add(Blocking.get(c.createKeyValue()));
            Blocking.run(all.get(i).put("k", new byte[] {(byte) i}));
        }
        cluster.kill(1);
        cluster.exclude(1);
        cluster.map = cluster.map.afterRebuild();

        int unavailable = 0;
        for (int i = 0; i < 30; i++) {
            KeyValue kv = all.get(i);
            long start = System.nanoTime();
            Optional<FaultCode> code = attempt(() -> Blocking.get(kv.get("k")));
            if (code.isEmpty()) continue;
            assertEquals(FaultCode.DATA_LOSS, code.get());
            assertTrue(System.nanoTime() - start < 20_000_000_000L, "long before the operation's limit");
            assertEquals(Optional.of(FaultCode.DATA_LOSS), attempt(() -> Blocking.run(kv.put("k", new byte[1]))));
            unavailable++;
        }
        assertTrue(unavailable > 0 && unavailable < 30, "some of them: " + unavailable);
    }
}
