package io.daosmesh.itests.mesh;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import reactor.core.publisher.Mono;

/** Sends as many bytes as it is asked for, over the transport as the mesh in the given folder uses it; prints its address, lives until killed. */
public final class ByteServer {
    private static final int BYTES_MAX = 8 << 20;

    private ByteServer() {}

    public static void main(String[] args) throws InterruptedException {
        Path dir = Path.of(args[0]);
        NodeConfig.Tls client = MeshClient.settings(dir).tls();
        Path certs = dir.resolve("certs");
        NodeConfig.Tls tls = client.allowInsecure()
                ? client
                : new NodeConfig.Tls(
                        false,
                        client.clearData(),
                        client.ca(),
                        Optional.of(certs.resolve("server.crt")),
                        Optional.of(certs.resolve("server.key")));
        ByteBuffer bytes = ByteBuffer.allocateDirect(BYTES_MAX);
        ServerTransport server = ServerTransport.open(new ServerSettings("daos_server", "", "127.0.0.1", 0, tls, 1));
        server.server().register(Endpoint.NODE, RpcMethod.OBJECT_UPDATE, call -> {
            ByteBuffer sent = bytes.duplicate().limit(call.data().getInt(0));
            return Mono.just(RpcMessage.of(Empty.getDefaultInstance(), sent));
        });
        System.out.println(server.address());
        System.out.flush();
        Thread.currentThread().join();
    }
}
