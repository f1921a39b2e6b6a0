package io.daosmesh.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** Which threads an answer crosses on its way to the application. */
@Timeout(60)
class ThreadsTest {
    private final Scheduler network = Schedulers.newSingle("net");
    private final FakeCluster cluster = new FakeCluster(1);

    @AfterEach
    void close() {
        network.dispose();
    }

    private KeyValue store() {
        DaosClient client = Blocking.get(DaosClient.connect(cluster.config()));
        Pool pool = Blocking.get(client.connectPool("tank"));
        Container c = Blocking.get(pool.createContainer(ContainerSpec.of("c1")));
        KeyValue kv = Blocking.get(c.createKeyValue());
        Blocking.run(kv.put("short", new byte[64 << 10]));
        Blocking.run(kv.put("long", new byte[(64 << 10) + 1]));
        cluster.network = network;
        return kv;
    }

    private static String threadOf(KeyValue kv, String key) {
        return Blocking.get(kv.get(key).map(bytes -> Thread.currentThread().getName()));
    }

    @Test
    void shouldGiveAShortValueOnTheThreadThatReceivedIt() {
        assertTrue(threadOf(store(), "short").startsWith("net-"));
    }

    @Test
    void shouldNotCheckALongValueOnTheThreadThatReceivesTheOthers() {
        assertEquals("parallel", threadOf(store(), "long").replaceAll("-.*", ""));
    }
}
