package io.daosmesh.engine.runtime;

import io.daosmesh.engine.runtime.loop.EngineContext;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.EngineMigration;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.MembersOnly;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.rpc.EventLoops;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.storage.EngineStorage;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.FrameworkUtil;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs an engine for each rank of this node: as soon as the rank has joined (RankIdentity) and its storage is open
 * (EngineStorage), until either goes. Publishes {@link EngineMigration} and {@link MetricSource} for each.
 */
@Component(
        immediate = true,
        service = {})
public final class EngineComponent {
    /** Of every engine of this node. */
    @interface Config {
        /** MiB of short values that each engine keeps in memory to answer hot reads from; 0 = none. */
        int value_cache_mib() default 32;

        /** Milliseconds that a start waits at most for a clock that is behind the data, 0 to 60000. */
        long clock_drift_max_ms() default 10_000;
    }

    private static final Logger log = LoggerFactory.getLogger(EngineComponent.class);

    private final Map<Integer, RankIdentity> identities = new HashMap<>();
    private final Map<Integer, EngineStorage> storages = new HashMap<>();
    private final Map<Integer, Running> running = new HashMap<>();
    private final BundleContext bundle;
    private final EngineContext context;
    private volatile @Nullable Membership membership;
    private volatile @Nullable Ras ras;
    private boolean isStopping;

    /** An open engine and what it has published. */
    private record Running(EngineRuntime runtime, List<ServiceRegistration<?>> published) {}

    @Activate
    public EngineComponent(
            Config config,
            @Reference Rpc rpc,
            @Reference RpcServer server,
            @Reference Maps maps,
            @Reference EventLoops loops,
            @Reference Hlc hlc) {
        this.bundle = Objects.requireNonNull(FrameworkUtil.getBundle(EngineComponent.class))
                .getBundleContext();
        RpcServer members = new MembersOnly(server, maps::isMember);
        EngineContext.Settings settings =
                new EngineContext.Settings(config.value_cache_mib(), config.clock_drift_max_ms());
        this.context = new EngineContext(rpc, members, maps, loops, hlc, () -> membership, () -> ras, settings);
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindMembership(Membership service) {
        membership = service;
    }

    void unbindMembership(Membership service) {
        if (membership == service) membership = null;
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindRas(Ras service) {
        ras = service;
    }

    void unbindRas(Ras service) {
        if (ras == service) ras = null;
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    synchronized void bindIdentity(RankIdentity identity) {
        identities.put(identity.engineIndex(), identity);
        startIfComplete(identity.engineIndex());
    }

    synchronized void unbindIdentity(RankIdentity identity) {
        if (!identities.remove(identity.engineIndex(), identity)) return;
        stop(identity.engineIndex(), false);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    synchronized void bindStorage(EngineStorage storage) {
        storages.put(storage.engineIndex(), storage);
        startIfComplete(storage.engineIndex());
    }

    synchronized void unbindStorage(EngineStorage storage) {
        if (!storages.remove(storage.engineIndex(), storage)) return;
        stop(storage.engineIndex(), true);
    }

    private void startIfComplete(int index) {
        RankIdentity identity = identities.get(index);
        EngineStorage storage = storages.get(index);
        if (identity == null || storage == null || running.containsKey(index) || isStopping) return;
        EngineRuntime runtime = new EngineRuntime(identity, storage, context);
        try {
            runtime.open();
        } catch (RuntimeException e) {
            log.error(
                    "rank {} does not start: {}",
                    identity.rank(),
                    runtime.startFault(e).message(),
                    e);
            runtime.close();
            return;
        }
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put("rank", identity.rank());
        List<ServiceRegistration<?>> published = new ArrayList<>();
        published.add(bundle.registerService(EngineMigration.class, runtime.migration(), properties));
        published.add(bundle.registerService(MetricSource.class, runtime.metrics(), properties));
        running.put(index, new Running(runtime, published));
    }

    private void stop(int index, boolean isAnnounced) {
        Running r = running.remove(index);
        if (r == null) return;
        for (ServiceRegistration<?> p : r.published) EngineRuntime.closeQuietly(p::unregister);
        if (isAnnounced) r.runtime.restart();
        else r.runtime.close();
    }

    @Deactivate
    synchronized void deactivate() {
        isStopping = true;
        for (int index : List.copyOf(running.keySet())) stop(index, true);
    }
}
