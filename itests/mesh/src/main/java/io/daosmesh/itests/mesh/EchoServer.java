package io.daosmesh.itests.mesh;

import io.daosmesh.model.port.Endpoint;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcMessage;
import io.daosmesh.model.port.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import reactor.core.publisher.Mono;

/** Sends back what it gets, over the transport as the mesh in the given folder uses it; prints its address, lives until killed. */
public final class EchoServer {
    private EchoServer() {}

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
        ServerTransport server = ServerTransport.open(new ServerSettings("daos_server", "", "127.0.0.1", 0, tls));
        server.server().register(Endpoint.NODE, RpcMethod.OBJECT_UPDATE, call -> {
            ByteBuffer copy = ByteBuffer.allocateDirect(call.data().remaining());
            copy.put(call.data().duplicate()).flip();
            return Mono.just(RpcMessage.of(Empty.getDefaultInstance(), copy));
        });
        System.out.println(server.address());
        System.out.flush();
        Thread.currentThread().join();
    }
}
