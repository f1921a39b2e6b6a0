package io.daosmesh.engine.runtime;

import io.daosmesh.engine.rank.DeviceReaction;
import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.wire.PoolTargetsRequest;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.EngineStorage;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Takes the targets of a device that is gone or faulty out of their pools, and brings back those it took out when the device
 * serves again. It compares what is with what should be after each change and after a pause; nothing depends on seeing every
 * event. Owner: its own loop.
 */
final class DeviceWatch implements AutoCloseable {
    /** Devices of one driver change together: one map change for all. */
    private static final long GATHER_MS = 100;

    private static final long PAUSE_MIN_MS = 250;
    private static final long PAUSE_MAX_MS = 5_000;
    /** After a refusal that only a person or a finished rebuild ends. */
    private static final long REFUSED_PAUSE_MS = 10_000;

    private static final Duration TOLD_MAX = Duration.ofSeconds(5);

    /** Longer than a request to the pool service can be on its way. */
    private static final long DOUBT_NS = 30_000_000_000L;

    private static final Logger log = LoggerFactory.getLogger(DeviceWatch.class);

    private final RankIdentity identity;
    private final EngineStorage storage;
    private final EngineContext context;
    private final List<TargetProxy> targets;
    private final PoolServiceCalls service;
    private final ScheduledExecutorService loop;
    private final Map<UUID, Device> devices = new HashMap<>();
    private final Map<UUID, Progress> pools = new HashMap<>();
    /** Targets that serve nothing until the engine starts anew, whatever their device does. */
    private final Set<Integer> stopped = new TreeSet<>();

    private @Nullable AutoCloseable deviceListener;
    private @Nullable AutoCloseable mapListener;
    private boolean isReviewPlanned;
    /** Of the first group map that told of this start; 0 = none yet. */
    private int joinedVersion;
    /** Maps that there were before this engine: one that it has replaced, in the same process, may have served by them. */
    private final Map<UUID, Integer> firstVersions = new HashMap<>();

    private record Device(DeviceState state, Set<Integer> targets) {}

    /** Where this watch is with one pool. */
    private static final class Progress {
        private final Set<Integer> outForDevice = new TreeSet<>();
        private boolean isAsking;
        private int awaitedVersion;
        private int failures;
        private long notBeforeNs = System.nanoTime();
        private String requestId = "";
        private @Nullable Object requested;
        private @Nullable FaultCode logged;
        /** Until then an exclusion whose answer got lost may still appear in the map. */
        private long doubtUntilNs = notBeforeNs;
    }

    private record Wanted(PoolTargetsRequest.Op change, Set<Integer> indexes) {}

    DeviceWatch(RankIdentity identity, EngineStorage storage, EngineContext context, List<TargetProxy> targets) {
        this.identity = identity;
        this.storage = storage;
        this.context = context;
        this.targets = targets;
        this.service = new PoolServiceCalls(context, identity);
        for (UUID pool : context.maps().pools())
            context.maps().poolMap(pool).ifPresent(m -> firstVersions.put(pool, m.version()));
        this.loop = Executors.newSingleThreadScheduledExecutor(r -> {
            Thread t = new Thread(r, "engine-" + identity.rank() + "-devices");
            t.setDaemon(true);
            return t;
        });
    }

    /** The targets are open. */
    void open() {
        deviceListener = storage.listen((device, state, on, reason) -> run(() -> {
            Device before = devices.put(device, new Device(state, Set.copyOf(on)));
            // a watched device that serves is nothing new
            if (before == null ? DeviceReaction.isLost(state) : before.state != state) onDevice(device, state);
            reviewSoon(GATHER_MS);
        }));
        mapListener = context.maps().listen(new Maps.Listener() {
            @Override
            public void onPoolMap(PoolMap map) {
                run(() -> onMap(map));
            }

            @Override
            public void onPoolGone(UUID pool) {
                run(() -> pools.remove(pool));
            }
        });
    }

    /** Any thread. */
    void onTargetStopped(int index) {
        run(() -> {
            stopped.add(index);
            reviewSoon(GATHER_MS);
        });
    }

    private void run(Runnable work) {
        try {
            loop.execute(() -> guarded(work));
        } catch (RejectedExecutionException e) {
            log.debug("closed");
        }
    }

    private void guarded(Runnable work) {
        try {
            work.run();
        } catch (RuntimeException e) {
            log.error("rank {}: watching devices", identity.rank(), e);
            reviewSoon(PAUSE_MAX_MS);
        }
    }

    private void reviewSoon(long delayMs) {
        if (isReviewPlanned && delayMs <= GATHER_MS) return;
        if (delayMs <= GATHER_MS) isReviewPlanned = true;
        try {
            loop.schedule(() -> guarded(this::review), delayMs, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("closed");
        }
    }

    private void onDevice(UUID device, DeviceState state) {
        log.info("rank {}: device {} is {}", identity.rank(), device, state.shown());
        pools.values().forEach(p -> {
            p.failures = 0;
            p.notBeforeNs = System.nanoTime();
            p.logged = null;
        });
    }

    private void onMap(PoolMap map) {
        Progress p = pools.get(map.pool());
        // what was refused under the old map may be allowed under this one
        if (p != null && !p.isAsking && p.failures > 0) p.notBeforeNs = System.nanoTime();
        reviewSoon(GATHER_MS);
    }

    private void review() {
        isReviewPlanned = false;
        if (joinedVersion == 0) joinedVersion = joinedVersion(context.maps().groupMap());
        for (EngineStorage.PoolReservation r : storage.pools()) {
            Optional<PoolMap> map = context.maps().poolMap(r.pool());
            map.ifPresent(this::review);
        }
        devices.forEach(this::tearDownIfOut);
    }

    private int joinedVersion(GroupMap members) {
        boolean isTold = members.member(identity.rank())
                .filter(m -> m.incarnation() == identity.incarnation())
                .isPresent();
        return isTold ? members.version() : 0;
    }

    private void review(PoolMap map) {
        Progress p = pools.computeIfAbsent(map.pool(), this::resume);
        if (p.isAsking || map.version() < p.awaitedVersion) return;
        Map<Integer, DeviceState> states = new HashMap<>();
        for (Device d : devices.values()) for (int t : d.targets) states.put(t, d.state);
        for (int t : stopped) states.put(t, DeviceState.FAULTY);
        for (TargetProxy unit : targets)
            if (unit.hasFailed(map.pool())) states.put(unit.storage().index(), DeviceState.FAULTY);
        DeviceReaction reaction = DeviceReaction.of(map, identity.rank(), states, p.outForDevice);
        long doubtNs = p.doubtUntilNs - System.nanoTime();
        boolean isBack = !reaction.settled().isEmpty();
        if (isBack && doubtNs <= 0) note(map.pool(), p, reaction.settled(), false);
        if (isBack && doubtNs > 0) reviewSoon(TimeUnit.NANOSECONDS.toMillis(doubtNs) + GATHER_MS + 1);
        Wanted wanted = !reaction.exclude().isEmpty()
                ? new Wanted(PoolTargetsRequest.Op.EXCLUDE, reaction.exclude())
                : new Wanted(PoolTargetsRequest.Op.REINTEGRATE, reaction.reintegrate());
        if (wanted.indexes.isEmpty()) {
            p.failures = 0;
            p.requested = null;
            return;
        }
        long waitNs = p.notBeforeNs - System.nanoTime();
        if (waitNs > 0) reviewSoon(TimeUnit.NANOSECONDS.toMillis(waitNs) + GATHER_MS + 1);
        else ask(map.pool(), p, wanted);
    }

    /** What an engine before this one took out is brought back by this one. */
    private Progress resume(UUID pool) {
        Progress p = new Progress();
        for (TargetProxy unit : targets) {
            Boolean isOut = unit.<Boolean>internal((t, answer) -> answer.answer(t.isOutForDevice(pool), null))
                    .block(TOLD_MAX);
            if (Boolean.TRUE.equals(isOut)) p.outForDevice.add(unit.storage().index());
        }
        // what the one before has asked for may be on its way
        if (!p.outForDevice.isEmpty()) p.doubtUntilNs = System.nanoTime() + DOUBT_NS;
        return p;
    }

    private void ask(UUID pool, Progress p, Wanted wanted) {
        if (!wanted.equals(p.requested)) {
            p.requested = wanted;
            p.requestId = "device-" + UUID.randomUUID();
        }
        p.isAsking = true;
        if (wanted.change == PoolTargetsRequest.Op.EXCLUDE) p.doubtUntilNs = System.nanoTime() + DOUBT_NS;
        // noted before: targets that are out without a note would stay out
        if (wanted.change == PoolTargetsRequest.Op.EXCLUDE) note(pool, p, wanted.indexes, true);
        idleness(pool, wanted)
                .flatMap(idle -> service.change(pool, wanted.change, wanted.indexes, p.requestId, idle))
                .subscribe(
                        version -> run(() -> onDone(pool, p, wanted, version)),
                        error -> run(() -> onRefused(pool, p, wanted, FaultException.faultOf(error))));
    }

    /** Only of targets that serve nothing any more: others may take an update while the question is on its way. */
    private Mono<PoolServiceCalls.Idleness> idleness(UUID pool, Wanted wanted) {
        boolean isOver = wanted.indexes.stream().allMatch(i -> targets.get(i).hasFailed(pool));
        int joined = joinedVersion;
        if (wanted.change != PoolTargetsRequest.Op.EXCLUDE || !isOver || joined == 0)
            return Mono.just(PoolServiceCalls.Idleness.UNTOLD);
        return Flux.fromIterable(wanted.indexes)
                .concatMap(i -> targets.get(i).<Integer>internal((t, a) -> a.answer(t.updatedVersion(pool), null)))
                .reduce(firstVersions.getOrDefault(pool, 0), Math::max)
                .map(updated -> new PoolServiceCalls.Idleness(updated, joined))
                .timeout(TOLD_MAX, Mono.just(PoolServiceCalls.Idleness.UNTOLD));
    }

    private void onDone(UUID pool, Progress p, Wanted wanted, int version) {
        p.isAsking = false;
        p.failures = 0;
        p.requested = null;
        p.logged = null;
        p.awaitedVersion = version;
        p.doubtUntilNs = System.nanoTime();
        log.info(
                "rank {} pool {}: {} of targets {} for their device, map version {}",
                identity.rank(),
                pool,
                wanted.change.name().toLowerCase(java.util.Locale.ROOT),
                wanted.indexes,
                version);
        context.maps()
                .poolMap(pool, version)
                .subscribe(map -> run(() -> reviewSoon(0)), e -> log.debug("map {}: {}", version, e.getMessage()));
    }

    private void onRefused(UUID pool, Progress p, Wanted wanted, Fault fault) {
        p.isAsking = false;
        p.failures++;
        boolean isFinal = fault.code().retry() == FaultCode.Retry.NEVER && fault.code() != FaultCode.ALREADY;
        // the request may have been done and its answer lost: the same one again tells
        if (fault.code().retry() == FaultCode.Retry.NEVER) p.requested = null;
        long pauseMs =
                isFinal ? REFUSED_PAUSE_MS : Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS << Math.min(10, p.failures - 1));
        p.notBeforeNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(pauseMs);
        if (p.logged != fault.code()) {
            p.logged = fault.code();
            log.warn(
                    "rank {} pool {}: cannot {} targets {} for their device, will try again: {}",
                    identity.rank(),
                    pool,
                    wanted.change.name().toLowerCase(java.util.Locale.ROOT),
                    wanted.indexes,
                    fault.message());
        }
        reviewSoon(pauseMs + GATHER_MS + 1);
    }

    private void note(UUID pool, Progress p, Set<Integer> indexes, boolean isOut) {
        for (int i : indexes) {
            if (isOut ? p.outForDevice.add(i) : p.outForDevice.remove(i))
                targets.get(i).run(t -> t.noteOutForDevice(pool, isOut));
        }
    }

    private void tearDownIfOut(UUID device, Device d) {
        if (d.state != DeviceState.FAULTY && d.state != DeviceState.UNPLUGGED) return;
        for (EngineStorage.PoolReservation r : storage.pools()) {
            Optional<PoolMap> map = context.maps().poolMap(r.pool());
            if (map.isEmpty() || !DeviceReaction.isOut(map.get(), identity.rank(), d.targets)) return;
        }
        if (d.state == DeviceState.FAULTY) log.info("rank {}: device {} is out of all pools", identity.rank(), device);
        storage.tearDown(device);
    }

    @Override
    public void close() {
        AutoCloseable d = deviceListener;
        AutoCloseable m = mapListener;
        if (d != null) EngineRuntime.closeQuietly(d);
        if (m != null) EngineRuntime.closeQuietly(m);
        loop.shutdownNow();
    }
}
