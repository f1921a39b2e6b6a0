package io.daosmesh.engine.runtime;

import io.daosmesh.engine.rank.Target;
import io.daosmesh.engine.request.RankRequests;
import io.daosmesh.engine.runtime.access.HandleChecks;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.engine.runtime.rpc.ObjectHandlers;
import io.daosmesh.engine.runtime.rpc.PoolHandlers;
import io.daosmesh.engine.shard.Host;
import io.daosmesh.engine.shard.Leases;
import io.daosmesh.engine.shard.Opening;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.storage.EngineStorage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank at work: its targets, request handlers and map subscription. Owner: whoever opened it; the targets are proxies
 * that only enqueue.
 */
public final class EngineRuntime implements AutoCloseable {
    /** How long peers may take a planned restart for granted. */
    static final Duration RESTART_BOUND = Duration.ofSeconds(20);

    /** Shorter than the shortest exclusion: a rank that hears nobody for so long may be excluded already. */
    private static final long MAJORITY_MAX_NS = 3_000_000_000L;
    /** Below OSGi's lock timeout of 5 s. */
    private static final long DRAIN_MAX_NS = 2_500_000_000L;

    private static final String STOPPED_REMEDY =
            "free space or repair the SCM, restart the engine, then reintegrate the target";
    private static final long JOIN_MS = 1_000;
    private static final long DAMAGE_EVENT_PAUSE_NS = 10_000_000_000L;
    private static final Logger log = LoggerFactory.getLogger(EngineRuntime.class);

    private final RankIdentity identity;
    private final EngineStorage storage;
    private final EngineContext context;
    private final List<TargetProxy> targets = new ArrayList<>();
    private final Registrations registrations;
    private AutoCloseable listening = () -> {};
    private final MapPulls pulls;
    private final ExecutorService admin;
    private final EngineMigrationService migration;
    private final ClientWatch clients;
    private final EngineMetrics metrics;
    private final DeviceWatch devices;
    private final ScrubWatch scrubs;
    private final ReadLeases leases;
    private final PoolServiceCalls service;
    private final HandleChecks handles;
    private final ClockDrift clock;
    private boolean isClosed;
    private volatile long lastDamageNs = System.nanoTime() - DAMAGE_EVENT_PAUSE_NS;
    private volatile long majorityContactNs = System.nanoTime() - MAJORITY_MAX_NS;

    public EngineRuntime(RankIdentity identity, EngineStorage storage, EngineContext context) {
        this.identity = identity;
        this.storage = storage;
        this.context = context;
        this.clock = new ClockDrift(
                context.hlc(), identity.rank(), context.settings().clockDriftMsMax(), this::raise);
        this.admin = Executors.newSingleThreadExecutor(r -> {
            Thread t = new Thread(r, "engine-" + identity.rank() + "-admin");
            t.setDaemon(true);
            return t;
        });
        this.registrations = new Registrations(context.server(), identity.rank(), RankRequests.LIMITS);
        this.pulls = new MapPulls(context.maps(), new MapAnswers());
        this.service = new PoolServiceCalls(context, identity);
        this.handles =
                new HandleChecks(service::handles, pool -> storage.pool(pool).isPresent());
        this.leases = new ReadLeases(identity, context, targets, pulls::want);
        for (int i = 0; i < storage.targetCount(); i++) {
            targets.add(new TargetProxy(identity, storage, i, new TargetHost(i), context, this::onStopped));
        }
        this.clients = new ClientWatch(targets);
        this.migration = new EngineMigrationService(identity.rank(), targets, clients);
        this.metrics = new EngineMetrics(identity, targets, handles, clients);
        this.devices = new DeviceWatch(identity, storage, context, targets);
        this.scrubs = new ScrubWatch(identity, storage, context, targets, service);
    }

    public EngineMigrationService migration() {
        return migration;
    }

    /** Proxies that only enqueue. */
    List<TargetProxy> targets() {
        return targets;
    }

    public EngineMetrics metrics() {
        return metrics;
    }

    /** Opens every target and begins to serve; a FaultException when an index cannot be read. */
    public void open() {
        List<EngineStorage.PoolReservation> pools = storage.pools();
        try {
            // not on the event loops, which have to answer others meanwhile; all at once, as each counts its records
            targets.parallelStream()
                    .forEach(unit -> unit.open(pools.stream()
                            .map(p -> unit.storage().pool(p.pool()))
                            .toList()));
            clock.awaitFound(ClockDrift::sleep);
        } finally {
            for (TargetProxy unit : targets) unit.start(clients::look);
        }
        for (TargetProxy unit : targets) unit.shards().forEach(s -> reportFailed(unit, s));
        leases.open(registrations);
        listening = context.maps().listen(new MapListener());
        handles.register(registrations);
        new ObjectHandlers(targets, context.hlc(), handles).register(registrations);
        new PoolHandlers(targets, storage, admin).register(registrations);
        devices.open();
        scrubs.open();
        Membership membership = context.membership().get();
        // ends the announced absence of the engine that this one replaces
        if (membership != null) membership.announceRestarting(identity.rank(), Duration.ZERO);
        log.info("rank {} serves {} targets and {} pools", identity.rank(), targets.size(), pools.size());
    }

    private final class MapListener implements Maps.Listener {
        @Override
        public void onPoolMap(PoolMap map) {
            adopt(map);
        }

        @Override
        public void onPoolProperties(UUID pool, Map<String, String> properties) {
            for (TargetProxy unit : targets) unit.run(t -> t.onProperties(pool, properties));
        }

        @Override
        public void onPoolGone(UUID pool) {
            leases.forget(pool);
            handles.onPoolGone(pool);
            service.forget(pool);
        }
    }

    /** Found damaged at the start: the pool goes on without this target. */
    private void reportFailed(TargetProxy unit, PoolShard s) {
        Fault why = s.failure();
        if (why == null) return;
        int index = unit.storage().index();
        log.error(
                "rank {} target {} does not serve pool {} and will be excluded from it: {}; {}",
                identity.rank(),
                index,
                s.pool(),
                why.message(),
                why.remedy());
        if (why.code() == FaultCode.DF_INCOMPT) {
            reportIncompatible(s.pool(), why);
            return;
        }
        raise(
                RasId.POOL_CORRUPTION_DETECTED,
                "the index on rank " + identity.rank() + " target " + index + " is damaged: " + why.text(),
                Map.of("rank", rank(), "pool", s.pool().toString()));
    }

    /** A record that another release wrote names its container; a pool's marker does not. */
    private void reportIncompatible(UUID pool, Fault why) {
        String text = "incompatible layout version: " + why.text();
        String container = why.argument(Opening.CONTAINER).orElse("");
        if (container.isEmpty())
            raise(RasId.POOL_DURABLE_FORMAT_INCOMPAT, text, Map.of("rank", rank(), "pool", pool.toString()));
        else
            raise(
                    RasId.CONTAINER_DURABLE_FORMAT_INCOMPAT,
                    text,
                    Map.of("rank", rank(), "pool", pool.toString(), "cont", container));
    }

    private String rank() {
        return Integer.toString(identity.rank());
    }

    /** What the leader of the system needs to know which life of which rank is meant. */
    private Map<String, String> life(String data) {
        return Map.of("rank", rank(), "inc", Long.toHexString(identity.incarnation()), "data", data);
    }

    /** Its peers and clients wait for its exclusion. */
    private void onStopped(TargetProxy unit, Fault why) {
        int index = unit.storage().index();
        String failed = unit.storage().kv().damage() == null ? "write" : "read";
        log.error(
                "rank {} target {} has stopped and will be excluded: {}; {}",
                identity.rank(),
                index,
                why.message(),
                STOPPED_REMEDY);
        if (why.argument(TargetProxy.ASSERTED).isPresent())
            raise(
                    RasId.ENGINE_ASSERTED,
                    "DAOS engine " + identity.engineIndex() + " asserted: target " + index + " has stopped",
                    life(why.text()));
        else
            raise(
                    RasId.DEVICE_MEDIA_ERROR,
                    "SCM " + failed + " error logged from tgt_id:" + index + ", the target has stopped; "
                            + STOPPED_REMEDY,
                    Map.of("rank", Integer.toString(identity.rank())));
        devices.onTargetStopped(index);
    }

    private void adopt(PoolMap map) {
        for (TargetProxy unit : targets) unit.run(t -> t.onMap(map));
    }

    /** Announces the absence, lets what is under way finish, stops. Bounded. */
    public void restart() {
        Membership membership = context.membership().get();
        if (membership != null) membership.announceRestarting(identity.rank(), RESTART_BOUND);
        close();
    }

    @Override
    public void close() {
        if (isClosed) return;
        isClosed = true;
        scrubs.close();
        devices.close();
        leases.close();
        registrations.close();
        closeQuietly(listening);
        handles.close();
        for (TargetProxy unit : targets) unit.run(Target::drain);
        long deadlineNs = System.nanoTime() + DRAIN_MAX_NS;
        for (TargetProxy unit : targets) awaitQuiet(unit, deadlineNs);
        for (TargetProxy unit : targets) unit.run(Target::abandon);
        for (TargetProxy unit : targets) unit.stop(JOIN_MS);
        admin.shutdown();
        try {
            if (!admin.awaitTermination(JOIN_MS, TimeUnit.MILLISECONDS)) admin.shutdownNow();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        log.info("rank {} has stopped serving", identity.rank());
    }

    private void awaitQuiet(TargetProxy unit, long deadlineNs) {
        while (System.nanoTime() < deadlineNs) {
            try {
                Boolean isQuiet = unit.<Boolean>internal((t, answer) -> answer.answer(t.isQuiet(), null))
                        .block(Duration.ofSeconds(1));
                if (Boolean.TRUE.equals(isQuiet)) return;
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                log.warn("{}", e.toString());
                return;
            }
        }
        log.warn("rank {}: updates were still under way at the end of the drain", identity.rank());
    }

    static void closeQuietly(AutoCloseable c) {
        try {
            c.close();
        } catch (Exception e) {
            log.debug("close: {}", e.toString());
        }
    }

    private final class MapAnswers implements MapPulls.Answers {
        @Override
        public void onKnown(PoolMap map) {
            adopt(map);
        }

        @Override
        public void onNewest(PoolMap map, long askedNs) {
            adopt(map);
            for (TargetProxy unit : targets) unit.run(t -> t.onNewestMap(map.pool(), map.version(), askedNs));
        }
    }

    private void raise(RasId id, String message, Map<String, String> fields) {
        Ras ras = context.ras().get();
        if (ras != null) ras.raise(id, RasEvent.Severity.ERROR, message, fields);
    }

    /** What the targets see of this process. */
    private final class TargetHost implements Host {
        private final int index;

        TargetHost(int index) {
            this.index = index;
        }

        @Override
        public long nowNs() {
            return System.nanoTime();
        }

        @Override
        public long hlcNow() {
            return context.hlc().now();
        }

        @Override
        public void sawEpoch(long epoch) {
            clock.merge(epoch);
        }

        @Override
        public void foundEpoch(long epoch) {
            clock.found(epoch);
        }

        @Override
        public boolean hasMajority() {
            GroupMap group = context.maps().groupMap();
            long members =
                    group.members().stream().filter(m -> m.state().isInGroup()).count();
            if (members <= 1) return true;
            // while the swim bundle is replaced the last answer counts until it is too old
            Membership membership = context.membership().get();
            if (membership != null) majorityContactNs = membership.lastMajorityContactNs(identity.rank());
            return System.nanoTime() - majorityContactNs < MAJORITY_MAX_NS;
        }

        @Override
        public Leases leases() {
            return leases;
        }

        @Override
        public void needMap(UUID pool, int version) {
            pulls.want(pool, version);
        }

        @Override
        public void awaits(UUID pool, Set<Integer> ranks) {
            leases.report(pool, ranks);
        }

        @Override
        public @Nullable Fault noRoom(boolean isDelete) {
            return storage.refusal(isDelete);
        }

        @Override
        public void onDamage(UUID pool, Fault fault) {
            UUID device = storage.target(index).device();
            storage.onChecksumError(device);
            log.error("rank {} target {} pool {}: {}", identity.rank(), index, pool, fault.message());
            long now = System.nanoTime();
            if (now - lastDamageNs < DAMAGE_EVENT_PAUSE_NS) return;
            lastDamageNs = now;
            String rank = Integer.toString(identity.rank());
            raise(
                    RasId.POOL_CORRUPTION_DETECTED,
                    "data of the pool is damaged on rank " + rank + " target " + index,
                    Map.of("rank", rank, "pool", pool.toString()));
            raise(
                    RasId.DEVICE_MEDIA_ERROR,
                    "Device: " + device + " csum error logged from tgt_id:" + index,
                    Map.of("rank", rank, "hwid", device.toString()));
        }
    }

    /** For faults that stop a start. */
    Fault startFault(Throwable e) {
        Fault f = FaultException.faultOf(e);
        if (f.code() == FaultCode.DF_INCOMPT)
            raise(
                    RasId.POOL_DURABLE_FORMAT_INCOMPAT,
                    "incompatible layout version: " + f.text(),
                    Map.of("rank", rank()));
        raise(
                RasId.ENGINE_DIED,
                "DAOS engine " + identity.engineIndex() + " exited unexpectedly: " + f.message(),
                life(f.message()));
        return f.code() == FaultCode.MISC ? f.remedy("see the stack trace in the node's log") : f;
    }
}
