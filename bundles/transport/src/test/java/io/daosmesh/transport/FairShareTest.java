package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/** One greedy client and a polite one, at a node that lets each role hold so much and no more. */
class FairShareTest extends TransportFixture {
    private static final int PIECE = 7 << 20;
    private static final int CONNECTIONS = 6;
    private static final int REQUESTS = 4;

    private final List<MonoSink<RpcMessage>> held = new CopyOnWriteArrayList<>();

    @Override
    NodeConfig.Tls tls(Role role) {
        return InsecureTransportTest.INSECURE;
    }

    @Test
    void shouldServePoliteClientWhileGreedyOneHoldsItsShare() throws Exception {
        server.server()
                .register(
                        RANK,
                        RpcMethod.OBJECT_UPDATE,
                        call -> Mono.create(s -> {
                            if (call.data().remaining() == PIECE) held.add(s);
                            else s.success(RpcMessage.of(Empty.getDefaultInstance()));
                        }));
        List<RawPeer> greedy = new ArrayList<>();
        try {
            fill(greedy);
            int busy = refusals(greedy);

            String polite = client(Role.AGENT)
                    .call(rank(), RpcMethod.OBJECT_UPDATE, message(bytes(4 << 20)), LONG, r -> "ok")
                    .block(LONG);

            assertEquals("ok", polite);
            assertEquals(CONNECTIONS * REQUESTS, busy + held.size());
            assertTrue(held.size() >= 6 && held.size() <= 9, "half of 96 MiB in pieces of 7 MiB: " + held.size());
        } finally {
            for (RawPeer p : greedy) p.close();
            held.forEach(s -> s.success(RpcMessage.of(Empty.getDefaultInstance())));
        }
    }

    private void fill(List<RawPeer> greedy) throws Exception {
        byte[] metadata = RawPeer.metadata(RpcMethod.OBJECT_UPDATE, RANK, new byte[0], 0);
        byte[] request = Arrays.copyOf(metadata, metadata.length + PIECE);
        for (int i = 0; i < CONNECTIONS; i++) {
            RawPeer p = RawPeer.plain(node().port(), "127.0.0.1").setup();
            greedy.add(p);
            for (int n = 0; n < REQUESTS; n++)
                p.frame(2 * n + 1, RawPeer.REQUEST_RESPONSE, RawPeer.FLAG_METADATA, request);
        }
    }

    /** What is not answered within a while is held. */
    private static int refusals(List<RawPeer> greedy) throws Exception {
        int busy = 0;
        for (RawPeer p : greedy) {
            p.socket.setSoTimeout(1000);
            try {
                for (RawPeer.Answer a = p.answer(); a != null; a = p.answer())
                    if (a.text().contains("under way")) busy++;
            } catch (SocketTimeoutException e) {
                continue;
            }
        }
        return busy;
    }
}
