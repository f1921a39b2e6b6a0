package io.daosmesh.management.maps;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.pool.PoolGuards;
import io.daosmesh.model.access.User;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.PoolListReply;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.BooleanSupplier;
import reactor.core.publisher.Mono;

/**
 * What one client sees of the maps: those of the pools that its user may connect to. The management service is asked when a
 * map comes of a pool that he could not see before, and again, ever more rarely, while one is kept from him: it learns of a
 * changed access list later than he who changed it. Owner: management loop.
 */
final class VisiblePools implements Maps.Listener {
    private static final Duration ASK_TRY = Duration.ofSeconds(2);
    private static final Duration ASK_MAX = Duration.ofSeconds(4);
    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration PAUSE_MAX = Duration.ofMinutes(1);

    private final Maps.Listener client;
    private final Optional<User> user;
    private final LeaderCaller system;
    private final Loop loop;
    private final BooleanSupplier isOver;
    private final Set<UUID> visible = new HashSet<>();
    /** Newest maps of the pools that he may not see, as far as is known. */
    private final Map<UUID, PoolMap> held = new HashMap<>();

    private boolean asking;
    private Duration pause = PAUSE;

    /** @param isOver the client listens no more */
    VisiblePools(Maps.Listener client, Optional<User> user, LeaderCaller system, Loop loop, BooleanSupplier isOver) {
        this.client = client;
        this.user = user;
        this.system = system;
        this.loop = loop;
        this.isOver = isOver;
    }

    @Override
    public void onGroupMap(GroupMap map) {
        client.onGroupMap(map);
    }

    @Override
    public void onPoolMap(PoolMap map) {
        if (visible.contains(map.pool())) {
            client.onPoolMap(map);
            return;
        }
        if (user.isEmpty()) return;
        held.put(map.pool(), map);
        pause = PAUSE;
        ask(Duration.ZERO);
    }

    @Override
    public void onPoolGone(UUID pool) {
        held.remove(pool);
        if (visible.remove(pool)) client.onPoolGone(pool);
    }

    private void ask(Duration in) {
        if (asking) return;
        asking = true;
        Mono.delay(in, loop.scheduler())
                .then(system.call(
                        RpcMethod.POOL_LIST, Empty.getDefaultInstance(), PoolListReply.parser(), ASK_TRY, ASK_MAX))
                .publishOn(loop.scheduler())
                .subscribe(this::onList, e -> {
                    Loop.drop("pools that a client may see", e);
                    askAgain();
                });
    }

    private void askAgain() {
        asking = false;
        if (isOver.getAsBoolean()) return;
        ask(pause);
        pause = pause.compareTo(PAUSE_MAX) < 0 ? pause.multipliedBy(2) : pause;
    }

    private void onList(PoolListReply list) {
        visible.clear();
        list.getPoolsList().stream()
                .filter(p -> PoolGuards.isOpenTo(user.orElseThrow(), p))
                .forEach(p -> visible.add(Ids.uuid(p.getPool())));
        for (UUID pool : visible) {
            PoolMap map = held.remove(pool);
            if (map != null) client.onPoolMap(map);
        }
        if (held.isEmpty()) asking = false;
        else askAgain();
    }
}
