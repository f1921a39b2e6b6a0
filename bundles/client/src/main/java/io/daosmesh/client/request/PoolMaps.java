package io.daosmesh.client.request;

import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.PoolMapRequest;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** The pool map a client works with, and the layouts it computed from it. Any thread: one atomic reference. */
public final class PoolMaps {
    /** Layouts kept; one costs about 200 bytes. */
    public static final int LAYOUTS_MAX = 8192;

    /** Between two looks for a newer map while requests wait. */
    private static final long LOOK_NS = 250_000_000L;

    private static final Logger log = LoggerFactory.getLogger(PoolMaps.class);

    private record GroupKey(ObjectId oid, int group) {}

    private record Current(PoolMap map, ConcurrentHashMap<GroupKey, ShardGroup> layouts) {}

    private final PoolService service;
    private final AtomicReference<Current> current;
    private final SingleFlight<PoolMap> refreshing = new SingleFlight<>();
    /** Ranks that requests wait for, until the service is told. As many as there are ranks at most. */
    private final Set<Integer> silent = ConcurrentHashMap.newKeySet();

    private final AtomicLong lookedNs = new AtomicLong(System.nanoTime() - LOOK_NS);

    public PoolMaps(PoolService service, PoolMap map) {
        this.service = service;
        this.current = new AtomicReference<>(new Current(map, new ConcurrentHashMap<>()));
    }

    private Mono<PoolMapMessage> ask() {
        PoolMapRequest.Builder request =
                PoolMapRequest.newBuilder().setPool(service.entry().getPool()).setKnownVersion(map().version());
        silent.removeIf(rank -> {
            request.addSilent(rank);
            return true;
        });
        return service.ask(RpcMethod.POOL_MAP, request.build(), reply -> PoolMapMessage.parseFrom(reply.body()));
    }

    public PoolMap map() {
        return Objects.requireNonNull(current.get()).map();
    }

    /** Where a group lives at the present map. */
    public ShardGroup layout(PoolMap map, ObjectId oid, int group) {
        Current now = Objects.requireNonNull(current.get());
        if (now.map() != map) return Placement.group(map, oid, group);
        GroupKey key = new GroupKey(oid, group);
        ShardGroup known = now.layouts().get(key);
        if (known != null) return known;
        ShardGroup computed = Placement.group(map, oid, group);
        if (now.layouts().size() >= LAYOUTS_MAX) now.layouts().clear();
        now.layouts().put(key, computed);
        return computed;
    }

    /** Fetches the map; callers at the same time share one request. */
    public Mono<PoolMap> refresh() {
        return refreshing.join(() -> ask().map(this::offer));
    }

    /**
     * Refreshes the map unless that was begun a moment ago. Nobody waits for it: who finds the map older looks again.
     *
     * @param silentRank does not answer: the pool's leader is told with the next question
     */
    void look(int silentRank) {
        silent.add(silentRank);
        long last = lookedNs.get();
        long now = System.nanoTime();
        if (now - last < LOOK_NS || !lookedNs.compareAndSet(last, now)) return;
        refresh().subscribe(map -> {}, e -> log.debug("pool map: {}", e.getMessage()));
    }

    private PoolMap offer(PoolMapMessage message) {
        // A service may answer with an empty map when nothing changed.
        return current.updateAndGet(have -> message.getVersion() > have.map().version()
                        ? new Current(PoolMap.fromWire(message), new ConcurrentHashMap<>())
                        : have)
                .map();
    }
}
