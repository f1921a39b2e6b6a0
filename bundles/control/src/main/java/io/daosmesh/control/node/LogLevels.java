package io.daosmesh.control.node;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
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

    /** DER_NOSYS when this process has no such service. */
    void set(Map<String, String> levels) {
        ServiceReference<?> reference = context.getServiceReference(SERVICE);
        Object service = reference == null ? null : context.getService(reference);
        if (reference == null || service == null) throw notHere().asException();
        try {
            Class<?> type = service.getClass().getClassLoader().loadClass(SERVICE);
            for (Map.Entry<String, String> level : levels.entrySet()) {
                type.getMethod("setLevel", String.class, String.class)
                        .invoke(service, level.getKey(), level.getValue());
            }
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
