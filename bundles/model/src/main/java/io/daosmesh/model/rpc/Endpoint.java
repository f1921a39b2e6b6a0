package io.daosmesh.model.rpc;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;

/**
 * Where an RPC goes. Immutable.
 *
 * @param rank destination rank, {@link #NODE} for the node's own services
 */
public record Endpoint(String host, int port, int rank) {
    public static final int NODE = -1;

    /** {@code host:port}; INVAL otherwise. */
    public static Endpoint node(String address) {
        return parse(address, NODE);
    }

    public static Endpoint rank(String address, int rank) {
        return parse(address, rank);
    }

    private static Endpoint parse(String address, int rank) {
        int colon = address.lastIndexOf(':');
        try {
            if (colon < 1) throw new NumberFormatException();
            int port = Integer.parseInt(address.substring(colon + 1));
            if (port < 1 || port > 65535) throw new NumberFormatException();
            return new Endpoint(address.substring(0, colon), port, rank);
        } catch (NumberFormatException e) {
            throw Fault.of(FaultCode.INVAL, "address '%s' is not HOST:PORT", address)
                    .asException();
        }
    }

    public String address() {
        return host + ":" + port;
    }
}
