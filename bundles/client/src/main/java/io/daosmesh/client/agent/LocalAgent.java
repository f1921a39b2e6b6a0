package io.daosmesh.client.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.client.HandleListener;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.AgentAttachMessage;
import io.daosmesh.model.wire.AgentCredentialMessage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The agent of this machine, for one process: it says where the system is and who we are, and gives our pool handles back should
 * we end without doing so. Any thread: one lock around what a thread of its own tells the agent. It outlives a restart of the
 * agent; nothing here blocks but {@link #connect}.
 */
public final class LocalAgent implements HandleListener, AutoCloseable {
    /** Folder of the agent's socket, where nobody says otherwise. */
    public static final Path FOLDER = Path.of("/var/run/daos_agent");

    /** Names the folder in the environment of a process, as in DAOS. */
    public static final String FOLDER_VARIABLE = "DAOS_AGENT_DRPC_DIR";

    /** Open handles of one process; the agent takes no more. */
    static final int HANDLES_MAX = 1024;

    /**
     * Where the system is.
     *
     * @param addresses {@code host:port} of servers, those of the management service first
     * @param authority PEM of the certificates to trust; empty when the system has none
     */
    public record System(
            String name, List<String> addresses, Optional<byte[]> authority, boolean clearData, boolean allowInsecure) {
        public System {
            addresses = List.copyOf(addresses);
        }

        static System fromWire(AgentAttachMessage m) {
            Set<String> addresses = new LinkedHashSet<>(m.getReplicasList());
            addresses.addAll(m.getAddressesList());
            return new System(
                    m.getSystem(),
                    addresses.stream().limit(HANDLES_MAX).toList(),
                    m.getCa().isEmpty()
                            ? Optional.empty()
                            : Optional.of(m.getCa().toByteArray()),
                    m.getClearData(),
                    m.getAllowInsecure());
        }
    }

    private record Credential(byte[] bytes, long expiresMs) {}

    private final Path socket;
    private final ReentrantLock lock = new ReentrantLock();
    /** Handle to pool. */
    private final Map<ByteString, ByteString> open = new LinkedHashMap<>();

    private final CompletableFuture<System> first = new CompletableFuture<>();
    private final AgentLink link;
    private @Nullable Credential credential;

    private LocalAgent(Path socket) {
        this.socket = socket;
        this.link = new AgentLink(socket, this);
    }

    public static Path socket(Path folder) {
        return folder.resolve("daos_agent.sock");
    }

    /**
     * Blocks until the agent has told where the system is and who we are. AGENT_COMM when it does not answer; what it refuses
     * as it says.
     */
    public static LocalAgent connect(Path socket, Duration limit) {
        LocalAgent agent = new LocalAgent(socket);
        agent.link.start();
        try {
            agent.first.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return agent;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException known ? known : agent.unreachable("failed");
        } catch (TimeoutException e) {
            agent.close();
            throw agent.unreachable("does not answer");
        } catch (InterruptedException e) {
            agent.close();
            Thread.currentThread().interrupt();
            throw Fault.of(FaultCode.CANCELED).asException();
        }
    }

    public System system() {
        return first.join();
    }

    /** The one to show with the next connection. AGENT_COMM when the last has ended and the agent gives no other. */
    public byte[] credential() {
        lock.lock();
        try {
            Credential now = credential;
            if (now != null && now.expiresMs > java.lang.System.currentTimeMillis()) return now.bytes.clone();
        } finally {
            lock.unlock();
        }
        throw unreachable("gives no credential");
    }

    /** Evicted by the agent when this process ends before it says {@link #onDisconnected}. BUSY when there are too many. */
    @Override
    public void onConnected(UUID pool, byte[] handle) {
        lock.lock();
        try {
            if (open.size() >= HANDLES_MAX) {
                throw Fault.of(FaultCode.BUSY, "this process has too many open pool handles")
                        .with("max", HANDLES_MAX)
                        .remedy("disconnect pools that are not used any more")
                        .asException();
            }
            open.put(ByteString.copyFrom(handle), Ids.bytes(pool));
        } finally {
            lock.unlock();
        }
        link.wakeUp();
    }

    /** Once the pool's service has confirmed the end of the handle. */
    @Override
    public void onDisconnected(UUID pool, byte[] handle) {
        lock.lock();
        try {
            open.remove(ByteString.copyFrom(handle));
        } finally {
            lock.unlock();
        }
        link.wakeUp();
    }

    /** Ends as the end of the process would: what is still open is evicted. */
    @Override
    public void close() {
        link.close();
    }

    RuntimeException unreachable(String what) {
        return Fault.of(FaultCode.AGENT_COMM, "daos_agent %s at %s", what, socket)
                .remedy("start it (systemctl start daos_agent), or name the folder of its socket in " + FOLDER_VARIABLE)
                .asException();
    }

    // ---------------------------------------------------------------- for the link

    Map<ByteString, ByteString> open() {
        lock.lock();
        try {
            return new LinkedHashMap<>(open);
        } finally {
            lock.unlock();
        }
    }

    void onCredential(AgentCredentialMessage m) {
        lock.lock();
        try {
            credential = new Credential(m.getCredential().toByteArray(), m.getExpiresMs());
        } finally {
            lock.unlock();
        }
    }

    void onAttached(AgentAttachMessage m) {
        first.complete(System.fromWire(m));
    }

    /** True when nobody waits for a first answer any more. */
    boolean isAttached() {
        return first.isDone();
    }

    void onFirstFailed(RuntimeException why) {
        first.completeExceptionally(why);
    }
}
