package io.daosmesh.engine.runtime;

import io.daosmesh.engine.lease.LeaseTable;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.LeasePoolMessage;
import io.daosmesh.model.wire.ReadLeaseReply;
import io.daosmesh.model.wire.ReadLeaseRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** The lease table of a rank with its clock, its lock and its requests to other ranks. Any thread. */
final class ReadLeases implements Leases, AutoCloseable {
    /** Pools of one request to a peer. */
    private static final int ASKS_MAX = 256;
    /** An answer that comes later than the lease is of no use. */
    private static final Duration ASK_MAX = Duration.ofNanos(LeaseTable.LEASE_NS);

    private static final long REPORT_PAUSE_NS = 250_000_000L;

    private static final Logger log = LoggerFactory.getLogger(ReadLeases.class);

    private final RankIdentity identity;
    private final EngineContext context;
    private final PoolServiceCalls service;
    private final List<TargetProxy> targets;
    private final BiConsumer<UUID, Integer> needMap;
    private final LeaseTable table;
    private final ScheduledExecutorService loop;
    /** Some read waits for a lease. */
    private final AtomicBoolean isAwaited = new AtomicBoolean();

    private final AtomicLong reportedNs = new AtomicLong(System.nanoTime() - REPORT_PAUSE_NS);
    private final AtomicBoolean isPumpQueued = new AtomicBoolean();
    /** The next renewal is planned. On the loop. */
    private boolean isRenewing;

    /** @param needMap fetches a pool's map of at least a version for the targets */
    ReadLeases(
            RankIdentity identity,
            EngineContext context,
            List<TargetProxy> targets,
            BiConsumer<UUID, Integer> needMap) {
        this.needMap = needMap;
        this.identity = identity;
        this.context = context;
        this.service = new PoolServiceCalls(context, identity);
        this.targets = targets;
        this.table = new LeaseTable(identity.rank(), System.nanoTime());
        this.loop = Executors.newSingleThreadScheduledExecutor(r -> {
            Thread t = new Thread(r, "engine-" + identity.rank() + "-leases");
            t.setDaemon(true);
            return t;
        });
    }

    /** The targets are open: what they know of maps is in the table. */
    void open(Registrations r) {
        r.on(RpcMethod.READ_LEASE, ReadLeaseRequest.parser(), this::onRequest);
    }

    void forget(UUID pool) {
        synchronized (table) {
            table.forget(pool);
        }
        service.forget(pool);
    }

    private Mono<ReadLeaseReply> onRequest(ReadLeaseRequest request) {
        ReadLeaseReply.Builder reply = ReadLeaseReply.newBuilder();
        synchronized (table) {
            long now = System.nanoTime();
            for (LeasePoolMessage m : request.getPoolsList()) {
                UUID pool = Ids.uuid(m.getPool());
                reply.addGranted(table.grant(pool, request.getRank(), m.getMapVersion(), now));
                reply.addMapVersions(table.version(pool));
            }
        }
        return Mono.just(reply.build());
    }

    /** Once now, then as long as somebody reads. */
    private void pump() {
        isPumpQueued.set(false);
        renew();
        if (!isRenewing) renewLater();
    }

    private void renewLater() {
        synchronized (table) {
            isRenewing = !table.isIdle(System.nanoTime());
        }
        if (isRenewing) loop.schedule(this::onPeriod, LeaseTable.RENEW_NS / 2, TimeUnit.NANOSECONDS);
    }

    private void onPeriod() {
        renew();
        renewLater();
    }

    private void renew() {
        try {
            Map<Integer, List<LeaseTable.Ask>> due;
            long now;
            synchronized (table) {
                now = System.nanoTime();
                due = table.due(now);
            }
            due.forEach((rank, asks) -> {
                for (int i = 0; i < asks.size(); i += ASKS_MAX)
                    ask(rank, asks.subList(i, Math.min(asks.size(), i + ASKS_MAX)), now);
            });
        } catch (RuntimeException e) {
            log.error("rank {}: renewing read leases", identity.rank(), e);
        }
    }

    private void pumpSoon() {
        if (!isPumpQueued.compareAndSet(false, true)) return;
        try {
            loop.execute(this::pump);
        } catch (RejectedExecutionException e) {
            log.debug("closed");
        }
    }

    private void ask(int rank, List<LeaseTable.Ask> asks, long askedNs) {
        Endpoint to = context.maps()
                .groupMap()
                .member(rank)
                .map(Member::address)
                .map(a -> Endpoint.rank(a, rank))
                .orElse(null);
        if (to == null) return;
        ReadLeaseRequest.Builder request = ReadLeaseRequest.newBuilder().setRank(identity.rank());
        for (LeaseTable.Ask a : asks)
            request.addPools(
                    LeasePoolMessage.newBuilder().setPool(Ids.bytes(a.pool())).setMapVersion(a.mapVersion()));
        context.rpc()
                .call(
                        to,
                        RpcMethod.READ_LEASE,
                        RpcMessage.of(request.build()),
                        ASK_MAX,
                        r -> ReadLeaseReply.parseFrom(r.body()))
                .subscribe(
                        reply -> onReply(rank, asks, reply, askedNs),
                        e -> log.debug("lease of rank {}: {}", rank, e.getMessage()));
    }

    private void onReply(int rank, List<LeaseTable.Ask> asks, ReadLeaseReply reply, long askedNs) {
        if (reply.getGrantedCount() != asks.size() || reply.getMapVersionsCount() != asks.size()) return;
        Map<UUID, Integer> newer = new HashMap<>();
        synchronized (table) {
            for (int i = 0; i < asks.size(); i++) {
                LeaseTable.Ask a = asks.get(i);
                if (reply.getGranted(i)) table.onGranted(a.pool(), rank, askedNs);
                else if (reply.getMapVersions(i) > a.mapVersion()) newer.put(a.pool(), reply.getMapVersions(i));
            }
        }
        newer.forEach(needMap);
        if (isAwaited.getAndSet(false)) targets.forEach(u -> u.run(t -> t.onLease()));
    }

    @Override
    public void adopted(UUID pool, int mapVersion) {
        boolean isNews;
        synchronized (table) {
            isNews = table.adopt(pool, mapVersion);
        }
        if (!isNews) return;
        // a leader that the map has put out releases the others by saying that it knows
        pumpSoon();
        service.prepare(pool);
    }

    @Override
    public boolean holds(UUID pool, int mapVersion, List<Integer> ranks) {
        boolean holds;
        synchronized (table) {
            holds = table.holds(pool, mapVersion, ranks, System.nanoTime());
        }
        if (!holds) {
            isAwaited.set(true);
            pumpSoon();
        }
        return holds;
    }

    @Override
    public long leftNs(UUID pool, int rank, int mapVersion) {
        synchronized (table) {
            return table.leftNs(pool, rank, mapVersion, System.nanoTime());
        }
    }

    @Override
    public long formerLifeLeftNs() {
        synchronized (table) {
            return table.formerLifeLeftNs(System.nanoTime());
        }
    }

    @Override
    public void confirm(UUID pool, int mapVersion, long askedNs) {
        service.newestMap(pool, Set.of()).subscribe(version -> answer(pool, version, askedNs), e -> {
            log.debug(
                    "newest map of pool {}: {}", pool, FaultException.faultOf(e).message());
            answer(pool, 0, askedNs);
        });
    }

    /** Tells the pool's leader of ranks that updates wait for, four times a second at most. */
    void report(UUID pool, Set<Integer> silent) {
        long last = reportedNs.get();
        long now = System.nanoTime();
        if (now - last < REPORT_PAUSE_NS || !reportedNs.compareAndSet(last, now)) return;
        service.newestMap(pool, silent)
                .subscribe(
                        version -> needMap.accept(pool, version),
                        e -> log.debug(
                                "silence in pool {}: {}",
                                pool,
                                FaultException.faultOf(e).message()));
    }

    private void answer(UUID pool, int version, long askedNs) {
        for (TargetProxy unit : targets) unit.run(t -> t.onConfirmed(pool, version, askedNs));
    }

    @Override
    public void close() {
        loop.shutdownNow();
    }
}
