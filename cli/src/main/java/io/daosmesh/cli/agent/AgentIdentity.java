package io.daosmesh.cli.agent;

import io.daosmesh.agent.Agent;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.wire.CredentialMessage;
import io.daosmesh.transport.credential.Credentials;
import io.daosmesh.transport.tls.Pem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the agent's files say: they are read at the start and when it is told to look again. Any thread: one volatile word. */
final class AgentIdentity implements Agent.Identity {
    private record Loaded(PrivateKey key, X509Certificate certificate, byte[] authority) {}

    private final String system;
    private final NodeConfig.Tls tls;
    private volatile @Nullable Loaded files;

    AgentIdentity(String system, NodeConfig.Tls tls) {
        this.system = system;
        this.tls = tls;
        reload();
    }

    /** NO_CERT or BAD_CERT when one cannot be used: what was read before stays. */
    void reload() {
        if (tls.allowInsecure()) return;
        Path certificate = named(tls.certificate(), "cert");
        files = new Loaded(
                Pem.key(named(tls.key(), "key")),
                Pem.certificates(certificate).get(0),
                authority(named(tls.ca(), "ca_cert")));
    }

    private static Path named(Optional<Path> file, String key) {
        return file.orElseThrow(() ->
                Fault.of(FaultCode.NO_CERT, "transport_config has no %s", key).asException());
    }

    private static byte[] authority(Path file) {
        Pem.certificates(file);
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw Fault.of(FaultCode.NO_CERT, "%s cannot be read", file).asException();
        }
    }

    @Override
    public String system() {
        return system;
    }

    @Override
    public boolean clearData() {
        return tls.clearData();
    }

    @Override
    public boolean allowInsecure() {
        return tls.allowInsecure();
    }

    @Override
    public Optional<byte[]> authority() {
        return Optional.ofNullable(files).map(Loaded::authority);
    }

    @Override
    public byte[] credential(User user, long nowMs, Duration life) {
        CredentialMessage about = Credentials.about(user, system, nowMs, life);
        Loaded now = files;
        return now == null ? Credentials.unsigned(about) : Credentials.sign(about, now.key, now.certificate);
    }
}
