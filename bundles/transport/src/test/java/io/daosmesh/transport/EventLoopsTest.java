package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.EventLoops;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMethod;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class EventLoopsTest extends TransportFixture {
    @Override
    NodeConfig.Tls tls(Role role) {
        return InsecureTransportTest.INSECURE;
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 2, 1", "2, 4, 2", "8, 32, 8", "16, 16, 8", "0, 8, 1"})
    void shouldHaveOneForEachTargetOnHalfOfTheCores(int targets, int cores, int loops) {
        NodeConfig.Engine engine =
                new NodeConfig.Engine(0, targets, "ram", Path.of("/m"), 0, "file", List.of(), 0, "INFO");
        NodeConfig node = new NodeConfig(
                "s", "h:1", "h", 1, List.of("h:1"), "/h", 0, Path.of("/d"), tls(Role.SERVER), List.of(engine));
        assertEquals(loops, ServerSettings.of(node, cores).loops());
    }

    @Test
    void shouldLendItsEventLoopsUntilItIsClosed() throws Exception {
        EventLoops loops = server.loops();
        Thread first = loops.loop(0).submit(Thread::currentThread).get();
        Thread second = loops.loop(1).submit(Thread::currentThread).get();
        assertNotSame(first, second);
        assertSame(first, loops.loop(LOOPS).submit(Thread::currentThread).get());

        server.close();

        assertThrows(RejectedExecutionException.class, () -> loops.loop(0).execute(() -> {}));
    }

    /** A target answers on its own loop, whichever loop the connection lives on. */
    @Test
    void shouldAnswerFromAnyLoop() throws Exception {
        AtomicInteger next = new AtomicInteger();
        EventLoops loops = server.loops();
        toClose.add(server.server().register(RANK, RpcMethod.OBJECT_UPDATE, call -> {
            ByteBuffer data = ByteBuffer.allocate(call.data().remaining())
                    .put(call.data())
                    .flip();
            return Mono.create(sink -> loops.loop(next.getAndIncrement()).execute(() -> sink.success(message(data))));
        }));
        for (int c = 0; c < 2 * LOOPS; c++) {
            Rpc rpc = client(Role.AGENT);
            Long total = Flux.range(0, 200)
                    .flatMap(
                            i -> rpc.call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(1000 + i)), LONG, r ->
                                    (long) r.data().remaining()),
                            32)
                    .reduce(0L, Long::sum)
                    .block(LONG);
            assertEquals(200L * 1000 + 199 * 100, total);
        }
    }
}
