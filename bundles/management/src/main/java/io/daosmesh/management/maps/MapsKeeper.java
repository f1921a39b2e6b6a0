package io.daosmesh.management.maps;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.PoolPropertiesMessage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** The newest maps this node knows. Read from any thread; changed on the management loop only, and never backwards. */
public final class MapsKeeper implements Maps {
    private static final Logger LOG = LoggerFactory.getLogger(MapsKeeper.class);
    private static final Duration PULL_MAX = Duration.ofSeconds(10);
    private static final Duration PULL_PAUSE = Duration.ofMillis(100);
    /** Pools that a late push must not bring back. */
    private static final int GONE_MAX = 1024;

    private final Loop loop;
    private final Function<UUID, Mono<PoolMap>> puller;
    private final KnownServers servers;
    private final Map<UUID, PoolMap> pools = new ConcurrentHashMap<>();
    private final Map<UUID, PoolPropertiesMessage> poolProperties = new ConcurrentHashMap<>();
    /** With the news that said so. */
    private final Map<UUID, Object> gone = new ConcurrentHashMap<>();

    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile GroupMap group;
    /** Of the system; never older than {@link #group}. */
    private volatile Map<String, String> properties = Map.of();

    /** @param puller asks the pool service */
    public MapsKeeper(NodeConfig config, Loop loop, Function<UUID, Mono<PoolMap>> puller) {
        this.loop = loop;
        this.puller = puller;
        this.group = new GroupMap(config.system(), 0, List.of());
        this.servers = new KnownServers(config, () -> group);
    }

    public KnownServers servers() {
        return servers;
    }

    @Override
    public boolean isMember(String address) {
        return servers.isMember(address);
    }

    @Override
    public GroupMap groupMap() {
        return group;
    }

    @Override
    public Optional<PoolMap> poolMap(UUID pool) {
        return Optional.ofNullable(pools.get(pool));
    }

    @Override
    public List<UUID> pools() {
        return List.copyOf(pools.keySet());
    }

    @Override
    public Mono<PoolMap> poolMap(UUID pool, int minVersion) {
        return Mono.defer(() -> pull(pool, minVersion, System.nanoTime() + PULL_MAX.toNanos()));
    }

    @Override
    public Mono<PoolMap> newestPoolMap(UUID pool) {
        return Mono.defer(() -> ask(pool)).doOnNext(this::offer).doOnError(e -> {
            if (FaultException.faultOf(e).code() == FaultCode.NONEXIST) gone(pool);
        });
    }

    /** A pool that is answered for after the news of its end has been made again, as by a resend of a create that was undone. */
    private Mono<PoolMap> ask(UUID pool) {
        Object news = gone.get(pool);
        if (news == null) return puller.apply(pool);
        return puller.apply(pool).publishOn(loop.scheduler()).doOnNext(m -> gone.remove(pool, news));
    }

    /**
     * Completes when what is told of a pool by itself counts here: at once, or, if the pool was gone, after its service has been
     * asked. NONEXIST when it is gone; with any other fault nobody knows yet.
     */
    Mono<Void> welcomed(UUID pool) {
        return Mono.defer(() -> gone.containsKey(pool) ? ask(pool).then() : Mono.<Void>empty())
                .subscribeOn(loop.scheduler());
    }

    private Mono<PoolMap> pull(UUID pool, int minVersion, long endNs) {
        PoolMap known = pools.get(pool);
        if (known != null && known.version() >= minVersion) return Mono.just(known);
        return newestPoolMap(pool).flatMap(m -> {
            if (m.version() >= minVersion) return Mono.just(m);
            if (System.nanoTime() > endNs)
                return Mono.error(Fault.of(FaultCode.TIMEDOUT, "pool map version %d is not there yet", minVersion)
                        .with("have", m.version())
                        .asException());
            return Mono.delay(PULL_PAUSE, loop.scheduler()).then(Mono.defer(() -> pull(pool, minVersion, endNs)));
        });
    }

    /** For {@link io.daosmesh.management.properties.SystemProperties}. */
    public Map<String, String> systemProperties() {
        return properties;
    }

    public GroupMapMessage groupMapMessage() {
        GroupMap map = group;
        return map.toWire().toBuilder().putAllProperties(properties).build();
    }

    public void offer(GroupMapMessage message) {
        loop.run(() -> {
            if (message.getVersion() <= group.version()) return;
            GroupMap map = GroupMap.fromWire(message);
            properties = Map.copyOf(message.getPropertiesMap());
            group = map;
            tell(l -> l.onGroupMap(map));
        });
    }

    /** Before the map that comes with them. */
    public void offer(PoolPropertiesMessage message) {
        loop.run(() -> {
            UUID pool = Ids.uuid(message.getPool());
            PoolPropertiesMessage known = poolProperties.get(pool);
            if (gone.containsKey(pool) || known != null && message.getVersion() <= known.getVersion()) return;
            poolProperties.put(pool, message);
            tell(l -> l.onPoolProperties(pool, message.getValuesMap()));
        });
    }

    public void offer(PoolMap map) {
        loop.run(() -> {
            PoolMap known = pools.get(map.pool());
            if (gone.containsKey(map.pool()) || known != null && map.version() <= known.version()) return;
            pools.put(map.pool(), map);
            tell(l -> l.onPoolMap(map));
        });
    }

    public void gone(UUID pool) {
        loop.run(() -> {
            if (gone.size() >= GONE_MAX) gone.clear();
            gone.put(pool, new Object());
            poolProperties.remove(pool);
            if (pools.remove(pool) != null) tell(l -> l.onPoolGone(pool));
        });
    }

    /** The pool is being made (again): its maps are welcome. */
    public void welcome(UUID pool) {
        loop.run(() -> gone.remove(pool));
    }

    @Override
    public AutoCloseable listen(Listener listener) {
        loop.run(() -> {
            listeners.add(listener);
            try {
                if (group.version() > 0) listener.onGroupMap(group);
                poolProperties.forEach((pool, m) -> listener.onPoolProperties(pool, m.getValuesMap()));
                pools.values().forEach(listener::onPoolMap);
            } catch (RuntimeException e) {
                LOG.warn("a map listener failed", e);
            }
        });
        return () -> {
            listeners.remove(listener);
            // A close that overtakes its own registration on the loop must win as well.
            loop.run(() -> listeners.remove(listener));
        };
    }

    private void tell(Consumer<Listener> event) {
        for (Listener l : listeners) {
            try {
                event.accept(l);
            } catch (RuntimeException e) {
                LOG.warn("a map listener failed", e);
            }
        }
    }
}
