package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.FormatResultMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.SmdPoolMessage;
import io.daosmesh.spi.DeviceSpec;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.storage.DeviceState;
import io.daosmesh.storage.log.runtime.EngineLog;
import io.daosmesh.storage.scm.ScmFolder;
import io.daosmesh.storage.scm.ScmRoom;
import io.daosmesh.storage.slot.BlobOp;
import io.daosmesh.storage.slot.SlotLimits;
import io.daosmesh.storage.slot.SlotSet;
import io.daosmesh.storage.smd.Smd;
import io.daosmesh.storage.smd.Superblock;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** Life of one engine's storage: found, formatted, open, failed. Its single owner thread does everything that changes it. */
public final class StorageLife implements StorageAdmin, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(StorageLife.class);
    private static final long TICK_MS = 50;
    /** When all is open: a driver or a device that goes says so by itself. */
    private static final long SETTLED_TICK_MS = 250;

    private static final String FORMAT_REMEDY =
            "start the release that wrote it, or format the engine's storage anew (dmg storage format --force): what"
                    + " it held is rebuilt from the other replicas";

    private final NodeConfig.Engine config;
    private final String system;
    private final Drivers drivers;
    private final NodeEffects effects;
    private final StorageSettings settings;
    private final DeviceViews views;
    private final DeviceEvents events;
    private final DeviceChanges changes;
    private final ScheduledExecutorService owner;
    private final CopyOnWriteArrayList<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile State state = State.STARTING;
    private volatile @Nullable Fault fault;
    private volatile @Nullable ScmFolder scm;
    private volatile @Nullable EngineStore engine;
    /** The driver that should serve the SCM cannot, and that was said. Owner thread. */
    private boolean isScmRefused;

    /** @param taken addresses of devices that other engines of the node have */
    public StorageLife(
            NodeConfig.Engine config,
            String system,
            Drivers drivers,
            NodeEffects effects,
            StorageSettings settings,
            Supplier<Set<String>> taken) {
        this.config = config;
        this.system = system;
        this.drivers = drivers;
        this.effects = effects;
        this.settings = settings;
        this.events = new DeviceEvents(effects);
        this.views = new DeviceViews(config, drivers, settings.reserveBytes(), taken);
        this.changes = new DeviceChanges(views, drivers, events);
        owner = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "storage-owner-" + config.index());
            thread.setDaemon(true);
            return thread;
        });
    }

    public void start() {
        tickAfter(0);
    }

    private void tickAfter(long ms) {
        try {
            owner.schedule(this::onTick, ms, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            log.debug("storage of engine {} is closed", config.index());
        }
    }

    private void onTick() {
        try {
            tick();
        } finally {
            EngineStore open = engine;
            boolean isSettled =
                    state == State.READY && open != null && open.slots().isServed();
            tickAfter(isSettled && !isScmRefused ? SETTLED_TICK_MS : TICK_MS);
        }
    }

    private void tick() {
        try {
            EngineStore open = engine;
            if (open != null) open.slots().onTick(System.nanoTime());
            settleScm();
            if (state == State.STARTING) advance();
            else if (open != null && state == State.READY) changes.addInPlace(open);
        } catch (RuntimeException e) {
            fail(FaultException.faultOf(e));
            log.error("storage of engine {} stopped", config.index(), e);
        }
    }

    private Optional<ScmDriver> scmDriver() {
        return drivers.scm().best(d -> d.scmClasses().contains(config.scmClass()));
    }

    /** The SCM goes to the driver that is best now; what cannot be mapped is tried again with the next tick. */
    private void settleScm() {
        ScmFolder present = scm;
        ScmDriver best = scmDriver().orElse(null);
        if (present == null || present.isServedBy(best)) return;
        EngineStore open = engine;
        EngineLog engineLog = open == null ? null : open.log();
        try {
            if (best == null) {
                if (engineLog != null) engineLog.onDriver(null);
                present.release();
                return;
            }
            ScmFolder next = ScmFolder.open(config.index(), best, views.scmSpec());
            if (engineLog != null) engineLog.onDriver(next);
            present.release();
            scm = next;
            isScmRefused = false;
            log.info(
                    "SCM of engine {} now served by {} {}: pause {} us",
                    config.index(),
                    best.name(),
                    best.version(),
                    engineLog == null ? 0 : engineLog.swaps().lastPauseNs() / 1000);
        } catch (FaultException e) {
            if (!isScmRefused) log.error("SCM of engine {}: {}", config.index(), e.getMessage());
            isScmRefused = true;
        }
    }

    /** One step from nothing to READY; called until there. */
    private void advance() {
        try {
            ScmFolder folder = scm;
            if (folder == null) {
                Optional<ScmDriver> driver = scmDriver();
                if (driver.isEmpty()) return;
                folder = ScmFolder.open(config.index(), driver.get(), views.scmSpec());
                scm = folder;
            }
            EngineStore open = engine;
            if (open == null) {
                Optional<Superblock> superblock = folder.superblock();
                if (superblock.isEmpty()) {
                    become(State.AWAIT_FORMAT);
                    String text = "DAOS engine " + config.index() + " requires a SCM format";
                    effects.raise(RasId.ENGINE_FORMAT_REQUIRED, Severity.NOTICE, text, "");
                    return;
                }
                FormatCheck.check(superblock.get(), config, system);
                ScmRoom room = ScmRoom.of(folder, views.marks(folder), this::onRoom);
                room.open();
                open = new EngineStore(folder, superblock.get(), owner, room, this::makeSlots, settings);
                engine = open;
                open.slots().onDriversChanged();
            }
            if (!open.slots().isSettled()) return;
            open.openIndexes(folder);
            changes.addConfigured(open);
            become(State.READY);
            views.rest(open);
            effects.onReady(open);
        } catch (FaultException e) {
            if (e.code() == FaultCode.DF_INCOMPT)
                effects.raise(
                        RasId.ENGINE_DURABLE_FORMAT_INCOMPAT,
                        Severity.ERROR,
                        "engine " + config.index() + ": " + e.fault().text() + "; " + FORMAT_REMEDY,
                        "");
            fail(e.code() == FaultCode.DF_INCOMPT ? e.fault().remedy(FORMAT_REMEDY) : e.fault());
        }
    }

    private SlotSet makeSlots(Supplier<Smd> tables, EngineStore.DeviceWatcher store) {
        SlotSet.Listener both = new SlotSet.Listener() {
            @Override
            public void onDevice(Smd.Device device, DeviceState old, DeviceState next, String reason) {
                store.onDevice(device, old, next, reason);
                StorageLife.this.onDevice(device, old, next, reason);
            }

            @Override
            public void onMediaError(Smd.Device device, BlobOp.Kind kind) {
                events.onMediaError(device, kind);
            }
        };
        return new SlotSet(
                tables,
                device -> views.spec(tables.get(), device),
                drivers.block(),
                SlotLimits.of(settings.deviceGraceMs(), settings.answerMsMax()).with(config.autoFaulty()),
                owner,
                both);
    }

    private void onDevice(Smd.Device device, DeviceState old, DeviceState next, String reason) {
        log.info("device {} ({}): {} -> {}: {}", device.uuid(), device.address(), old, next, reason);
        events.onState(device, old, next, reason);
        EngineStore open = engine;
        if (open != null) views.rest(open, device.uuid());
        for (Listener l : listeners) l.onDevice(device.uuid(), next.shown(), device.targets());
    }

    /** Any thread: the room is looked at where a slow disk holds up nobody. */
    private void onRoom(boolean isAmple, String text) {
        RasId id = isAmple ? RasId.ENGINE_SCM_WRITABLE : RasId.ENGINE_SCM_READ_ONLY;
        try {
            owner.execute(() -> effects.raise(
                    id,
                    isAmple ? Severity.NOTICE : Severity.ERROR,
                    "SCM of engine " + config.index() + " " + text,
                    ""));
        } catch (RejectedExecutionException e) {
            log.debug("closed");
        }
    }

    private void become(State next) {
        if (state == next) return;
        log.info("storage of engine {}: {} -> {}", config.index(), state, next);
        state = next;
        for (Listener l : listeners) l.onState(next);
    }

    private void fail(Fault why) {
        fault = why;
        log.error("storage of engine {} failed: {}; {}", config.index(), why.message(), why.remedy());
        shut();
        become(State.FAILED);
    }

    private void shut() {
        EngineStore open = engine;
        if (open == null) return;
        if (state == State.READY) effects.onWithdrawn(open);
        engine = null;
        open.close();
    }

    /** The set of drivers has changed: returns when no device uses one that has left, at most after {@code waitMs}. */
    public Future<?> onDriversChanged() {
        try {
            return owner.submit(() -> {
                EngineStore open = engine;
                settleScm();
                if (open != null) open.slots().onDriversChanged();
            });
        } catch (RejectedExecutionException e) {
            return java.util.concurrent.CompletableFuture.completedFuture(null);
        }
    }

    private <T> Mono<T> onOwner(Callable<T> work) {
        return Mono.create(sink -> {
            try {
                owner.execute(() -> {
                    try {
                        sink.success(work.call());
                    } catch (Exception e) {
                        sink.error(e);
                    }
                });
            } catch (RejectedExecutionException e) {
                sink.error(Fault.of(FaultCode.UNINIT, "storage is closing").asException());
            }
        });
    }

    @Override
    public int engineIndex() {
        return config.index();
    }

    @Override
    public State state() {
        return state;
    }

    @Override
    public String fault() {
        Fault why = fault;
        return state == State.FAILED && why != null ? why.message() + "; " + why.remedy() : "";
    }

    @Override
    public Optional<UUID> engineUuid() {
        return Optional.ofNullable(engine).map(e -> e.superblock().engine());
    }

    @Override
    public Optional<Integer> rank() {
        return Optional.ofNullable(engine).map(e -> e.superblock().rank()).filter(r -> r >= 0);
    }

    @Override
    public Mono<Void> assignRank(int rank) {
        return done(() -> ready().assignRank(rank));
    }

    private EngineStore ready() {
        EngineStore open = engine;
        if (open == null || state != State.READY)
            throw Fault.of(FaultCode.UNINIT, "storage of engine %d is %s", config.index(), state)
                    .asException();
        return open;
    }

    @Override
    public Mono<List<FormatResultMessage>> format(String systemName, boolean force) {
        return onOwner(() -> format(systemName, force, -1));
    }

    @Override
    public Mono<List<FormatResultMessage>> formatToReplace(String systemName) {
        return onOwner(() -> format(systemName, false, Superblock.REPLACES));
    }

    @Override
    public boolean isReplacement() {
        EngineStore open = engine;
        return open != null && open.superblock().rank() == Superblock.REPLACES;
    }

    private List<FormatResultMessage> format(String systemName, boolean force, int rank) {
        ScmDriver driver = scmDriver()
                .orElseThrow(() -> Fault.of(FaultCode.NOSYS, "no driver serves SCM class %s", config.scmClass())
                        .remedy("install the driver bundle of this class")
                        .asException());
        ScmFolder folder = ScmFolder.open(config.index(), driver, views.scmSpec());
        if (folder.isFormatted() && !force)
            throw Fault.of(FaultCode.EXIST, "storage of engine %d is already formatted", config.index())
                    .remedy("use --force to format it again: all its data is lost")
                    .with("storage", 101)
                    .asException();
        List<DeviceSpec> added = views.added(engine);
        shut();
        scm = folder;
        fault = null;
        Superblock superblock = new Superblock(
                UUID.randomUUID(),
                systemName.isBlank() ? system : systemName,
                config.index(),
                rank,
                config.targetCount(),
                System.currentTimeMillis());
        Formatter formatter = new Formatter(folder, drivers.block(), superblock, views.marks(folder));
        List<FormatResultMessage> results = formatter.format(views.deviceSpecs(), added);
        become(results.get(0).getOk() ? State.STARTING : State.AWAIT_FORMAT);
        if (state == State.STARTING) advance();
        return results;
    }

    @Override
    public Mono<Void> erase(UUID id) {
        return onOwner(() -> {
                    EngineStore open = engine;
                    if (open == null || !open.superblock().engine().equals(id)) return false;
                    ScmFolder folder = Objects.requireNonNull(scm, "an open engine has its SCM");
                    log.warn("erasing the storage of engine {}", config.index());
                    shut();
                    folder.erase();
                    fault = null;
                    become(State.AWAIT_FORMAT);
                    return true;
                })
                .then();
    }

    @Override
    public Mono<ScmInfoMessage> scm() {
        return onOwner(() -> views.scm(scm, engine, state.name()));
    }

    @Override
    public Mono<List<DeviceInfoMessage>> devices(boolean health) {
        return onOwner(() -> views.devices(engine, health));
    }

    @Override
    public List<SmdPoolMessage> pools() {
        EngineStore open = engine;
        return open == null ? List.of() : DeviceViews.pools(open);
    }

    @Override
    public List<DriverMessage> drivers() {
        return views.drivers(engine);
    }

    @Override
    public Mono<DeviceInfoMessage> led(UUID device, String led) {
        return onOwner(() -> changes.led(ready(), device, led));
    }

    @Override
    public Mono<Void> setFaulty(UUID device) {
        return done(() -> changes.setFaulty(ready(), device));
    }

    @Override
    public Mono<Void> replace(UUID old, UUID next) {
        return done(() -> changes.replace(ready(), old, next));
    }

    @Override
    public Mono<DeviceInfoMessage> addDevice(String address) {
        return onOwner(() -> changes.add(ready(), address));
    }

    private Mono<Void> done(Runnable work) {
        return onOwner(() -> {
                    work.run();
                    return true;
                })
                .then();
    }

    /** Of devices that this engine has or would have. Any thread. */
    public Set<String> addresses() {
        return views.addresses(engine);
    }

    /** A driver of lights is there: it knows nothing of those of the one before. */
    public void onLedDriver() {
        try {
            owner.execute(() -> {
                EngineStore open = engine;
                if (open != null) views.rest(open);
            });
        } catch (RejectedExecutionException e) {
            log.debug("closed");
        }
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Nullable
    public EngineStore engine() {
        return engine;
    }

    public Map<String, String> labels() {
        return rank().map(r -> Map.of("rank", String.valueOf(r))).orElse(Map.of());
    }

    /** Closes devices and indexes, waiting at most 15 s. */
    @Override
    public void close() {
        try {
            owner.execute(this::shut);
            owner.shutdown();
            if (!owner.awaitTermination(15, TimeUnit.SECONDS))
                log.warn("engine {}: devices did not close", config.index());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RejectedExecutionException e) {
            log.debug("closed before");
        }
    }
}
