package io.daosmesh.engine.fake;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/** Maps as a test sets them; each engine has its own, so that one can lag behind. */
public final class FixedMaps implements Maps {
    private final Map<UUID, PoolMap> maps = new ConcurrentHashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile GroupMap group;
    /** What a pull would bring. */
    public volatile PoolMap newest;

    /** When the next pull is answered. */
    public volatile Supplier<Mono<Void>> pulled = Mono::empty;

    public FixedMaps(GroupMap group) {
        this.group = group;
    }

    public void push(PoolMap map) {
        newest = map;
        maps.put(map.pool(), map);
        listeners.forEach(l -> l.onPoolMap(map));
    }

    public void properties(UUID pool, Map<String, String> properties) {
        listeners.forEach(l -> l.onPoolProperties(pool, properties));
    }

    @Override
    public GroupMap groupMap() {
        return group;
    }

    @Override
    public boolean isMember(String address) {
        return group.members().stream().anyMatch(m -> m.address().equals(address));
    }

    @Override
    public Optional<PoolMap> poolMap(UUID pool) {
        return Optional.ofNullable(maps.get(pool));
    }

    @Override
    public List<UUID> pools() {
        return new ArrayList<>(maps.keySet());
    }

    @Override
    public Mono<PoolMap> poolMap(UUID pool, int minVersion) {
        PoolMap m = newest;
        if (m != null && m.version() >= minVersion) {
            maps.put(pool, m);
            return Mono.just(m);
        }
        return Mono.error(Fault.of(FaultCode.TIMEDOUT, "no such map").asException());
    }

    @Override
    public Mono<PoolMap> newestPoolMap(UUID pool) {
        return pulled.get().then(Mono.defer(() -> poolMap(pool, 0)));
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        maps.values().forEach(listener::onPoolMap);
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }
}
