package io.daosmesh.telemetry;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves the numbers of every {@link MetricSource} of the node on {@code telemetry_port}; 0 turns it off. */
@Component(
        immediate = true,
        service = {})
public final class TelemetryComponent {
    private static final int BIND_TRIES_MAX = 10;
    private static final long BIND_PAUSE_MS = 200;
    private static final Logger log = LoggerFactory.getLogger(TelemetryComponent.class);

    // filled before activation: the framework binds first
    private final Set<MetricSource> sources = ConcurrentHashMap.newKeySet();
    private @Nullable Exporter exporter;

    @Reference
    private NodeConfig config;

    @SuppressWarnings("NullAway") // the framework sets the reference before it activates
    public TelemetryComponent() {}

    @Reference(cardinality = ReferenceCardinality.MULTIPLE, policy = ReferencePolicy.DYNAMIC)
    void bindSource(MetricSource source) {
        sources.add(source);
    }

    void unbindSource(MetricSource source) {
        sources.remove(source);
    }

    @Activate
    void activate() throws InterruptedException {
        if (config.telemetryPort() == 0) {
            log.info("no metrics are served: telemetry_port is not set");
            return;
        }
        exporter = open(new InetSocketAddress(config.bindHost(), config.telemetryPort()));
        log.info("metrics at http://{}:{}/metrics", config.bindHost(), config.telemetryPort());
    }

    @Deactivate
    void deactivate() {
        Exporter e = exporter;
        exporter = null;
        if (e != null) e.close();
    }

    /** The bundle that this one replaces may hold the port for a moment more. */
    private Exporter open(InetSocketAddress bindTo) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return new Exporter(bindTo, sources);
            } catch (FaultException e) {
                if (attempt == BIND_TRIES_MAX) {
                    log.error("{}; {}", e.fault().message(), e.fault().remedy());
                    throw e;
                }
                Thread.sleep(BIND_PAUSE_MS);
            }
        }
    }
}
