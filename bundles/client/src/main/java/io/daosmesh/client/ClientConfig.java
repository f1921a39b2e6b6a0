package io.daosmesh.client;

import io.daosmesh.client.request.CallSettings;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * What a client needs. Immutable.
 *
 * @param rpc calls to servers; its owner closes it, the client does not
 * @param addresses control addresses {@code host:port} of some servers; one that answers is enough
 * @param clock clock that names updates; one per process
 * @param operationLimit how long one call of the application may take, retries included
 * @param tryLimit how long one request waits for its answer before the maps are fetched again and it is resent
 * @param handles is told which pools are connected
 */
public record ClientConfig(
        Rpc rpc,
        List<String> addresses,
        Hlc clock,
        Duration operationLimit,
        Duration tryLimit,
        HandleListener handles) {
    /** Long enough for an exclusion by silence (6 s) and a restart of a node, several times over. */
    public static final Duration OPERATION_LIMIT = Duration.ofSeconds(60);

    /** Half of what it takes to exclude a silent rank: two tries and the new map is there. */
    public static final Duration TRY_LIMIT = Duration.ofSeconds(3);

    static final int ADDRESSES_MAX = 1024;

    public ClientConfig {
        addresses = List.copyOf(addresses);
        if (addresses.isEmpty() || addresses.size() > ADDRESSES_MAX) {
            throw Fault.of(
                            FaultCode.INVAL,
                            "1..%d server addresses are needed, not %d",
                            ADDRESSES_MAX,
                            addresses.size())
                    .remedy("name the servers in access_points of daos_agent.yml")
                    .asException();
        }
        addresses.forEach(Endpoint::node);
        if (operationLimit.toMillis() < 1 || tryLimit.toMillis() < 1) {
            throw Fault.of(FaultCode.INVAL, "operationLimit and tryLimit must be at least 1 ms")
                    .asException();
        }
    }

    public ClientConfig(Rpc rpc, List<String> addresses, Hlc clock, Duration operationLimit, Duration tryLimit) {
        this(rpc, addresses, clock, operationLimit, tryLimit, HandleListener.NONE);
    }

    public static ClientConfig of(Rpc rpc, List<String> addresses) {
        return new ClientConfig(rpc, addresses, systemClock(), OPERATION_LIMIT, TRY_LIMIT);
    }

    public ClientConfig withLimits(Duration operation, Duration oneTry) {
        return new ClientConfig(rpc, addresses, clock, operation, oneTry, handles);
    }

    public ClientConfig withHandles(HandleListener listener) {
        return new ClientConfig(rpc, addresses, clock, operationLimit, tryLimit, listener);
    }

    CallSettings settings() {
        return new CallSettings(rpc, addresses, clock, operationLimit, tryLimit);
    }

    private static Hlc systemClock() {
        return new Hlc(() -> {
            Instant now = Instant.now();
            return now.getEpochSecond() * 1_000_000_000L + now.getNano();
        });
    }
}
