package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.client.value.ClientStats;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A node that takes requests and answers none, before anybody has put it out of the map. */
@Timeout(120)
class SilentLeaderTest {
    private static final int KEYS = 60;
    /** So many that every rank leads some. */
    private static final int STORES = 12;

    /** Longer than any of these tests may take: an answer that comes at all came without it. */
    private static final Duration NEVER = Duration.ofSeconds(110);

    private final FakeCluster cluster = new FakeCluster(1);
    private final DaosClient client =
            Blocking.get(DaosClient.connect(cluster.config().withLimits(NEVER, NEVER)));

    private final List<KeyValue> stores = new ArrayList<>();

    private void store(String objectClass) {
        Pool pool = Blocking.get(client.connectPool("tank"));
        Container c = Blocking.get(pool.createContainer(ContainerSpec.of("c").withClass(objectClass)));
        for (int i = 0; i < STORES; i++) stores.add(Blocking.get(c.createKeyValue()));
        for (int i = 0; i < KEYS; i++) Blocking.run(of(i).put("k" + i, new byte[] {(byte) i}));
    }

    private KeyValue of(int key) {
        return stores.get(key % STORES);
    }

    private void readAll() {
        for (int i = 0; i < KEYS; i++) assertArrayEquals(new byte[] {(byte) i}, Blocking.get(of(i).get("k" + i)));
    }

    @Test
    void shouldReadFromAnotherReplicaWhileALeaderIsSilent() {
        store("RP_3GX");
        cluster.frozen.add(1);

        for (int round = 0; round < 3; round++) readAll();

        ClientStats stats = client.stats();
        assertTrue(cluster.engine.readsOfAny >= KEYS / 4, "reads of others: " + cluster.engine.readsOfAny);
        assertTrue(stats.hedges() >= 3 && stats.hedges() <= 20, "only until it is known: " + stats);
        assertTrue(stats.hedgesWon() >= 3, stats.toString());
        assertEquals(0, stats.failures());
    }

    @Test
    void shouldReadFromTheLeaderAgainWhenItAnswers() {
        store("RP_3GX");
        cluster.frozen.add(1);
        readAll();

        cluster.frozen.clear();

        long end = System.nanoTime() + 60_000_000_000L;
        int before;
        do {
            assertTrue(System.nanoTime() < end, "in time");
            before = cluster.engine.readsOfAny;
            readAll();
        } while (cluster.engine.readsOfAny > before);
    }

    @Test
    void shouldSendNobodyElseWhatIsAnsweredInTime() {
        store("RP_3GX");

        readAll();

        assertEquals(0, cluster.engine.readsOfAny);
        assertEquals(0, client.stats().hedges());
    }

    @Test
    void shouldTellThePoolServiceWhoDoesNotAnswer() {
        store("RP_2GX");
        cluster.frozen.add(1);
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < KEYS; i++)
            writes.add(of(i).put("k" + i, new byte[] {(byte) -i}).toFuture());

        long end = System.nanoTime() + 60_000_000_000L;
        while (cluster.reportedSilent.isEmpty()) assertTrue(System.nanoTime() < end, "in time");

        assertEquals(Set.of(1), cluster.reportedSilent);
        cluster.exclude(1);
        writes.forEach(CompletableFuture::join);
    }

    /** Neither can be hedged; both find out for themselves that another one leads. */
    @Test
    void shouldGoOnAtTheNewLeaderWithoutWaitingForTheOldOne() {
        store("RP_2GX");
        int before = cluster.engine.applied;
        cluster.frozen.add(1);
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < KEYS; i++)
            writes.add(of(i).put("k" + i, new byte[] {(byte) -i}).toFuture());
        List<CompletableFuture<List<byte[]>>> keys =
                stores.stream().map(kv -> kv.list().collectList().toFuture()).toList();

        cluster.exclude(1);

        writes.forEach(CompletableFuture::join);
        assertEquals(KEYS, keys.stream().mapToInt(k -> k.join().size()).sum());
        assertEquals(KEYS, cluster.engine.applied - before, "each once");
        for (int i = 0; i < KEYS; i++) assertArrayEquals(new byte[] {(byte) -i}, Blocking.get(of(i).get("k" + i)));
    }

    /** The first one in the configuration leads the pool's service, too; nothing that others know is awaited of it. */
    @Test
    void shouldLearnFromOthersWhatASilentServerKnows() {
        store("RP_2GX");
        cluster.serviceLeader = 0;
        Blocking.get(of(0).get("k0"));
        cluster.isSilenceEndless = true;
        cluster.frozen.add(0);
        List<CompletableFuture<Void>> writes = new ArrayList<>();
        for (int i = 0; i < KEYS; i++)
            writes.add(of(i).put("k" + i, new byte[] {(byte) -i}).toFuture());

        cluster.serviceLeader = 1;
        cluster.exclude(0);

        writes.forEach(CompletableFuture::join);
        Blocking.get(DaosClient.connect(cluster.config().withLimits(NEVER, NEVER)));
    }

    @Test
    void shouldBelieveAServerThatKnowsWhileAnotherIsSilent() {
        Blocking.get(client.connectPool("tank"));
        cluster.isSilenceEndless = true;
        cluster.frozen.add(0);
        DaosClient late = Blocking.get(DaosClient.connect(cluster.config().withLimits(NEVER, NEVER)));
        cluster.frozen.clear();
        cluster.frozen.add(1); // it has answered last

        FaultException e = assertThrows(FaultException.class, () -> Blocking.get(late.connectPool("nosuch")));

        assertEquals(FaultCode.NONEXIST, e.code());
    }
}
