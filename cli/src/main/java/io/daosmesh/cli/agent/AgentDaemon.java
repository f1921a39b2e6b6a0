package io.daosmesh.cli.agent;

import io.daosmesh.agent.Agent;
import io.daosmesh.agent.AgentLimits;
import io.daosmesh.cli.DaosConfig;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import io.daosmesh.transport.credential.LocalUser;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/** {@code daos_agent start}: runs until it is told to stop. Owner: the main thread; signals come on threads of the JVM. */
final class AgentDaemon implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(AgentDaemon.class);

    /** Servers believe a credential this long; clients ask for another at half of it. */
    static final Duration CREDENTIAL_LIFE = Duration.ofHours(1);

    /** Longer than any call of the agent, so that renewing certificates breaks none. */
    private static final Duration LAST_CALLS = Duration.ofSeconds(15);

    private static final long NOTIFY_MS = 5000;

    private final AgentConfig config;
    private final AgentIdentity identity;
    private final AtomicReference<ClientTransport> transport;
    private final Agent agent;
    private final CompletableFuture<@Nullable Void> stopped = new CompletableFuture<>();

    private AgentDaemon(AgentConfig config) {
        this.config = config;
        this.identity =
                new AgentIdentity(config.common().system(), config.common().tls());
        this.transport = new AtomicReference<>(connect(config.common()));
        Agent.Settings settings = new Agent.Settings(
                config.common().runtimeDir(),
                config.common().addresses(),
                LocalUser.machine(),
                config.unnamed(),
                config.caching(),
                config.evictsAtStop(),
                CREDENTIAL_LIFE,
                AgentLimits.standard());
        try {
            this.agent = Agent.start(settings, identity, () -> now().rpc());
        } catch (RuntimeException e) {
            now().close();
            throw e;
        }
    }

    private ClientTransport now() {
        return java.util.Objects.requireNonNull(transport.get());
    }

    /** The agent itself stands for no user. */
    static ClientTransport connect(DaosConfig config) {
        return ClientTransport.open(
                new ClientSettings(Role.AGENT, config.system(), config.tls()).withCredential(() -> new byte[0]));
    }

    /** Serves when this returns. */
    static AgentDaemon start(AgentConfig config) {
        AgentDaemon daemon = new AgentDaemon(config);
        config.remarks().forEach(log::warn);
        log.info(
                "serves system {} at {}: {}",
                config.common().system(),
                config.common().runtimeDir(),
                config);
        return daemon;
    }

    /** Blocks until a signal comes. Exit status: 0 when it was told to stop, 1 when it failed. */
    int runUntilSignal() {
        Signals.register("TERM", () -> stopped.complete(null));
        Signals.register("INT", () -> stopped.complete(null));
        Signals.register("HUP", this::refresh);
        tellSystemd();
        CompletableFuture.anyOf(stopped, agent.ended()).join();
        return stopped.isDone() ? 0 : 1;
    }

    /** As after a change of the system's members, of users' groups, or of certificates. */
    void refresh() {
        log.info("looks again: certificates, the system, groups of users");
        try {
            identity.reload();
            ClientTransport before = transport.getAndSet(connect(config.common()));
            Mono.delay(LAST_CALLS, Schedulers.boundedElastic())
                    .subscribe(now -> close(before), e -> log.error("no timer", e));
        } catch (FaultException e) {
            log.error("goes on with the certificates of before: {}", e.fault());
        }
        agent.refresh();
    }

    private static void close(@Nullable ClientTransport before) {
        if (before != null) before.close();
    }

    /** By its program: the JDK has no such sockets. */
    private static void tellSystemd() {
        if (System.getenv("NOTIFY_SOCKET") == null) return;
        try {
            Process told = new ProcessBuilder(List.of("systemd-notify", "--ready"))
                    .inheritIO()
                    .start();
            if (!told.waitFor(NOTIFY_MS, TimeUnit.MILLISECONDS)) told.destroyForcibly();
        } catch (IOException e) {
            log.error("systemd could not be told that the agent serves: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        log.info("stops");
        agent.close();
        now().close();
    }
}
