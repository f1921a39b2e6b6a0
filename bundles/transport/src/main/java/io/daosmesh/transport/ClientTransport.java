package io.daosmesh.transport;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.credential.OwnAgent;
import io.daosmesh.transport.tls.LiveTls;
import io.daosmesh.transport.tls.TlsMaterial;
import io.daosmesh.transport.wire.Identity;
import java.util.Optional;
import java.util.function.BiFunction;

/**
 * The transport of a tool or an application in a plain JVM. Any thread. Close it before the process ends: with its event
 * loop still inside a native poll the JVM waits up to 300 ms at exit.
 */
public final class ClientTransport implements RpcClients.Client {
    private final Machinery machinery;

    private ClientTransport(Machinery machinery) {
        this.machinery = machinery;
    }

    /** Connects nowhere yet. NO_CERT or BAD_CERT when its certificates cannot be used. */
    public static ClientTransport open(ClientSettings settings) {
        ClientTransport transport = open(settings, (tls, role) -> LiveTls.load(tls, role, material -> {}));
        transport.machinery.watchCertificates();
        return transport;
    }

    /**
     * As {@link #open}, for who is in a hurry and calls {@link #checkCertificates} when a connection fails. It does not see
     * when certificates change.
     */
    public static ClientTransport openUnchecked(ClientSettings settings) {
        return open(settings, LiveTls::read);
    }

    /** {@link RpcClients#open}: checked before it connects. */
    public static ClientTransport openClient(Role role, String system, NodeConfig.Tls tls, String claim) {
        ClientTransport transport = openUnchecked(new ClientSettings(role, system, tls));
        transport.machinery.identity.claim(claim);
        try {
            transport.checkCertificates();
            return transport;
        } catch (FaultException e) {
            transport.close();
            throw e;
        }
    }

    private static ClientTransport open(
            ClientSettings settings, BiFunction<NodeConfig.Tls, Role, LiveTls> certificates) {
        NodeConfig.Tls tls = settings.tls();
        Optional<LiveTls> live =
                tls.allowInsecure() ? Optional.empty() : Optional.of(certificates.apply(tls, settings.role()));
        Identity identity = new Identity(settings.role(), settings.system(), "");
        if (settings.role() == Role.ADMIN) identity.claim(System.getProperty("user.name", ""));
        if (settings.credential().isPresent())
            identity.credential(settings.credential().get());
        else if (settings.role() == Role.AGENT)
            identity.credential(new OwnAgent(settings.system(), c -> sign(c, live))::get);
        return new ClientTransport(new Machinery(identity, live, tls.clearData(), false, 1));
    }

    private static byte[] sign(CredentialMessage credential, Optional<LiveTls> tls) {
        if (tls.isEmpty()) return Credentials.unsigned(credential);
        TlsMaterial now = tls.get().material();
        return Credentials.sign(credential, now.key(), now.certificate());
    }

    /** BAD_CERT when our certificate is not the authority's or our key not the certificate's. Computes for some milliseconds. */
    public void checkCertificates() {
        machinery.tls.ifPresent(tls -> tls.material().check());
    }

    /**
     * Loads the classes of TLS, half of those of a first connection; a tool calls it in a thread of its own while it does
     * something else.
     */
    public static void warmUpTls() {
        WarmUp.tls();
    }

    /** Loads the other half. */
    public static void warmUpChannels() {
        WarmUp.channels();
    }

    @Override
    public Rpc rpc() {
        return machinery.client;
    }

    public Hlc hlc() {
        return machinery.hlc;
    }

    public MetricSource metrics() {
        return machinery.counters;
    }

    @Override
    public void close() {
        machinery.close(0);
    }
}
