package io.daosmesh.control.node;

import io.daosmesh.control.ras.RasJournal;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.StorageAdmin;
import io.daosmesh.model.release.Release;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.OwnCertificate;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcLimit;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.wire.DriverMessage;
import io.daosmesh.model.wire.RasStreamRequest;
import io.daosmesh.model.wire.SupportRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The node's control plane: answers the admin RPCs of the node itself (destination rank -1). It may be absent without any client noticing. Its handlers run on its own threads.
 */
@Component(
        immediate = true,
        service = {})
public final class NodeControl {
    private static final int THREADS_MAX = 4;
    private static final int QUEUED_MAX = 256;
    private static final int LEVEL_TRIES = 60;
    private static final long LEVEL_PAUSE_MS = 1_000;
    private static final long LOG_LOOK_MS = 1_000;
    private static final Logger LOG = LoggerFactory.getLogger(NodeControl.class);
    /** As much as {@link RpcLimit} lets through: each RPC here checks what it takes. */
    private static final MessageLimits LIMITS = MessageLimits.of(64 << 10, 64 << 10);

    private final Engines engines = new Engines();
    private final Scheduler scheduler = Schedulers.newBoundedElastic(THREADS_MAX, QUEUED_MAX, "control", 60, true);
    private final Registrations registrations;
    private final EngineLives lives;
    private volatile @Nullable Maps maps; // null while management is absent
    private volatile @Nullable OwnCertificate certificate; // null in insecure mode

    @Activate
    public NodeControl(
            BundleContext context,
            @Reference NodeConfig config,
            @Reference RpcServer server,
            @Reference RasJournal ras) {
        lives = new EngineLives(config, ras, EngineLives.thisProcess());
        LogLevels levels = new LogLevels(context);
        beginLevels(levels, config, LEVEL_TRIES);
        watchLogs(levels);
        Devices devices = new Devices(engines, driver -> complete(context, driver));
        FormatHandler format = new FormatHandler(config, engines, () -> Optional.ofNullable(maps), scheduler);
        NodeRpcs.Parts parts = new NodeRpcs.Parts(
                config,
                engines,
                devices,
                format,
                new Lights(devices, scheduler),
                levels,
                this::member,
                () -> Optional.ofNullable(certificate),
                Release.own().text());
        registrations = new Registrations(server, Endpoint.NODE, LIMITS);
        NodeRpcs rpcs = new NodeRpcs(parts, scheduler);
        rpcs.register(registrations);
        SupportFeed support = new SupportFeed(config, devices, context, () -> Optional.ofNullable(maps), scheduler);
        registrations.onStream(
                RpcMethod.COLLECT_LOG,
                SupportRequest.parser(),
                (request, peer) -> support.parts(request, rpcs::status));
        if (Boolean.getBoolean("daosmesh.server.format")) format.formatNew();
        registrations.onStream(
                RpcMethod.RAS_STREAM,
                RasStreamRequest.parser(),
                (request, peer) -> ras.feed(request).map(RpcMessage::of));
    }

    private void watchLogs(LogLevels levels) {
        String folder = System.getProperty("karaf.log", "");
        if (folder.isEmpty()) return;
        List<Path> files = List.of(Path.of(folder, "node.log"), Path.of(folder, "audit.log"));
        MovedLogs logs = new MovedLogs(files, () -> reopen(levels), System.nanoTime());
        scheduler.schedulePeriodically(
                () -> {
                    if (logs.look(System.nanoTime())) LOG.info("a log file was moved: opened anew");
                },
                LOG_LOOK_MS,
                LOG_LOOK_MS,
                TimeUnit.MILLISECONDS);
    }

    private static void reopen(LogLevels levels) {
        try {
            levels.reopen();
        } catch (FaultException e) {
            LOG.warn(
                    "a log file was moved and cannot be opened anew: {}",
                    e.fault().message());
        }
    }

    /** The log service starts about when this does. */
    private void beginLevels(LogLevels levels, NodeConfig config, int triesLeft) {
        scheduler.schedule(
                () -> {
                    try {
                        if (!levels.begin(config) && triesLeft > 1) beginLevels(levels, config, triesLeft - 1);
                    } catch (FaultException e) {
                        LOG.warn("log_mask is not applied: {}", e.fault().message());
                    }
                },
                triesLeft == LEVEL_TRIES ? 0 : LEVEL_PAUSE_MS,
                TimeUnit.MILLISECONDS);
    }

    private static DriverMessage complete(BundleContext context, DriverMessage driver) {
        for (Bundle bundle : context.getBundles()) {
            if (driver.getBundle().equals(bundle.getSymbolicName())
                    && driver.getVersion().equals(bundle.getVersion().toString())) {
                return driver.toBuilder()
                        .setBundleId(bundle.getBundleId())
                        .setState(bundle.getState() == Bundle.ACTIVE ? "ACTIVE" : "STOPPED")
                        .build();
            }
        }
        return driver;
    }

    private Optional<Member> member(int rank) {
        return Optional.ofNullable(maps).flatMap(m -> m.groupMap().member(rank));
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindStorage(StorageAdmin storage) {
        engines.add(storage);
    }

    void unbindStorage(StorageAdmin storage) {
        engines.remove(storage);
    }

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindRank(RankIdentity rank) {
        engines.add(rank);
        lives.begin(rank);
    }

    void unbindRank(RankIdentity rank) {
        engines.remove(rank);
        lives.end(rank);
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindMaps(Maps found) {
        maps = found;
    }

    void unbindMaps(Maps gone) {
        if (maps == gone) maps = null;
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindCertificate(OwnCertificate found) {
        certificate = found;
    }

    void unbindCertificate(OwnCertificate gone) {
        if (certificate == gone) certificate = null;
    }

    @Deactivate
    void stop() {
        registrations.close();
        scheduler.dispose();
    }
}
