package io.daosmesh.console.trust;

import io.daosmesh.console.guard.Audit;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.WeakHashMap;
import java.util.stream.Stream;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.hooks.resolver.ResolverHook;
import org.osgi.framework.hooks.resolver.ResolverHookFactory;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * No code runs in a node that the node does not know, whoever installs or updates it and by whatever way: an unknown bundle is
 * not resolved, and is taken away again before its installation returns. What is there when the node starts has passed already.
 * Threads: those that install, update and resolve bundles.
 */
@Component(immediate = true, service = ResolverHookFactory.class)
public final class BundleGuard implements ResolverHookFactory, ResolverHook, SynchronousBundleListener {
    /** Folders, separated by commas, or {@code any}: every bundle may run. */
    static final String TRUSTED = "daosmesh.bundles.trusted";

    private static final String ANY = "any";
    private static final Logger log = LoggerFactory.getLogger(BundleGuard.class);

    private final BundleContext context;
    private final boolean isOpen;
    private final KnownBundles known;
    private final BundleCache cache;
    private final Map<BundleRevision, Boolean> decided = new WeakHashMap<>(); // guarded by itself

    @Activate
    public BundleGuard(BundleContext context) {
        this.context = context;
        Path home = Path.of(System.getProperty("karaf.home", "."));
        String trusted =
                System.getProperty(TRUSTED, home.resolve("system").toString()).strip();
        isOpen = trusted.equals(ANY);
        List<Path> folders = Stream.of(trusted.split(","))
                .map(String::strip)
                .filter(f -> !f.isEmpty())
                .map(Path::of)
                .toList();
        known = new KnownBundles(folders, Path.of(System.getProperty("karaf.etc", "etc"), "bundles.sha256"));
        cache = new BundleCache(
                context.getDataFile("").toPath().resolve("../..").normalize()); // its own is bundleID/data
        if (isOpen) log.warn("{} is {}: this node runs every bundle that is installed", TRUSTED, ANY);
        else context.addBundleListener(this);
    }

    @Deactivate
    void close() {
        context.removeBundleListener(this);
    }

    @Override
    public ResolverHook begin(Collection<BundleRevision> triggers) {
        return this;
    }

    @Override
    public void filterResolvable(Collection<BundleRevision> candidates) {
        if (isOpen) return;
        for (Iterator<BundleRevision> i = candidates.iterator(); i.hasNext(); ) if (!mayRun(i.next())) i.remove();
    }

    @Override
    public void filterSingletonCollisions(BundleCapability singleton, Collection<BundleCapability> candidates) {}

    @Override
    public void filterMatches(BundleRequirement requirement, Collection<BundleCapability> candidates) {}

    @Override
    public void end() {}

    /** An update that is refused costs the bundle: the version before is gone by now, and what came instead must not stay. */
    @Override
    public void bundleChanged(BundleEvent event) {
        if (event.getType() != BundleEvent.INSTALLED && event.getType() != BundleEvent.UPDATED) return;
        Bundle bundle = event.getBundle();
        BundleRevision revision = bundle.adapt(BundleRevision.class);
        if (revision == null || mayRun(revision)) return;
        String what = bundle.getSymbolicName() + " " + bundle.getVersion() + " from " + bundle.getLocation();
        log.error(
                "bundle {} is refused: it is not in {} and its SHA-256 is not in etc/bundles.sha256",
                what,
                System.getProperty(TRUSTED, "this node's system folder"));
        Audit.refused("bundle " + what, "unknown to this node");
        try {
            bundle.uninstall();
        } catch (BundleException | IllegalStateException e) {
            log.error("bundle {} could not be taken away: it stays unresolved", what, e);
        }
    }

    private boolean mayRun(BundleRevision revision) {
        synchronized (decided) {
            Boolean before = decided.get(revision);
            if (before != null) return before;
        }
        long id = revision.getBundle().getBundleId();
        boolean mayRun = id == 0 || isKnown(cache.jar(id));
        synchronized (decided) {
            decided.put(revision, mayRun);
        }
        return mayRun;
    }

    private boolean isKnown(Optional<Path> jar) {
        return jar.isPresent() && known.isKnown(jar.get());
    }
}
