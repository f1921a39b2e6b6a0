package io.daosmesh.itests.karaf;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/** What replaced versions of a bundle leave behind: class loaders that stay reachable, threads that were not ended. */
final class Leftovers {
    private static final Duration CLEARED_MAX = Duration.ofSeconds(30);

    private final List<WeakReference<ClassLoader>> old = new ArrayList<>();
    private final Map<String, Integer> threadsBefore = threadCounts();

    /** To be called before the bundle is replaced. Keeps no strong reference to its class loader. */
    void remember(Bundle bundle) {
        old.add(new WeakReference<>(bundle.adapt(BundleWiring.class).getClassLoader()));
    }

    /** What is still there when the deadline has passed; empty at best. */
    List<String> find(Bundle[] bundles) {
        Await.isMet(CLEARED_MAX, () -> {
            FelixClassLocks.releaseOfDeadThreads(bundles);
            System.gc();
            return stillReachable() == 0 && moreThreads().isEmpty();
        });
        List<String> found = new ArrayList<>(moreThreads());
        if (stillReachable() > 0) {
            found.add(stillReachable() + " of " + old.size() + " old class loaders are still reachable");
            found.addAll(threadsOfOldLoaders());
            dumpHeap();
        }
        return found;
    }

    private long stillReachable() {
        return old.stream().filter(reference -> reference.get() != null).count();
    }

    /** Pools may grow by a thread or two as they like; one more for each replacement is a leak. */
    private List<String> moreThreads() {
        Map<String, Integer> now = threadCounts();
        return now.entrySet().stream()
                .filter(e -> e.getValue() - threadsBefore.getOrDefault(e.getKey(), 0) >= old.size())
                .map(e -> "threads '" + e.getKey() + "': " + threadsBefore.getOrDefault(e.getKey(), 0) + " before, "
                        + e.getValue() + " after " + old.size() + " replacements")
                .toList();
    }

    private static Map<String, Integer> threadCounts() {
        Map<String, Integer> counts = new TreeMap<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            counts.merge(thread.getName().replaceAll("[0-9]+", "N"), 1, Integer::sum);
        }
        return counts;
    }

    private List<String> threadsOfOldLoaders() {
        List<String> found = new ArrayList<>();
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            for (WeakReference<ClassLoader> reference : old) {
                ClassLoader loader = reference.get();
                if (loader == null) continue;
                if (thread.getContextClassLoader() == loader) {
                    found.add("thread '" + thread.getName() + "' has it as its context class loader");
                }
                if (thread.getClass().getClassLoader() == loader) {
                    found.add("thread '" + thread.getName() + "' is of a class of it");
                }
            }
        }
        return found;
    }

    /** With -Dtest.dump=true, leak-*.hprof in the node's folder shows what holds them: see the field {@link #old}. */
    private static void dumpHeap() {
        if (!Boolean.getBoolean("test.dump")) return;
        Path dump = Path.of(System.getProperty("daosmesh.node.dir"), "leak-" + System.currentTimeMillis() + ".hprof");
        try {
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(dump.toString(), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
