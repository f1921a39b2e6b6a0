package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Sets levels of the running log back end through Karaf's log service, which also keeps them in the node's logback.xml.
 * Reached by its name: this bundle starts without Karaf, too. Any thread; blocks for a file write.
 */
final class LogLevels {
    private static final String SERVICE = "org.apache.karaf.log.core.LogService";

    private final BundleContext context;

    LogLevels(BundleContext context) {
        this.context = context;
    }

    /** {@code log_mask} of the first engine: one process has one set of levels. */
    static String configured(NodeConfig config) {
        return config.engines().isEmpty() ? "INFO" : config.engines().get(0).logMask();
    }

    /** At the start of a node: levels of a former process do not outlive it. False while there is no log service. */
    boolean begin(NodeConfig config) {
        if (context.getServiceReference(SERVICE) == null) return false;
        Map<String, String> wanted = LogMasks.parse(configured(config));
        Map<String, String> known = new HashMap<>(levels());
        known.keySet()
                .removeIf(l -> !l.equals(LogMasks.ALL) && !LogMasks.loggers().contains(l));
        Map<String, String> usual = Map.of(LogMasks.ALL, "INFO");
        // setting a level writes a file
        if (!known.equals(wanted) && !(known.isEmpty() && wanted.equals(usual))) set(wanted);
        return true;
    }

    /** Has the log back end read its configuration again, which opens its files by their names. */
    void reopen() {
        String level = levels().getOrDefault(LogMasks.ALL, "INFO");
        call((type, service) -> {
            type.getMethod("setLevel", String.class, String.class).invoke(service, LogMasks.ALL, level);
            return Map.of();
        });
    }

    /** All else that a mask can name follows. DER_NOSYS when this process has no such service. */
    void set(Map<String, String> levels) {
        Map<String, String> known = levels();
        Map<String, String> changes = new LinkedHashMap<>();
        for (String logger : LogMasks.loggers())
            if (known.containsKey(logger) && !levels.containsKey(logger)) changes.put(logger, "DEFAULT");
        levels.forEach((logger, level) -> {
            if (!level.equals(known.get(logger))) changes.put(logger, level);
        });
        call((type, service) -> {
            Method set = type.getMethod("setLevel", String.class, String.class);
            for (Map.Entry<String, String> level : changes.entrySet())
                set.invoke(service, level.getKey(), level.getValue());
            return Map.of();
        });
    }

    private Map<String, String> levels() {
        return call((type, service) -> {
            Map<String, String> levels = new HashMap<>();
            Object all = type.getMethod("getLevel", String.class).invoke(service, "ALL");
            if (all instanceof Map<?, ?> m) m.forEach((k, v) -> levels.put(String.valueOf(k), String.valueOf(v)));
            return levels;
        });
    }

    private interface Work {
        Map<String, String> on(Class<?> type, Object service) throws ReflectiveOperationException;
    }

    private Map<String, String> call(Work work) {
        ServiceReference<?> reference = context.getServiceReference(SERVICE);
        Object service = reference == null ? null : context.getService(reference);
        if (reference == null || service == null) throw notHere().asException();
        try {
            return work.on(service.getClass().getClassLoader().loadClass(SERVICE), service);
        } catch (ReflectiveOperationException e) {
            throw Fault.of(FaultCode.MISC, "the log levels could not be set: %s", String.valueOf(e.getCause()))
                    .asException();
        } finally {
            context.ungetService(reference);
        }
    }

    private static Fault notHere() {
        return Fault.of(FaultCode.NOSYS, "this node has no log service")
                .remedy("install the Karaf feature log, or edit logback.xml of the node");
    }
}
