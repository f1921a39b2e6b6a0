package io.daosmesh.cli.dmg.access;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** A connection of this process's own, with an administrator's certificate. Owner: the main thread. */
public final class ToolAccess implements Access {
    public static final Duration READ_MAX = Duration.ofSeconds(10);
    public static final Duration WRITE_MAX = Duration.ofSeconds(90);
    private static final Set<FaultCode> OF_CONNECTIONS =
            Set.of(FaultCode.UNREACH, FaultCode.BAD_CERT, FaultCode.NO_CERT, FaultCode.TIMEDOUT, FaultCode.MISC);

    private final ClientTransport transport;
    private final AdminCalls calls;

    private ToolAccess(ClientTransport transport, List<String> hosts) {
        this.transport = transport;
        calls = new AdminCalls(transport.rpc(), hosts, READ_MAX, WRITE_MAX);
    }

    /** What is wrong with certificates is found out when a connection fails. */
    public static Access open(String system, NodeConfig.Tls tls, List<String> hosts) {
        return new ToolAccess(ClientTransport.openUnchecked(new ClientSettings(Role.ADMIN, system, tls)), hosts);
    }

    @Override
    public AdminCalls calls() {
        return calls;
    }

    /** What is wrong with our own certificates says more than what became of a connection made with them. */
    @Override
    public Fault explained(Fault fault) {
        if (!OF_CONNECTIONS.contains(fault.code())) return fault;
        try {
            transport.checkCertificates();
            return fault;
        } catch (FaultException e) {
            return e.fault();
        }
    }

    @Override
    public void close() {
        transport.close();
    }
}
