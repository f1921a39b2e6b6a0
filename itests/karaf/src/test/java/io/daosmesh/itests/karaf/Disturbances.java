package io.daosmesh.itests.karaf;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.osgi.framework.AllServiceListener;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.SynchronousBundleListener;

/**
 * Records what happens to other bundles while one is replaced: any change of their state (a refresh stops and resolves them
 * anew), and any service of our own bundles that comes or goes. Events are delivered synchronously, none can be missed.
 */
final class Disturbances implements SynchronousBundleListener, AllServiceListener, AutoCloseable {
    private final BundleContext context;
    private final long replacedId;
    private final ConcurrentLinkedQueue<String> seen = new ConcurrentLinkedQueue<>();

    Disturbances(BundleContext context, Bundle replaced) {
        this.context = context;
        this.replacedId = replaced.getBundleId();
        context.addBundleListener(this);
        context.addServiceListener(this);
    }

    List<String> seen() {
        return List.copyOf(seen);
    }

    @Override
    public void bundleChanged(BundleEvent event) {
        if (event.getBundle().getBundleId() == replacedId) return;
        seen.add("bundle " + event.getBundle().getSymbolicName() + " " + typeName(event));
    }

    @Override
    public void serviceChanged(ServiceEvent event) {
        Bundle owner = event.getServiceReference().getBundle();
        if (owner == null || owner.getBundleId() == replacedId || !Node.isOurs(owner)) return;
        if (event.getType() != ServiceEvent.REGISTERED && event.getType() != ServiceEvent.UNREGISTERING) return;
        String what = event.getType() == ServiceEvent.REGISTERED ? " registers " : " withdraws ";
        Object types = event.getServiceReference().getProperty(Constants.OBJECTCLASS);
        seen.add("service: " + owner.getSymbolicName() + what + Arrays.toString((String[]) types));
    }

    private static String typeName(BundleEvent event) {
        return switch (event.getType()) {
            case BundleEvent.INSTALLED -> "installed";
            case BundleEvent.RESOLVED -> "resolved";
            case BundleEvent.STARTING -> "starting";
            case BundleEvent.STARTED -> "started";
            case BundleEvent.STOPPING -> "stopping";
            case BundleEvent.STOPPED -> "stopped";
            case BundleEvent.UNRESOLVED -> "unresolved";
            case BundleEvent.UNINSTALLED -> "uninstalled";
            case BundleEvent.UPDATED -> "updated";
            default -> "event " + event.getType();
        };
    }

    @Override
    public void close() {
        context.removeBundleListener(this);
        context.removeServiceListener(this);
    }
}
