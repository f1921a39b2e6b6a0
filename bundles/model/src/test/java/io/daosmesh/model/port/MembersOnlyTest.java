package io.daosmesh.model.port;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.Empty;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Which servers a rank listens to. */
class MembersOnlyTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Set<String> members = new HashSet<>();
    private final Registered registered = new Registered();
    private final MembersOnly server = new MembersOnly(registered, members::contains);
    private int served;

    private static final class Registered implements RpcServer {
        private @Nullable Handler handler;
        private @Nullable StreamHandler stream;

        @Override
        public Registration register(int rank, RpcMethod method, Handler h) {
            handler = h;
            return () -> {};
        }

        @Override
        public Registration registerStream(int rank, RpcMethod method, StreamHandler h) {
            stream = h;
            return () -> {};
        }

        @Override
        public String address() {
            return "here:1";
        }
    }

    MembersOnlyTest() {
        server.register(0, RpcMethod.TARGET_DESTROY, call -> Mono.fromSupplier(this::answer));
        server.registerStream(0, RpcMethod.REBUILD_PULL, call -> Flux.just(answer()));
    }

    private RpcMessage answer() {
        served++;
        return RpcMessage.of(Empty.getDefaultInstance());
    }

    private static RpcCall call(Role role, String address) {
        RpcCall.Peer peer = new RpcCall.Peer(role, 7, 1, address, "");
        return new RpcCall(RpcMethod.TARGET_DESTROY, peer, 0, 0, NOTHING, NOTHING);
    }

    private void ask(Role role, String address) {
        Objects.requireNonNull(registered.handler).handle(call(role, address)).block();
        Objects.requireNonNull(registered.stream).handle(call(role, address)).blockLast();
    }

    @Test
    void shouldServeMembersAndClients() {
        members.add("member:1");

        ask(Role.SERVER, "member:1");
        ask(Role.AGENT, "");

        assertEquals(4, served);
    }

    @Test
    void shouldTellStrangersToComeBackOnceTheyAreKnown() {
        for (String stranger : new String[] {"stranger:1", "member:2", ""}) {
            FaultException e = assertThrows(FaultException.class, () -> ask(Role.SERVER, stranger));
            assertEquals(FaultCode.AGAIN, e.code());
        }
        assertEquals(0, served);

        members.add("stranger:1");
        ask(Role.SERVER, "stranger:1");

        assertEquals(2, served);
    }
}
