package io.daosmesh.cli.daos;

import io.daosmesh.cli.DaosConfig;
import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The two ways of daos to a system: with the agent's own certificate, or through the agent. Stateless. */
public final class DaosWay {
    /** The agent itself asks the system for at most 10 s. */
    private static final Duration AGENT_LIMIT = Duration.ofSeconds(15);

    private DaosWay() {}

    private record Open(
            ClientConfig config,
            ClientTransport transport,
            @Nullable LocalAgent agent) implements DaosContext.Connection {
        @Override
        public void close() {
            transport.close();
            if (agent != null) agent.close();
        }
    }

    public static DaosContext.Connection asOwnAgent(DaosConfig config) {
        if (!config.mayBeOwnAgent()) {
            throw Fault.of(
                            FaultCode.NO_CERT,
                            "no daos_agent serves %s, and its key %s cannot be read",
                            config.runtimeDir(),
                            config.tls().key().map(Path::toString).orElse(""))
                    .remedy("start it (systemctl start daos_agent), or name a readable key in transport_config")
                    .asException();
        }
        ClientTransport transport = ClientTransport.open(new ClientSettings(Role.AGENT, config.system(), config.tls()));
        return new Open(client(transport, config.addresses()), transport, null);
    }

    public static DaosContext.Connection throughAgent(Path socket) {
        LocalAgent agent = LocalAgent.connect(socket, AGENT_LIMIT);
        try {
            ClientTransport transport = transport(agent);
            return new Open(client(transport, agent.system().addresses()).withHandles(agent), transport, agent);
        } catch (RuntimeException e) {
            agent.close();
            throw e;
        }
    }

    private static ClientConfig client(ClientTransport transport, List<String> addresses) {
        return new ClientConfig(
                transport.rpc(), addresses, transport.hlc(), ClientConfig.OPERATION_LIMIT, ClientConfig.TRY_LIMIT);
    }

    /** The transport reads the authority from a file; what the agent has told is one for as long as that takes. */
    private static ClientTransport transport(LocalAgent agent) {
        LocalAgent.System system = agent.system();
        if (system.allowInsecure()) return transport(agent, Optional.empty());
        Path file = null;
        try {
            file = Files.createTempFile("daosCA", ".crt");
            Files.write(file, system.authority().orElse(new byte[0]));
            return transport(agent, Optional.of(file));
        } catch (IOException e) {
            throw Fault.of(FaultCode.NO_CERT, "the authority's certificate cannot be kept: %s", e)
                    .remedy("let the folder for temporary files be writable")
                    .asException();
        } finally {
            delete(file);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) Files.deleteIfExists(file);
        } catch (IOException e) {
            return; // it holds nothing secret
        }
    }

    private static ClientTransport transport(LocalAgent agent, Optional<Path> authority) {
        LocalAgent.System system = agent.system();
        NodeConfig.Tls tls = new NodeConfig.Tls(
                system.allowInsecure(), system.clearData(), authority, Optional.empty(), Optional.empty());
        // unchecked: what the agent has told does not change in a file
        return ClientTransport.openUnchecked(
                new ClientSettings(Role.AGENT, system.name(), tls).withCredential(agent::credential));
    }
}
