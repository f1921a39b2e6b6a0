package io.daosmesh.control.config;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.TelemetryConfig;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Optional;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the node's configuration once and publishes it for as long as the process lives. The service belongs to the system
 * bundle, so that an update of this bundle takes nothing away from the others; a file changed meanwhile takes effect at the
 * next start of the node. A bad file ends the process with status 1: a node never runs half started.
 */
@Component(
        immediate = true,
        service = {})
public final class ConfigComponent {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigComponent.class);
    /** An orderly shutdown of an empty container takes well under a second; beyond that something hangs. */
    private static final long EXIT_MAX_MS = 5_000;

    @Activate
    public ConfigComponent(BundleContext context) {
        Path file = path();
        try {
            ServerConfig config = ServerConfig.read(file, Overrides.of(System.getProperties()));
            config.warnings().forEach(w -> LOG.warn("{}: {}", file, w));
            publish(context.getBundle(0).getBundleContext(), config, file);
        } catch (FaultException e) {
            endProcess(file, e.fault());
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Path path() {
        String given = System.getProperty("daosmesh.server.config", "");
        return given.isEmpty() ? Path.of(System.getProperty("karaf.etc", "etc"), "daos_server.yml") : Path.of(given);
    }

    private static void publish(BundleContext system, ServerConfig config, Path file) throws InvalidSyntaxException {
        Optional<NodeConfig> running = published(system, NodeConfig.class);
        Optional<TelemetryConfig> telemetry = published(system, TelemetryConfig.class);
        if (telemetry.isEmpty()) system.registerService(TelemetryConfig.class, config.telemetry(), null);
        if (running.isEmpty()) {
            Dictionary<String, Object> properties = new Hashtable<>();
            config.syslog().ifPresent(s -> properties.put("syslog", s));
            system.registerService(NodeConfig.class, config.node(), properties);
            LOG.info("active configuration of {}: {} {}", file, config.node(), config.telemetry());
        } else if (!running.get().equals(config.node())
                || !telemetry.orElse(config.telemetry()).equals(config.telemetry())) {
            LOG.warn("{} has changed: the change takes effect at the next start of this node", file);
        }
    }

    private static <T> Optional<T> published(BundleContext system, Class<T> type) throws InvalidSyntaxException {
        Collection<ServiceReference<T>> references = system.getServiceReferences(type, null);
        return references.stream().findFirst().map(system::getService);
    }

    private static void endProcess(Path file, Fault fault) {
        String line = ConfigFault.line(fault);
        String shown = line.startsWith(file.toString()) ? line : file + ": " + line;
        LOG.error("{}", shown);
        System.err.println("ERROR: daos_server: " + shown);
        System.err.flush();
        // not on this thread: the framework cannot stop while it is starting this component
        start("config-fault-exit", () -> System.exit(1));
        start("config-fault-halt", () -> {
            try {
                Thread.sleep(EXIT_MAX_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(1);
        });
    }

    private static void start(String name, Runnable work) {
        Thread thread = new Thread(work, name);
        thread.setDaemon(true);
        thread.start();
    }
}
