package io.daosmesh.telemetry;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.metric.MetricSource;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.TelemetryConfig;
import io.daosmesh.telemetry.http.Limits;
import io.daosmesh.telemetry.web.WebAccess;
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

    @Reference
    private TelemetryConfig page;

    @SuppressWarnings("NullAway") // the framework sets the references before it activates
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
        WebAccess access = access();
        exporter = open(new InetSocketAddress(page.bindHost(), config.telemetryPort()), access);
        String scheme = access.tls().isPresent() ? "https" : "http";
        log.info("metrics at {}://{}:{}/metrics", scheme, page.bindHost(), config.telemetryPort());
        if (access.isClearWithUsers()) log.warn("metrics: without tls_server_config passwords travel in clear");
    }

    @Deactivate
    void deactivate() {
        Exporter e = exporter;
        exporter = null;
        if (e != null) e.close();
    }

    /** With a file that is wrong nothing is served: half of what it asks for is no protection. */
    private WebAccess access() {
        try {
            return new WebAccess(page.webConfig());
        } catch (FaultException e) {
            log.error(
                    "no metrics are served: {}; {}",
                    e.fault().message(),
                    e.fault().remedy());
            throw e;
        }
    }

    /** The bundle that this one replaces may hold the port for a moment more. */
    private Exporter open(InetSocketAddress bindTo, WebAccess access) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return new Exporter(bindTo, sources, access, Limits.STANDARD);
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
