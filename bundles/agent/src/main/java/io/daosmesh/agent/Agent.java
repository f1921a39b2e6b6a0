package io.daosmesh.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.release.Compatibility;
import io.daosmesh.model.release.Compatibility.Part;
import io.daosmesh.model.release.Compatibility.Speaker;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.wire.AgentAttachMessage;
import io.daosmesh.model.wire.AgentCredentialMessage;
import io.daosmesh.model.wire.AgentReply;
import io.daosmesh.model.wire.AgentRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * A running daos_agent. Any thread. Everything a process of this machine wants of a system but data goes through it: where the
 * system is, a credential, and the eviction of what it leaves open.
 */
public final class Agent implements AutoCloseable {
    /** Of the messages on the socket. */
    public static final int PROTOCOL = 1;

    /** Stands for every user that the machine has no name for. */
    public static final String ANY_UNNAMED = "default";

    private static final Logger log = LoggerFactory.getLogger(Agent.class);
    private static final int WORKERS = 4;
    private static final int CREDENTIALS_KEPT_MAX = 4096;
    private static final int EVICTIONS_WAITING_MAX = 65_536;
    /** However many processes of a user ask, it costs one signature in this time. */
    private static final long KEPT_AT_LEAST_MS = 1000;

    private static final long COMPLAINT_NS = Duration.ofSeconds(10).toNanos();
    private static final Duration EVICT_LIMIT = Duration.ofSeconds(10);

    /** What the agent says about itself and its system. Any thread; may change when certificates are renewed. */
    public interface Identity {
        String system();

        boolean clearData();

        boolean allowInsecure();

        /** PEM of the authority's certificates; empty in insecure mode. */
        Optional<byte[]> authority();

        /** A signed credential that ends at this moment. Computes for some milliseconds. */
        byte[] credential(User user, long nowMs, Duration life);
    }

    /**
     * What to call a user that the machine has no name for, as in a container; without @.
     *
     * @param groups others than the first
     */
    public record NamedUser(String user, String group, List<String> groups) {}

    /**
     * @param isDisabled the system is asked at each request
     * @param expiration when it is asked again; zero: never
     * @param credentials how long a user's credential is handed out again; zero: each is new
     */
    public record Caching(boolean isDisabled, Duration expiration, Duration credentials) {}

    /**
     * @param folder of the socket
     * @param servers {@code host:port} of some
     * @param machine its name, as credentials say it
     * @param unnamed users that this machine has no name for, by number or {@link #ANY_UNNAMED}
     * @param evictsAtStop handles of living processes too
     * @param life of a credential
     */
    public record Settings(
            Path folder,
            List<String> servers,
            String machine,
            Map<String, NamedUser> unnamed,
            Caching caching,
            boolean evictsAtStop,
            Duration life,
            AgentLimits limits) {}

    private record Made(ByteString credential, long expiresMs, long untilMs) {}

    private final Settings settings;
    private final Identity identity;
    private final UserNames names;
    private final Attachments attachments;
    private final Evictions evictions;
    private final Handles handles;
    private final FairWorkers workers;
    private final AgentServer server;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Caller, Made> made = new LinkedHashMap<>();
    private final AtomicLong complainedNs = new AtomicLong();
    private volatile boolean isStopping;

    private Agent(Settings settings, Identity identity, Supplier<Rpc> rpc, SocketPlace place) {
        this.settings = settings;
        this.identity = identity;
        this.names = new UserNames(settings.machine(), settings.unnamed());
        SystemCalls calls = new SystemCalls(rpc, settings.servers());
        this.attachments = new Attachments(calls, identity, settings.caching(), System::nanoTime);
        this.handles = new Handles(settings.limits());
        this.evictions = new Evictions(calls, EVICTIONS_WAITING_MAX, this::onEvicted);
        this.workers = new FairWorkers(WORKERS);
        this.server = new AgentServer(place, settings.limits(), handles, workers, new Processes());
    }

    /** BUSY while another agent serves the folder; NO_PERM when it is not safe. */
    public static Agent start(Settings settings, Identity identity, Supplier<Rpc> rpc) {
        Agent agent = new Agent(settings, identity, rpc, SocketPlace.open(settings.folder()));
        agent.server.start();
        return agent;
    }

    public static Path socket(Path folder) {
        return folder.resolve(SocketPlace.NAME);
    }

    /** Done when it serves no more, asked for or not. */
    public CompletableFuture<@Nullable Void> ended() {
        return server.ended();
    }

    /** Ranks and addresses of the system as one of these servers tells them, for people. */
    public static Mono<GroupMap> askForMembers(Rpc rpc, List<String> servers, Identity identity) {
        SystemCalls calls = new SystemCalls(() -> rpc, servers);
        return new Attachments(calls, identity, new Caching(true, Duration.ZERO, Duration.ZERO), System::nanoTime)
                .map();
    }

    /** Forgets what it knows about the system and about users, and asks again. */
    public void refresh() {
        names.forget();
        lock.lock();
        try {
            made.clear();
        } finally {
            lock.unlock();
        }
        attachments.refresh();
    }

    /** What the processes ask. Owner: the server's loop. */
    private final class Processes implements Requests {
        @Override
        public Mono<AgentReply> answer(Caller caller, Handles.OfProcess process, AgentRequest request) {
            return Mono.defer(() -> {
                checkSpoken(request);
                return switch (request.getRequestCase()) {
                    case ATTACH -> attachments.get().map(Agent::reply);
                    case CREDENTIAL -> credential(caller);
                    case OPENED -> {
                        handles.opened(caller, process, request.getOpened());
                        yield Mono.just(AgentReply.getDefaultInstance());
                    }
                    case CLOSED -> {
                        handles.closed(caller, process, request.getClosed());
                        yield Mono.just(AgentReply.getDefaultInstance());
                    }
                    case REQUEST_NOT_SET ->
                        Mono.error(Fault.of(FaultCode.PROTO, "the request is not known here")
                                .remedy("run the same release of daos_agent and its clients")
                                .asException());
                };
            });
        }

        @Override
        public void ended(Caller caller, Handles.OfProcess process) {
            Map<ByteString, List<ByteString>> left = handles.end(process);
            if (isStopping && !settings.evictsAtStop()) return;
            left.forEach((pool, open) -> {
                log.info("a process of {} ended with {} open pool handles", caller.user(), open.size());
                evictions.add(caller.user(), pool, open);
            });
        }
    }

    private void onEvicted(String user, int count) {
        server.later(() -> handles.release(user, count));
    }

    private void checkSpoken(AgentRequest request) {
        if (request.getProtocol() != PROTOCOL) {
            throw Compatibility.otherProtocol(Speaker.own(Part.AGENT), PROTOCOL, client(request), request.getProtocol())
                    .asException();
        }
        Optional<Fault> why = Compatibility.refusal(Speaker.own(Part.AGENT), client(request), true);
        if (why.isPresent()) throw why.get().asException();
        if (!request.getSystem().isEmpty() && !request.getSystem().equals(identity.system())) {
            throw Fault.of(
                            FaultCode.MISMATCH,
                            "this daos_agent serves system '%s', not '%s'",
                            identity.system(),
                            request.getSystem())
                    .asException();
        }
    }

    private static Speaker client(AgentRequest request) {
        return new Speaker(Part.CLIENT, request.getRelease());
    }

    private static AgentReply reply(AgentAttachMessage info) {
        return AgentReply.newBuilder().setAttach(info).build();
    }

    private Mono<AgentReply> credential(Caller caller) {
        CompletableFuture<AgentReply> answer = new CompletableFuture<>();
        workers.run(caller.user(), () -> {
            try {
                Made credential = made(caller);
                answer.complete(AgentReply.newBuilder()
                        .setCredential(AgentCredentialMessage.newBuilder()
                                .setCredential(credential.credential)
                                .setExpiresMs(credential.expiresMs))
                        .build());
            } catch (RuntimeException e) {
                complain(caller, FaultException.faultOf(e));
                answer.completeExceptionally(e);
            }
        });
        return Mono.fromFuture(answer);
    }

    /** Whoever is refused may ask as often as he likes, and the log has an end. */
    private void complain(Caller caller, Fault fault) {
        long nowNs = System.nanoTime();
        long last = complainedNs.get();
        boolean isDue = last == 0 || nowNs - last > COMPLAINT_NS;
        if (isDue && complainedNs.compareAndSet(last, nowNs)) {
            log.warn("user {} gets no credential: {}", caller.user(), fault);
        }
    }

    private Made made(Caller caller) {
        long nowMs = System.currentTimeMillis();
        lock.lock();
        try {
            Made before = made.get(caller);
            if (before != null && before.untilMs > nowMs) return before;
        } finally {
            lock.unlock();
        }
        ByteString signed = ByteString.copyFrom(identity.credential(names.of(caller), nowMs, settings.life()));
        long keptMs = Math.max(
                settings.caching().credentials().toMillis(),
                Math.min(KEPT_AT_LEAST_MS, settings.life().toMillis() / 8));
        Made fresh = new Made(signed, nowMs + settings.life().toMillis(), nowMs + keptMs);
        keep(caller, fresh);
        return fresh;
    }

    private void keep(Caller caller, Made fresh) {
        lock.lock();
        try {
            made.remove(caller);
            made.put(caller, fresh);
            if (made.size() > CREDENTIALS_KEPT_MAX)
                made.remove(made.keySet().iterator().next());
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody in any more, and gives back what is open, for at most about 13 s. Blocks. */
    @Override
    public void close() {
        isStopping = true;
        server.close();
        if (!evictions.awaitNone(EVICT_LIMIT)) {
            log.error("{} pool handles stay open: no answer in time; see dmg pool evict", evictions.backlog());
        }
        workers.close();
    }
}
