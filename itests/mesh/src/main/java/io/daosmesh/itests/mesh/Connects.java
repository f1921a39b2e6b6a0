package io.daosmesh.itests.mesh;

import io.daosmesh.client.ClientConfig;
import io.daosmesh.client.Container;
import io.daosmesh.client.ContainerSpec;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.Pool;
import io.daosmesh.itests.mesh.Bench.Limit;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import io.daosmesh.transport.tls.Pem;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/** What a client waits for before its first answer, in a process that is warm; each connection is a new one. */
final class Connects {
    private static final Duration CALL_MAX = Duration.ofSeconds(20);
    private static final String NAME = "connects";

    private final LocalMesh mesh;
    private final ClientSettings settings;
    private final String address;

    Connects(LocalMesh mesh) {
        this.mesh = mesh;
        this.settings = MeshClient.settings(mesh.dir());
        this.address = mesh.controls().get(0);
    }

    /** A pool and a container with one entry. */
    void prepare() {
        mesh.dmg("pool", "create", NAME, "--size", "2GB").orFail();
        try (MeshClient client = MeshClient.open(mesh)) {
            Container c = client.container(NAME, ContainerSpec.of(NAME).withClass("RP_3G1"));
            c.keyValueRoot().flatMap(kv -> kv.put("k", new byte[64])).block(CALL_MAX);
        }
    }

    /** Handshake, SETUP, one question. */
    void firstAnswer() {
        try (ClientTransport transport = ClientTransport.open(settings)) {
            transport
                    .rpc()
                    .call(
                            Endpoint.node(address),
                            RpcMethod.GROUP_MAP,
                            RpcMessage.of(GroupMapRequest.getDefaultInstance()),
                            CALL_MAX,
                            r -> GroupMapMessage.parseFrom(r.body()))
                    .block(CALL_MAX);
        }
    }

    /** The same, then handles of pool and container, one value, and both handles given back. */
    void firstValue() {
        try (ClientTransport transport = ClientTransport.open(settings)) {
            DaosClient client =
                    MeshClient.await(DaosClient.connect(ClientConfig.of(transport.rpc(), List.of(address))));
            Pool pool = MeshClient.await(client.connectPool(NAME));
            MeshClient.await(
                    pool.openContainer(NAME).flatMap(c -> c.keyValueRoot()).flatMap(kv -> kv.get("k")));
            client.close().block(CALL_MAX);
        }
    }

    /** The limit: TLS 1.3 with the same keys and the JDK's own sockets. */
    Limit handshake() throws GeneralSecurityException, IOException {
        SSLContext context = context(mesh.dir().resolve("certs"));
        String[] at = address.split(":");
        double ms = Bench.medianOf(20, () -> {
                    try (SSLSocket s = (SSLSocket) context.getSocketFactory()
                            .createSocket(InetAddress.getByName(at[0]), Integer.parseInt(at[1]))) {
                        s.startHandshake();
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                })
                * 1000;
        return new Limit("handshake of the JDK", ms);
    }

    private static SSLContext context(Path certs) throws GeneralSecurityException, IOException {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry(
                "own",
                Pem.key(certs.resolve("agent.key")),
                new char[0],
                Pem.certificates(certs.resolve("agent.crt")).toArray(X509Certificate[]::new));
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(own, new char[0]);
        KeyStore others = KeyStore.getInstance("PKCS12");
        others.load(null, null);
        others.setCertificateEntry(
                "ca", Pem.certificates(certs.resolve("daosCA.crt")).get(0));
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(others);
        SSLContext context = SSLContext.getInstance("TLSv1.3");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }
}
