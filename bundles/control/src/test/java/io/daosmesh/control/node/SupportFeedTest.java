package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.model.wire.SupportPart;
import io.daosmesh.model.wire.SupportRequest;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import reactor.core.Disposable;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/** What a node hands out. */
@Timeout(60)
class SupportFeedTest {
    private static final Duration WAIT_MAX = Duration.ofSeconds(20);
    private static final NodeConfig CONFIG = new NodeConfig(
            "daos_server",
            "127.0.0.1:10001",
            "127.0.0.1",
            10001,
            List.of("127.0.0.1:10001"),
            "/node1",
            0,
            Path.of("/nowhere"),
            new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
            List.of());

    @TempDir
    Path folder;

    private final Scheduler scheduler = Schedulers.newBoundedElastic(2, 16, "test");
    private SupportFeed feed;

    @BeforeEach
    void layOut() throws IOException {
        Path log = Files.createDirectories(folder.resolve("log"));
        Files.writeString(log.resolve("node.log"), "line");
        Files.writeString(log.resolve("server.key"), "key");
        Path config = Files.writeString(folder.resolve("daos_server.yml"), "port: 1\npassword: hunter2\n");
        System.setProperty("karaf.log", log.toString());
        System.setProperty("daosmesh.node.dir", folder.toString());
        System.setProperty("daosmesh.server.config", config.toString());
        BundleContext context = (BundleContext) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (p, m, a) -> new Bundle[0]);
        Devices devices = new Devices(new Engines(), driver -> driver);
        feed = new SupportFeed(CONFIG, devices, context, Optional::empty, scheduler);
    }

    @AfterEach
    void stop() {
        for (String key : List.of("karaf.log", "daosmesh.node.dir", "daosmesh.server.config"))
            System.clearProperty(key);
        scheduler.dispose();
    }

    private Map<String, String> collect(String extra) {
        SupportRequest request =
                SupportRequest.newBuilder().setExtraFolder(extra).build();
        return feed
                .parts(request, NodeStatusReply::getDefaultInstance)
                .map(m -> (SupportPart) m.body())
                .collectList()
                .block(WAIT_MAX)
                .stream()
                .collect(Collectors.toMap(SupportPart::getName, p -> p.getData().toStringUtf8(), String::concat));
    }

    @Test
    void shouldHandOutLogsConfigurationAndStatesButNoSecrets() {
        Map<String, String> files = collect("");

        assertEquals("line", files.get("log/node.log"));
        assertFalse(files.containsKey("log/server.key"));
        assertEquals("port: 1\npassword: (hidden)\n", files.get("config/daos_server.yml"));
        assertTrue(files.get("state/threads.txt").contains("SupportFeed"), files.get("state/threads.txt"));
        assertTrue(files.get("version.txt").contains("java "), files.toString());
        assertEquals("management is absent\n", files.get("state/members.txt"));
    }

    @Test
    void shouldReadNoFoldersButThoseOfLogs() {
        assertEquals("line", collect(folder.resolve("log").toString()).get("extra/node.log"));
        for (String other : List.of(folder.toString(), "/etc", "/var/log/../../etc", "log")) {
            assertThrows(FaultException.class, () -> collect(other), other);
        }
    }

    @Test
    void shouldServeTwoAtATimeAndAnotherWhenOneHasGone() {
        Slow first = new Slow();
        Slow second = new Slow();
        SupportRequest request = SupportRequest.getDefaultInstance();
        feed.parts(request, NodeStatusReply::getDefaultInstance).subscribe(first);
        feed.parts(request, NodeStatusReply::getDefaultInstance).subscribe(second);
        first.awaitOne();
        second.awaitOne();

        FaultException busy = assertThrows(FaultException.class, () -> collect(""));
        assertEquals(FaultCode.BUSY, busy.code());

        ((Disposable) first).dispose();
        assertEquals("line", collectWhenFree().get("log/node.log"));
        second.dispose();
    }

    /** A cancel is carried out on another thread. */
    private Map<String, String> collectWhenFree() {
        long end = System.nanoTime() + WAIT_MAX.toNanos();
        while (true) {
            try {
                return collect("");
            } catch (FaultException e) {
                assertTrue(System.nanoTime() < end && e.code() == FaultCode.BUSY, e.toString());
                Thread.onSpinWait();
            }
        }
    }

    /** Takes one part and asks for no more. */
    private static final class Slow extends BaseSubscriber<RpcMessage> {
        private final java.util.concurrent.CountDownLatch one = new java.util.concurrent.CountDownLatch(1);

        @Override
        protected void hookOnSubscribe(org.reactivestreams.Subscription subscription) {
            request(1);
        }

        @Override
        protected void hookOnNext(RpcMessage value) {
            one.countDown();
        }

        void awaitOne() {
            try {
                assertTrue(one.await(WAIT_MAX.toSeconds(), java.util.concurrent.TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
