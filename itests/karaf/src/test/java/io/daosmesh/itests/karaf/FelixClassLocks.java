package io.daosmesh.itests.karaf;

import java.lang.reflect.Field;
import java.util.Map;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/**
 * What Felix 7.0.5 keeps of threads that ended: where two threads load a class at the same moment, {@code defineClassParallel} of its
 * {@code BundleWiringImpl} may leave the second one as the owner of the class's lock for as long as the bundle lives. A thread of a library
 * that its bundle embeds (Ratis' {@code Daemon}) then keeps that bundle's class loader. At most one for each class, and none of it is ours.
 */
final class FelixClassLocks {
    private static final String LOCKS = "m_classLocks";

    private FelixClassLocks() {}

    /** Takes out the locks whose owner has ended, so that what is found after it is held by somebody else. */
    static void releaseOfDeadThreads(Bundle[] bundles) {
        for (Bundle bundle : bundles) {
            BundleWiring wiring = bundle.adapt(BundleWiring.class);
            if (wiring == null || wiring.getClassLoader() == null) continue;
            locks(wiring.getClassLoader())
                    .values()
                    .removeIf(owner -> owner instanceof Thread thread && !thread.isAlive());
        }
    }

    private static Map<?, ?> locks(ClassLoader loader) {
        for (Class<?> type = loader.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (!field.getName().equals(LOCKS)) continue;
                try {
                    field.setAccessible(true);
                    return (Map<?, ?>) field.get(loader);
                } catch (IllegalAccessException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        return Map.of();
    }
}
