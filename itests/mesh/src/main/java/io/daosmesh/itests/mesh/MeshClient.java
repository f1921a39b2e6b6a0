package io.daosmesh.itests.mesh;

import io.daosmesh.cli.DaosConfig;
import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** An application's client on a local mesh, with the mesh's agent certificate. Any thread. */
public final class MeshClient implements AutoCloseable {
    private static final Duration CALL_MAX = Duration.ofSeconds(90);

    private final ClientTransport transport;
    private final List<String> controls;
    private final DaosClient client;
    private final Map<String, Pool> pools = new ConcurrentHashMap<>();

    private MeshClient(ClientTransport transport, List<String> controls, DaosClient client) {
        this.transport = transport;
        this.controls = controls;
        this.client = client;
    }

    public static MeshClient open(LocalMesh mesh) {
        ClientTransport transport = ClientTransport.open(settings(mesh.dir()));
        try {
            List<String> controls = mesh.controls();
            DaosClient client = DaosClient.connect(ClientConfig.of(transport.rpc(), controls))
                    .block(CALL_MAX);
            return new MeshClient(transport, controls, java.util.Objects.requireNonNull(client));
        } catch (RuntimeException e) {
            transport.close();
            throw e;
        }
    }

    /** As the mesh's own agent. */
    static ClientSettings settings(Path dir) {
        DaosConfig config = DaosConfig.read(dir.resolve("daos_agent.yml"));
        return new ClientSettings(Role.AGENT, config.system(), config.tls());
    }

    public DaosClient client() {
        return client;
    }

    public Rpc rpc() {
        return transport.rpc();
    }

    /** Connected once: whoever asks in a loop does not fill the pool with handles. */
    public Pool pool(String label) {
        return pools.computeIfAbsent(label, l -> await(client.connectPool(l)));
    }

    /** Opens a container, made if it is not there. */
    public Container container(String pool, ContainerSpec spec) {
        Pool p = pool(pool);
        try {
            return await(p.createContainer(spec));
        } catch (FaultException e) {
            if (e.code() != FaultCode.EXIST) throw e;
            return await(p.openContainer(spec.label()));
        }
    }

    /** The newest group map that any live node has. */
    public GroupMap newestGroupMap() {
        GroupMap newest = Flux.fromIterable(controls)
                .flatMap(a -> groupMap(a).onErrorResume(e -> Mono.empty()))
                .reduce((a, b) -> a.version() >= b.version() ? a : b)
                .block(CALL_MAX);
        if (newest == null) throw new IllegalStateException("no node answers");
        return newest;
    }

    private Mono<GroupMap> groupMap(String address) {
        return transport
                .rpc()
                .call(
                        Endpoint.node(address),
                        RpcMethod.GROUP_MAP,
                        RpcMessage.of(GroupMapRequest.getDefaultInstance()),
                        Duration.ofSeconds(1),
                        r -> GroupMap.fromWire(GroupMapMessage.parseFrom(r.body())));
    }

    public static <T> T await(Mono<T> mono) {
        T value = mono.block(CALL_MAX);
        return java.util.Objects.requireNonNull(value, "empty answer");
    }

    @Override
    public void close() {
        client.close().block(CALL_MAX);
        transport.close();
    }
}
