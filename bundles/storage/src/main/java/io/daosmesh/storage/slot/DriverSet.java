package io.daosmesh.storage.slot;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Predicate;
import org.osgi.framework.Version;

/**
 * The drivers that are bound now. Any thread. The choice among equals: service ranking, then driver version, then the
 * newest; DS by itself would prefer the oldest.
 */
public final class DriverSet<T> {
    private record Bound<T>(T driver, int ranking, Version version, long order) {}

    private final CopyOnWriteArrayList<Bound<T>> bound = new CopyOnWriteArrayList<>();
    private final Function<T, String> version;

    public DriverSet(Function<T, String> version) {
        this.version = version;
    }

    public void add(T driver, Map<String, ?> properties) {
        int ranking = properties.get("service.ranking") instanceof Integer r ? r : 0;
        long id = properties.get("service.id") instanceof Long n ? n : 0;
        bound.add(new Bound<>(driver, ranking, parse(version.apply(driver)), id));
    }

    private static Version parse(String text) {
        try {
            return Version.parseVersion(text);
        } catch (IllegalArgumentException e) {
            return Version.emptyVersion;
        }
    }

    public void remove(T driver) {
        bound.removeIf(b -> b.driver == driver);
    }

    public Optional<T> best(Predicate<T> serves) {
        return bound.stream()
                .filter(b -> serves.test(b.driver))
                .max(Comparator.<Bound<T>>comparingInt(Bound::ranking)
                        .thenComparing(Bound::version)
                        .thenComparingLong(Bound::order))
                .map(Bound::driver);
    }

    public List<T> all() {
        return bound.stream().map(Bound::driver).toList();
    }
}
