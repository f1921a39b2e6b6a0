package io.daosmesh.transport.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.EventLoops;
import io.daosmesh.model.rpc.OwnCertificate;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcServer;
import io.daosmesh.model.time.Hlc;
import io.daosmesh.transport.ClientTransport;
import io.daosmesh.transport.ServerSettings;
import io.daosmesh.transport.ServerTransport;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
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
 * The node's transport: opened when the configuration is there; publishes {@link Rpc}, {@link RpcServer}, {@link Hlc},
 * {@link EventLoops}, {@link OwnCertificate}, {@link RpcClients} and its metrics. Without a port there are no services, so nothing else of the node starts.
 */
@Component(
        immediate = true,
        service = {})
public final class TransportComponent {
    private static final int BIND_TRIES_MAX = 5;
    private static final long BIND_PAUSE_MS = 400;
    private static final long EXIT_MAX_MS = 5_000;
    private static final Logger log = LoggerFactory.getLogger(TransportComponent.class);

    private final List<ServiceRegistration<?>> published = new ArrayList<>();
    private volatile @Nullable ServerTransport transport;
    private volatile @Nullable RankIdentity firstRank;
    private final CertificateEvents certificateEvents = new CertificateEvents();

    @Reference
    private NodeConfig config;

    @SuppressWarnings("NullAway") // the framework sets the reference before it activates
    public TransportComponent() {}

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindRank(RankIdentity rank) {
        RankIdentity first = firstRank;
        if (first == null || rank.rank() < first.rank()) firstRank = rank;
        tellRank();
    }

    void unbindRank(RankIdentity rank) {
        if (rank.equals(firstRank)) firstRank = null;
    }

    @Reference(cardinality = ReferenceCardinality.OPTIONAL, policy = ReferencePolicy.DYNAMIC)
    void bindRas(Ras ras) {
        certificateEvents.bind(ras);
    }

    void unbindRas(Ras ras) {
        certificateEvents.unbind(ras);
    }

    @Activate
    void activate(BundleContext context) throws InterruptedException {
        ServerTransport t = open();
        transport = t;
        tellRank();
        published.add(context.registerService(Hlc.class, t.hlc(), null));
        published.add(context.registerService(RpcServer.class, t.server(), null));
        published.add(context.registerService(EventLoops.class, t.loops(), null));
        published.add(context.registerService(Rpc.class, t.rpc(), null));
        published.add(context.registerService(MetricSource.class, t.metrics(), null));
        published.add(context.registerService(RpcClients.class, ClientTransport::openClient, null));
        t.certificates().ifPresent(certificates -> {
            certificates.listen(certificateEvents);
            OwnCertificate own = () -> certificates.material().own().notAfter();
            published.add(context.registerService(OwnCertificate.class, own, null));
        });
        log.info(
                "listening on {} as {} of system {}, {}",
                config.bindHost() + ":" + config.port(),
                t.address(),
                config.system(),
                config.tls().allowInsecure() ? "INSECURE" : config.tls().clearData() ? "TLS, data clear" : "TLS");
    }

    @Deactivate
    void deactivate() {
        for (int i = published.size() - 1; i >= 0; i--) published.get(i).unregister();
        published.clear();
        ServerTransport t = transport;
        if (t != null) t.close();
    }

    private void tellRank() {
        ServerTransport t = transport;
        RankIdentity rank = firstRank;
        if (t != null && rank != null) t.rank(rank.rank(), rank.incarnation());
    }

    /** A port may still be held for a moment by the process or bundle that this one replaces. */
    private ServerTransport open() throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return ServerTransport.open(
                        ServerSettings.of(config, Runtime.getRuntime().availableProcessors()));
            } catch (FaultException e) {
                if (e.code() != FaultCode.BUSY || attempt == BIND_TRIES_MAX) {
                    log.error(
                            "this node does not start: {}; {}",
                            e.fault().message(),
                            e.fault().remedy());
                    endProcess(e.fault());
                    throw e;
                }
                Thread.sleep(BIND_PAUSE_MS);
            }
        }
    }

    /** Without a transport a node is of no use to anybody: it ends at once and says why, for whoever started it to see. */
    private static void endProcess(Fault fault) {
        System.err.println("ERROR: daos_server: " + fault.message() + ": " + fault.remedy());
        System.err.flush();
        // not on this thread: the framework cannot stop while it is starting this component
        Thread exit = new Thread(() -> System.exit(1), "transport-fault-exit");
        exit.setDaemon(true);
        exit.start();
        Thread halt = new Thread(TransportComponent::haltLater, "transport-fault-halt");
        halt.setDaemon(true);
        halt.start();
    }

    private static void haltLater() {
        try {
            Thread.sleep(EXIT_MAX_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(1);
    }
}
