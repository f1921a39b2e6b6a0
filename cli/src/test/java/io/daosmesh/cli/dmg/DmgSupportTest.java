package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.SupportPart;
import io.daosmesh.model.wire.SupportRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Sinks;

/** dmg support collect-log. */
@Timeout(60)
class DmgSupportTest extends FakeDmg {
    private static SupportPart part(String name, boolean first, String text) {
        return SupportPart.newBuilder()
                .setName(name)
                .setIsFirst(first)
                .setData(ByteString.copyFromUtf8(text))
                .build();
    }

    private void answer(SupportPart... parts) {
        streams.put(RpcMethod.COLLECT_LOG, q -> Flux.fromArray(parts));
    }

    @Test
    void shouldWriteWhatEachHostSends() throws IOException {
        answer(part("log/a.log", true, "one "), part("log/a.log", false, "two"), part("state/node.txt", true, "s"));
        Path target = folder.resolve("out");

        assertEquals(0, dmg("support", "collect-log", "-t", target.toString()), () -> text(err));

        assertEquals("one two", Files.readString(target.resolve("127.0.0.1_10002/log/a.log")));
        assertTrue(text(out).contains("Collected in " + target), text(out));
        assertEquals(1, dmg("supp", "collect-log", "-t", target.toString()));
        assertTrue(text(err).contains("DER_EXIST"), text(err));
    }

    @Test
    void shouldWriteAnArchiveAndPassTheExtraFolder() throws IOException {
        streams.put(
                RpcMethod.COLLECT_LOG,
                q -> Flux.just(part("extra", true, ((SupportRequest) q).getExtraFolder()), part("b", true, "B")));
        Path target = folder.resolve("out");

        assertEquals(0, dmg("support", "collect-log", "-z", "-e", "/var/log/x", "-l", "st1", "-t", target.toString()));

        try (ZipFile zip = new ZipFile(folder.resolve("out.zip").toFile())) {
            assertEquals(
                    "/var/log/x",
                    new String(
                            zip.getInputStream(zip.getEntry("st1_10001/extra")).readAllBytes()));
            assertEquals(2, zip.size());
        }
    }

    /** Each waits for the others: one after the other would never end. */
    @Test
    void shouldAskHostsAtTheSameTime() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        Sinks.Empty<Void> all = Sinks.empty();
        streams.put(RpcMethod.COLLECT_LOG, q -> {
            if (asked.incrementAndGet() == 3) all.tryEmitEmpty();
            return Flux.just(part("a", true, "1 "), part("a", false, "2"), part("b", true, "B"))
                    .delaySubscription(all.asMono());
        });

        assertEquals(
                0,
                dmg("support", "collect-log", "-z", "-t", folder.resolve("out").toString()),
                () -> text(err));

        try (ZipFile zip = new ZipFile(folder.resolve("out.zip").toFile())) {
            assertEquals(6, zip.size());
            for (int host = 10001; host <= 10003; host++)
                assertEquals(
                        "1 2",
                        new String(zip.getInputStream(zip.getEntry("127.0.0.1_" + host + "/a"))
                                .readAllBytes()));
        }
        try (var left = Files.list(folder)) {
            assertTrue(left.noneMatch(f -> f.getFileName().toString().startsWith(".collect-log")));
        }
    }

    @Test
    void shouldNotLetAHostWriteElsewhere() throws IOException {
        answer(part("../../evil", true, "x"), part("/etc/evil", true, "x"), part("", true, "x"));

        assertEquals(
                0,
                dmg(
                        "support",
                        "collect-log",
                        "-l",
                        "st1",
                        "-t",
                        folder.resolve("out").toString()));

        assertFalse(Files.exists(folder.resolve("evil")));
        try (var all = Files.walk(folder.resolve("out/st1_10001"))) {
            assertEquals(3, all.filter(Files::isRegularFile).count());
        }
    }

    @Test
    void shouldGoOnAfterAHostThatFailsUnlessToldOtherwise() {
        AtomicInteger asked = new AtomicInteger();
        streams.put(RpcMethod.COLLECT_LOG, q -> {
            if (asked.getAndIncrement() == 0) return Flux.just(part("a", false, "piece without a first one"));
            return Flux.just(part("a", true, "x"));
        });

        assertEquals(
                1, dmg("support", "collect-log", "-j", "-t", folder.resolve("a").toString()));
        assertTrue(text(out).contains("\"host\": \"127.0.0.1:10003\""), text(out));
        asked.set(0);
        out.reset();
        assertEquals(
                1,
                dmg(
                        "support",
                        "collect-log",
                        "-s",
                        "-j",
                        "-t",
                        folder.resolve("b").toString()));
        assertFalse(text(out).contains("127.0.0.1:10002"), text(out));
    }
}
