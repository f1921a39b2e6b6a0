package io.daosmesh.cli;

import io.daosmesh.client.Blocking;
import io.daosmesh.client.Container;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.OpenMode;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.file.Files;
import java.nio.file.Path;
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
        DaosContext.Connection opened = context.connector().apply(DaosConfig.read(configFile()));
        connection = opened;
        DaosClient connected = Blocking.get(DaosClient.connect(opened.config()));
        client = connected;
        return connected;
    }

    private Path configFile() {
        if (configPath != null) return Path.of(configPath);
        String named = context.environment().get("DAOS_AGENT_CONFIG");
        if (named != null && !named.isEmpty()) return Path.of(named);
        if (Files.exists(CONFIG)) return CONFIG;
        throw Fault.of(FaultCode.INVAL, "no configuration file")
                .remedy("name the agent's file with -o or in DAOS_AGENT_CONFIG, or install " + CONFIG)
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
