package io.daosmesh.client;

import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.Rpc;
import io.daosmesh.model.time.Hlc;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a client needs. Immutable.
 *
 * @param rpc calls to servers; its owner closes it, the client does not
 * @param addresses control addresses {@code host:port} of some servers; one that answers is enough
 * @param clock clock that names updates; one per process
 * @param operationLimit how long one call of the application may take, retries included
 * @param tryLimit how long one request waits for its answer before the maps are fetched again and it is resent
 * @param agent told which pool handles are open, so that it gives them back should the process end without doing so; its owner
 *     closes it, the client does not
 */
public record ClientConfig(
        Rpc rpc,
        List<String> addresses,
        Hlc clock,
        Duration operationLimit,
        Duration tryLimit,
        Optional<LocalAgent> agent) {
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

    /** Without an agent to tell. */
    public ClientConfig(Rpc rpc, List<String> addresses, Hlc clock, Duration operationLimit, Duration tryLimit) {
        this(rpc, addresses, clock, operationLimit, tryLimit, Optional.empty());
    }

    public static ClientConfig of(Rpc rpc, List<String> addresses) {
        return new ClientConfig(rpc, addresses, systemClock(), OPERATION_LIMIT, TRY_LIMIT);
    }

    public ClientConfig withLimits(Duration operation, Duration oneTry) {
        return new ClientConfig(rpc, addresses, clock, operation, oneTry, agent);
    }

    public ClientConfig withAgent(LocalAgent local) {
        return new ClientConfig(rpc, addresses, clock, operationLimit, tryLimit, Optional.of(local));
    }

    private static Hlc systemClock() {
        return new Hlc(() -> {
            Instant now = Instant.now();
            return now.getEpochSecond() * 1_000_000_000L + now.getNano();
        });
    }
}
