package io.daosmesh.management.node;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.loop.Timing;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.KeptRas;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.PoolServices;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.RebuildProgress;
import io.daosmesh.model.port.StateEvents;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
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
 * Management in the container: publishes {@link Maps}, {@link PoolServices}, {@link MetricSource}, {@link StateEvents}, and a
 * {@link RankIdentity} for each joined rank. Storage, gossip, rebuild and RAS may come and go while it runs.
 */
@Component(
        service = {},
        immediate = true)
public final class ManagementComponent {
    private static final Logger LOG = LoggerFactory.getLogger(ManagementComponent.class);

    private final BundleContext context;
    private final ManagementNode node;
    private final List<ServiceRegistration<?>> published = new ArrayList<>();
    private final Map<Membership, AutoCloseable> gossip = new ConcurrentHashMap<>();
    private final KeptRas ras = new KeptRas();
    private volatile @Nullable RebuildProgress rebuild;

    @Activate
    public ManagementComponent(
            BundleContext context,
            @Reference NodeConfig config,
            @Reference Rpc rpc,
            @Reference RpcServer server,
            @Reference Hlc hlc) {
        this.context = context;
        NodeContext parts = new NodeContext(config, rpc, server, hlc, new Loop(), ras, Timing.DEFAULT);
        node = new ManagementNode(parts, this::publishRank, () -> Optional.ofNullable(rebuild));
        node.onRestart(this::restart);
        published.add(context.registerService(Maps.class, node.maps(), null));
        published.add(context.registerService(PoolServices.class, node.poolServices(), null));
        published.add(context.registerService(MetricSource.class, node.metrics(), null));
        published.add(context.registerService(StateEvents.class, node.stateEvents(), null));
        LOG.info("management of {} is up, replicas {}", config.address(), config.replicas());
    }

    /** Those who use its services let go of them and come back. */
    private void restart() {
        Bundle bundle = context.getBundle();
        Runnable work = () -> {
            try {
                bundle.stop(Bundle.STOP_TRANSIENT);
                bundle.start(Bundle.START_TRANSIENT);
            } catch (BundleException e) {
                LOG.error("management does not start again, restart the node: {}", e.toString());
            }
        };
        Thread thread = new Thread(work, "daosmesh-management-restart");
        thread.setDaemon(true);
        thread.start();
    }

    private AutoCloseable publishRank(RankIdentity rank) {
        Dictionary<String, Object> properties = new Hashtable<>();
        properties.put("rank", rank.rank());
        properties.put("engine.index", rank.engineIndex());
        ServiceRegistration<RankIdentity> r = context.registerService(RankIdentity.class, rank, properties);
        return () -> unregister(r);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindStorage(StorageAdmin storage) {
        node.addStorage(storage);
    }

    void unbindStorage(StorageAdmin storage) {
        node.removeStorage(storage);
    }

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindMembership(Membership m) {
        gossip.put(m, m.listen(node.deaths()));
    }

    void unbindMembership(Membership m) {
        AutoCloseable listening = gossip.remove(m);
        if (listening == null) return;
        try {
            listening.close();
        } catch (Exception e) {
            LOG.warn("gossip does not let go: {}", e.toString());
        }
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindRas(Ras r) {
        ras.bind(r);
    }

    void unbindRas(Ras r) {
        ras.unbind(r);
    }

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    void bindRebuild(RebuildProgress r) {
        rebuild = r;
    }

    void unbindRebuild(RebuildProgress r) {
        if (rebuild == r) rebuild = null;
    }

    @Deactivate
    void stop() {
        published.forEach(ManagementComponent::unregister);
        node.close();
    }

    private static void unregister(ServiceRegistration<?> r) {
        try {
            r.unregister();
        } catch (IllegalStateException alreadyGone) {
            LOG.debug("service was already withdrawn");
        }
    }
}
