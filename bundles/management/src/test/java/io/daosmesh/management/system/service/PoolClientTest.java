package io.daosmesh.management.system.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Rpc;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class PoolClientTest {
    private volatile FaultCode answer = FaultCode.NONEXIST;
    private final Rpc rpc = (Rpc) Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Rpc.class},
            (self, method, args) -> Mono.error(Fault.of(answer).asException()));
    private final Loop loop = new Loop();
    private final LeaderCaller system = new LeaderCaller(rpc, loop, () -> Mono.just(List.of("host:1")));
    private final PoolClient pools = new PoolClient(new NodeContext(null, rpc, null, null, loop, null, null), system);

    @AfterEach
    void close() {
        loop.close();
    }

    private FaultCode ask(UUID pool) {
        return assertThrows(FaultException.class, () -> pools.map(pool).block()).code();
    }

    @Test
    void shouldForgetAPoolThatThereIsNot() {
        for (int i = 0; i < 20; i++) assertEquals(FaultCode.NONEXIST, ask(new UUID(1, i)));

        assertEquals(0, pools.callerCount());
    }

    @Test
    void shouldKeepFewerCallersThanItIsAskedForPools() {
        answer = FaultCode.NO_PERM;
        for (int i = 0; i < PoolClient.CALLERS_MAX + 10; i++) assertEquals(FaultCode.NO_PERM, ask(new UUID(1, i)));

        assertTrue(pools.callerCount() <= PoolClient.CALLERS_MAX);
        assertTrue(pools.callerCount() > 0);
    }
}
