package io.daosmesh.swim.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.swim.SwimConfig;
import io.daosmesh.swim.SwimMessage;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * The membership loop of a node: one thread that runs the protocol of every local rank. Inputs from other threads go
 * through a bounded inbox; what does not fit is dropped and counted, as a lossy network would. Any thread.
 */
final class SwimNode implements Membership, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SwimNode.class);

    /** A second of gossip in a mesh of a thousand, twice: more means that the loop is stuck. */
    private static final int INBOX_MAX = 16_384;

    /** How long a stopping node waits until its announcement is on its way. */
    private static final long GOODBYE_MS = 300;

    /** Fired on changes that an operator must be able to read later. On the loop. */
    interface Alarm {
        void rankDied(int rank, long incarnation, String reason);

        void rankLives(int rank, long incarnation);
    }

    private final SwimConfig config;
    private final RpcServer server;
    private final Hlc hlc;
    private final Alarm alarm;
    private final Beliefs beliefs = new Beliefs();
    private final Map<Integer, LocalRank> locals = new ConcurrentHashMap<>();
    private final Map<Integer, AutoCloseable> handlers = new ConcurrentHashMap<>();
    private final AtomicInteger queued = new AtomicInteger();
    private final AtomicLong inboxDropped = new AtomicLong();
    private final AtomicLong foreign = new AtomicLong();
    private final List<AutoCloseable> subscriptions = new ArrayList<>();
    private final ScheduledThreadPoolExecutor loop;
    private final Peers peers;
    private final LocalRank.Host host = new Effects();
    private long nextTurnNs;
    private GroupMap map = new GroupMap("", 0, List.of());

    private final class Effects implements LocalRank.Host {
        @Override
        public void send(int toRank, Kind kind, SwimMessage message) {
            peers.send(toRank, kind, message);
        }

        @Override
        public void learn(int rank, Liveness liveness, long incarnation, String reason) {
            boolean wasDead = beliefs.liveness(rank) == Liveness.DEAD;
            if (beliefs.learn(rank, liveness, incarnation, reason)) {
                if (liveness == Liveness.DEAD) {
                    alarm.rankDied(rank, incarnation, reason);
                } else if (wasDead && liveness == Liveness.ALIVE) {
                    alarm.rankLives(rank, incarnation);
                }
            }
        }

        @Override
        public long newIncarnation() {
            return hlc.now();
        }
    }

    SwimNode(SwimConfig config, Rpc rpc, RpcServer server, Hlc hlc, Alarm alarm) {
        this.config = config;
        this.server = server;
        this.hlc = hlc;
        this.alarm = alarm;
        this.peers = new Peers(rpc);
        this.loop = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "daosmesh-swim");
            thread.setDaemon(true);
            return thread;
        });
        loop.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        subscriptions.add(rpc.onPeerClosed(this::onPeerClosed));
        // fixed delay, not rate: after a pause one late tick tells the protocol all, a burst of them would hide it
        loop.execute(this::turn);
    }

    /** Follows the group map for as long as the node runs or the result is open. */
    AutoCloseable follow(Maps maps) {
        return maps.listen(new Maps.Listener() {
            @Override
            public void onGroupMap(GroupMap newer) {
                post(() -> onNewMap(newer));
            }
        });
    }

    void start(RankIdentity identity) {
        post(() -> {
            LocalRank old = locals.get(identity.rank());
            if (old != null && old.identity().equals(identity)) {
                return;
            }
            LocalRank local = new LocalRank(identity, config, System.nanoTime(), host);
            locals.put(identity.rank(), local);
            list(local);
            if (!handlers.containsKey(identity.rank())) {
                handlers.put(identity.rank(), register(identity.rank()));
            }
        });
    }

    /** The rank leaves this node: stopped for good, or for as long as a bundle is replaced. */
    void stop(RankIdentity identity, Duration bound) {
        post(() -> {
            LocalRank local = locals.get(identity.rank());
            if (local != null && local.identity().equals(identity)) {
                local.swim().announceRestart(System.nanoTime(), bound.toNanos(), local);
                locals.remove(identity.rank());
                close(handlers.remove(identity.rank()));
            }
        });
    }

    @Override
    public Liveness liveness(int rank) {
        return beliefs.liveness(rank);
    }

    @Override
    public long lastMajorityContactNs(int localRank) {
        LocalRank local = locals.get(localRank);
        return local == null ? Long.MIN_VALUE / 4 : local.majorityContactNs();
    }

    /** A bound of zero says that the absence is over. */
    @Override
    public void announceRestarting(int localRank, Duration bound) {
        post(() -> {
            LocalRank local = locals.get(localRank);
            if (local == null) {
                return;
            }
            if (bound.isZero()) {
                local.swim().announceAlive(System.nanoTime(), local);
            } else {
                local.swim().announceRestart(System.nanoTime(), bound.toNanos(), local);
            }
        });
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        AtomicBoolean isClosed = new AtomicBoolean();
        post(() -> {
            if (!isClosed.get()) beliefs.add(listener);
            // a close may overtake its own registration, or come in the middle of it
            if (isClosed.get()) beliefs.remove(listener);
        });
        return () -> {
            isClosed.set(true);
            beliefs.remove(listener);
        };
    }

    /** Announces an absence of at most {@code bound} for every local rank, then stops the loop. */
    void close(Duration bound) {
        CountDownLatch announced = new CountDownLatch(1);
        post(() -> {
            long nowNs = System.nanoTime();
            locals.values().forEach(local -> local.swim().announceRestart(nowNs, bound.toNanos(), local));
            announced.countDown();
        });
        try {
            if (!announced.await(GOODBYE_MS, TimeUnit.MILLISECONDS)) {
                LOG.warn("stopped without announcing it: the membership loop was busy for {} ms", GOODBYE_MS);
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        loop.shutdown();
        subscriptions.forEach(SwimNode::close);
        handlers.values().forEach(SwimNode::close);
        handlers.clear();
    }

    @Override
    public void close() {
        close(Duration.ofSeconds(10));
    }

    Map<Integer, LocalRank> locals() {
        return locals;
    }

    long droppedCount() {
        return inboxDropped.get() + peers.dropped();
    }

    /** Messages in the name of a rank that is not on the server that sent them, as far as the group map here knows. */
    long foreignCount() {
        return foreign.get();
    }

    private Registrations register(int rank) {
        // gossip has a reader of its own, which keeps what it can use
        Registrations registrations = new Registrations(server, rank, MessageLimits.of(0, 0));
        registrations.onData(RpcMethod.SWIM, this::read, this::onMessage);
        return registrations;
    }

    private SwimWire.Received read(ByteBuffer body) throws InvalidProtocolBufferException {
        try {
            return SwimWire.fromWire(body);
        } catch (InvalidProtocolBufferException damaged) {
            inboxDropped.incrementAndGet();
            throw damaged;
        }
    }

    private Mono<RpcMessage> onMessage(SwimWire.Received received, RpcCall call) {
        int rank = call.rank();
        String sender = call.peer().address();
        post(() -> {
            LocalRank local = locals.get(rank);
            if (!peers.isAt(received.message().from(), sender)) {
                foreign.incrementAndGet();
            } else if (local != null) {
                local.onMessage(System.nanoTime(), received);
            }
        });
        return Mono.empty();
    }

    private void onPeerClosed(String address, boolean isRefused) {
        post(() -> {
            long nowNs = System.nanoTime();
            for (int rank : peers.ranksAt(address)) {
                for (LocalRank local : locals.values()) {
                    if (isRefused) {
                        local.swim().onPeerRefused(nowNs, rank, local);
                    } else {
                        local.swim().onPeerClosed(nowNs, rank, local);
                    }
                }
            }
        });
    }

    private void onNewMap(GroupMap newer) {
        if (newer.version() < map.version()) {
            return;
        }
        map = newer;
        for (int gone : peers.update(newer)) {
            locals.values().forEach(local -> local.swim().onMemberGone(gone));
            beliefs.forgetUnlessDead(gone);
        }
        locals.values().forEach(this::list);
    }

    private void list(LocalRank local) {
        long nowNs = System.nanoTime();
        for (Member member : map.members()) {
            if (member.state().isInGroup() && member.rank() <= config.limits().rankMax()) {
                local.swim().onMember(nowNs, member.rank(), member.incarnation(), local);
            }
        }
    }

    private void turn() {
        long nowNs = System.nanoTime();
        nextTurnNs = nowNs + config.probe().tickNs();
        guarded(() -> onTick(nowNs)).run();
        try {
            loop.schedule(this::turn, nextTurnNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException stopped) {
            LOG.debug("the membership loop has ended");
        }
    }

    private void onTick(long nowNs) {
        locals.values().forEach(local -> local.onTick(nowNs));
        locals.values().stream()
                .mapToLong(local -> local.swim().sleep(nowNs))
                .min()
                .ifPresent(dueNs -> nextTurnNs = dueNs);
    }

    private void post(Runnable task) {
        if (queued.incrementAndGet() > INBOX_MAX) {
            queued.decrementAndGet();
            inboxDropped.incrementAndGet();
            return;
        }
        try {
            Runnable guarded = guarded(task);
            loop.execute(() -> {
                queued.decrementAndGet();
                guarded.run();
            });
        } catch (RejectedExecutionException stopped) {
            queued.decrementAndGet();
        }
    }

    /** A broken invariant in one input must not end the loop: without it this node would fall silent. */
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException broken) {
                LOG.error("the membership loop failed on one input and goes on", broken);
            }
        };
    }

    private static void close(@Nullable AutoCloseable closeable) {
        try {
            if (closeable != null) {
                closeable.close();
            }
        } catch (Exception e) {
            LOG.debug("while closing: {}", e.toString());
        }
    }
}
