package io.daosmesh.model.port;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.Empty;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Which servers a rank listens to. */
class MembersOnlyTest {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private GroupMap map = new GroupMap("daos_server", 0, List.of());
    private final Registered registered = new Registered();
    private final MembersOnly server = new MembersOnly(registered, () -> map, List.of("replica:1"));
    private int served;

    private static final class Registered implements RpcServer {
        private @Nullable Handler handler;
        private @Nullable StreamHandler stream;

        @Override
        public AutoCloseable register(int rank, RpcMethod method, Handler h) {
            handler = h;
            return () -> {};
        }

        @Override
        public AutoCloseable registerStream(int rank, RpcMethod method, StreamHandler h) {
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

    private void join(String address) {
        Member m = new Member(7, new UUID(1, 7), address, "/", MemberState.JOINED, 1, 1, 0, "", 1);
        map = new GroupMap("daos_server", map.version() + 1, List.of(m));
    }

    @Test
    void shouldServeReplicasMembersAndClients() {
        join("member:1");

        ask(Role.SERVER, "replica:1");
        ask(Role.SERVER, "member:1");
        ask(Role.AGENT, "");

        assertEquals(6, served);
    }

    @Test
    void shouldTellStrangersToComeBackOnceTheyAreKnown() {
        for (String stranger : new String[] {"stranger:1", "member:2", ""}) {
            FaultException e = assertThrows(FaultException.class, () -> ask(Role.SERVER, stranger));
            assertEquals(FaultCode.AGAIN, e.code());
        }
        assertEquals(0, served);

        join("stranger:1");
        ask(Role.SERVER, "stranger:1");

        assertEquals(2, served);
    }
}
