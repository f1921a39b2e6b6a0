package io.daosmesh.cli.daos;

import io.daosmesh.cli.DaosConfig;
import io.daosmesh.client.Blocking;
import io.daosmesh.client.Container;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.OpenMode;
import io.daosmesh.client.Pool;
import io.daosmesh.client.agent.LocalAgent;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One command's way to the system; connects at the first use. Owner: the command's thread. */
final class DaosSession implements AutoCloseable {
    private static final Path CONFIG = Path.of("/etc/daos/daos_agent.yml");

    private final DaosContext context;
    private final @Nullable String configPath;
    private DaosContext.@Nullable Connection connection;
    private @Nullable DaosClient client;

    DaosSession(DaosContext context, @Nullable String configPath) {
        this.context = context;
        this.configPath = configPath;
    }

    DaosClient client() {
        DaosClient known = client;
        if (known != null) return known;
        DaosContext.Connection opened = connect();
        connection = opened;
        DaosClient connected = Blocking.get(DaosClient.connect(opened.config()));
        client = connected;
        return connected;
    }

    /**
     * A configuration that is named and whose key can be read: as its own agent; else through the agent of this machine; else
     * with the machine's own configuration.
     */
    private DaosContext.Connection connect() {
        Optional<Path> named = Optional.ofNullable(configPath)
                .or(() -> variable("DAOS_AGENT_CONFIG"))
                .map(Path::of);
        Optional<Path> folder = variable(LocalAgent.FOLDER_VARIABLE).map(Path::of);
        if (named.isEmpty()) {
            Path socket = LocalAgent.socket(folder.orElse(LocalAgent.FOLDER));
            if (Files.exists(socket)) return context.agents().apply(socket);
            if (!Files.exists(CONFIG)) throw noWay(socket);
        }
        DaosConfig config = DaosConfig.read(named.orElse(CONFIG));
        Path socket = LocalAgent.socket(folder.orElse(config.runtimeDir()));
        boolean isThroughAgent = !config.mayBeOwnAgent() && Files.exists(socket);
        return isThroughAgent
                ? context.agents().apply(socket)
                : context.connector().apply(config);
    }

    private Optional<String> variable(String name) {
        return Optional.ofNullable(context.environment().get(name)).filter(v -> !v.isEmpty());
    }

    private static RuntimeException noWay(Path socket) {
        return Fault.of(FaultCode.AGENT_COMM, "no daos_agent at %s, and no configuration file", socket)
                .remedy(
                        "start it (systemctl start daos_agent), or name the agent's file with -o or in DAOS_AGENT_CONFIG")
                .asException();
    }

    /** To read and write. */
    Pool pool(String pool) {
        return Blocking.get(client().connectPool(pool));
    }

    /** For users who may do no more, and for commands that want no more. */
    Pool poolToRead(String pool) {
        return Blocking.get(client().connectPool(pool, OpenMode.READ_ONLY));
    }

    /** To read and write. */
    Container container(String pool, String container) {
        return Blocking.get(pool(pool).openContainer(container));
    }

    Container containerToRead(String pool, String container) {
        return Blocking.get(poolToRead(pool).openContainerToRead(container));
    }

    /** Gives back what the command has opened; a pool service that does not answer holds it up two seconds at most. */
    @Override
    public void close() {
        DaosClient connected = client;
        client = null;
        if (connected != null) Blocking.run(connected.close());
        DaosContext.Connection open = connection;
        connection = null;
        if (open != null) open.close();
    }
}
