package io.daosmesh.storage.runtime;

import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.storage.EngineStorage;
import io.daosmesh.storage.emulated.RamBlockDriver;
import io.daosmesh.storage.engine.Drivers;
import io.daosmesh.storage.engine.NodeEffects;
import io.daosmesh.storage.engine.StorageLife;
import io.daosmesh.storage.engine.StorageSettings;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The storage of a node: one {@link StorageAdmin} per engine from the start, one {@link EngineStorage} while it is READY.
 * DS binds drivers before it activates the component, and unbinding waits until the leaving driver is free.
 */
@Component(
        service = {},
        immediate = true,
        configurationPid = "io.daosmesh.storage")
public final class StorageComponent {
    private static final Logger log = LoggerFactory.getLogger(StorageComponent.class);
    /** Below the 5 s for which DS waits for its locks. */
    private static final long UNBIND_WAIT_MS = 4_700;

    private static final long WITHDRAW_WAIT_MS = 15_000;
    private static final int UNTOLD_MAX = 64;

    /** Settings of the bundle. */
    @interface Config {
        /** Milliseconds that I/O waits for a driver before its devices count as unplugged. */
        long device_grace_ms() default 5000;

        /** Milliseconds that a device may take to answer a request before it is set faulty. */
        long device_answer_max_ms() default 10_000;

        /** MiB of aligned I/O buffers for each engine. */
        int buffer_mib() default 48;

        /** MiB of memory for short values that are in the log of an engine and not yet on their devices. */
        int held_mib() default 32;

        /** MiB of a file on the SCM of each engine that is given up when the file system is full; less on a small one. */
        int reserve_mib() default 64;

        /** MiB at the front of each new blob on an emulated device that are filled with zeros when a pool is made. */
        int prezero_mib() default 64;
    }

    private final Drivers drivers = Drivers.none();
    private final RamBlockDriver ram = new RamBlockDriver();
    private final List<StorageLife> nodes = new CopyOnWriteArrayList<>();
    private final List<ServiceRegistration<?>> registrations = new ArrayList<>();
    private final Map<EngineStorage, ServiceRegistration<EngineStorage>> offered = new ConcurrentHashMap<>();
    private final ExecutorService publisher = Executors.newSingleThreadExecutor(task -> {
        Thread thread = new Thread(task, "storage-publisher");
        thread.setDaemon(true);
        return thread;
    });
    private volatile @Nullable Ras ras;
    /** At the start there may be nobody to tell yet. */
    private final BlockingQueue<Event> untold = new ArrayBlockingQueue<>(UNTOLD_MAX);

    private record Event(RasId id, Severity severity, String message, Map<String, String> fields) {
        void raise(Ras sink) {
            sink.raise(id, severity, message, fields);
        }
    }

    @Reference
    @Nullable
    NodeConfig nodeConfig;

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindBlockDriver(BlockDriver driver, Map<String, Object> properties) {
        drivers.block().add(driver, properties);
        for (StorageLife node : nodes) node.onDriversChanged();
    }

    void unbindBlockDriver(BlockDriver driver) {
        drivers.block().remove(driver);
        settleWithout(driver.name());
    }

    private void settleWithout(String driver) {
        List<Future<?>> changes = new ArrayList<>();
        for (StorageLife node : nodes) changes.add(node.onDriversChanged());
        long deadlineNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(UNBIND_WAIT_MS);
        for (Future<?> change : changes) await(change, deadlineNs, "driver " + driver);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindScmDriver(ScmDriver driver, Map<String, Object> properties) {
        drivers.scm().add(driver, properties);
        for (StorageLife node : nodes) node.onDriversChanged();
    }

    void unbindScmDriver(ScmDriver driver) {
        drivers.scm().remove(driver);
        settleWithout(driver.name());
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindLedDriver(LedDriver driver, Map<String, Object> properties) {
        drivers.led().add(driver, properties);
        for (StorageLife node : nodes) node.onLedDriver();
    }

    void unbindLedDriver(LedDriver driver) {
        drivers.led().remove(driver);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindRas(Ras service) {
        ras = service;
        tell();
    }

    private void tell() {
        Ras sink = ras;
        if (sink == null) return;
        for (Event e = untold.poll(); e != null; e = untold.poll()) e.raise(sink);
    }

    void unbindRas(Ras service) {
        if (ras == service) ras = null;
    }

    @Activate
    void start(BundleContext context, Config config) {
        StorageSettings settings = new StorageSettings(
                config.device_grace_ms(),
                config.device_answer_max_ms(),
                (long) config.buffer_mib() << 20,
                (long) config.held_mib() << 20,
                (long) config.reserve_mib() << 20,
                (long) config.prezero_mib() << 20);
        drivers.block().add(ram, Map.of("service.ranking", Integer.MIN_VALUE));
        NodeConfig node = java.util.Objects.requireNonNull(nodeConfig, "DS binds it first");
        for (NodeConfig.Engine engine : node.engines()) {
            StorageLife n = new StorageLife(
                    engine, node.system(), drivers, new Effects(context), settings, () -> others(node, engine));
            nodes.add(n);
            registrations.add(context.registerService(StorageAdmin.class, n, index(engine.index())));
            n.start();
        }
        registrations.add(context.registerService(MetricSource.class, new StorageMetrics(nodes), new Hashtable<>()));
        log.info("storage of {} engines, {}", nodes.size(), settings);
    }

    /** Addresses of devices that the other engines of the node have, or will have when they are made. */
    private Set<String> others(NodeConfig node, NodeConfig.Engine of) {
        Set<String> all = new HashSet<>();
        for (NodeConfig.Engine e : node.engines()) if (e.index() != of.index()) all.addAll(e.bdevs());
        for (StorageLife n : nodes) if (n.engineIndex() != of.index()) all.addAll(n.addresses());
        return all;
    }

    private static Hashtable<String, Object> index(int engineIndex) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put("engine.index", engineIndex);
        return properties;
    }

    @Deactivate
    void stop() {
        for (ServiceRegistration<?> registration : registrations) registration.unregister();
        for (StorageLife node : nodes) node.close();
        publisher.shutdown();
        ram.close();
    }

    private static void await(Future<?> work, long deadlineNs, String what) {
        try {
            work.get(Math.max(0, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            log.warn("{} leaves while requests are still under way", what);
        } catch (ExecutionException e) {
            log.error("{} could not be left in order", what, e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Services are registered on a thread of their own: their users' start must not run on an owner loop. */
    private final class Effects implements NodeEffects {
        private final BundleContext context;

        Effects(BundleContext context) {
            this.context = context;
        }

        @Override
        public void raise(RasId id, Severity severity, String message, String device) {
            Event event = new Event(id, severity, message, device.isEmpty() ? Map.of() : Map.of("data", device));
            if (!untold.offer(event)) log.warn("nobody is told: {}", event);
            tell();
        }

        @Override
        public void onReady(EngineStorage storage) {
            try {
                publisher.execute(() -> offered.put(
                        storage, context.registerService(EngineStorage.class, storage, index(storage.engineIndex()))));
            } catch (RejectedExecutionException e) {
                log.debug("stopping");
            }
        }

        @Override
        public void onWithdrawn(EngineStorage storage) {
            Future<?> done = publisher.submit(() -> {
                ServiceRegistration<EngineStorage> registration = offered.remove(storage);
                if (registration != null) registration.unregister();
            });
            await(done, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(WITHDRAW_WAIT_MS), "engine storage");
        }
    }
}
