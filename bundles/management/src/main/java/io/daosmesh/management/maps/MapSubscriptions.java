package io.daosmesh.management.maps;

import io.daosmesh.management.loop.LeaderCaller;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.MapPushMessage;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.FluxSink;
import reactor.core.publisher.Mono;

/** Maps in and out of this node: pushes taken, streams to subscribers. Any thread. */
public final class MapSubscriptions {
    private static final Logger LOG = LoggerFactory.getLogger(MapSubscriptions.class);

    private final NodeContext node;
    private final MapsKeeper maps;
    private final LeaderCaller system;
    private final KnownServers servers;

    public MapSubscriptions(NodeContext node, MapsKeeper maps, LeaderCaller system, KnownServers servers) {
        this.node = node;
        this.maps = maps;
        this.system = system;
        this.servers = servers;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.MAP_PUSH, MapPushMessage.parser(), this::taken);
        r.onStream(RpcMethod.MAP_STREAM, Empty.parser(), (q, peer) -> stream(peer));
    }

    /** Of members, and of the end of pools, speaks the management service; of a pool its own service, on any member. */
    private Mono<Empty> taken(MapPushMessage m, RpcCall.Peer peer) {
        if (m.hasGroupMap() || m.getPoolsGoneCount() > 0) servers.requireReplica(peer);
        else servers.requireMember(peer);
        // all of it is read before any of it counts
        if (m.hasGroupMap()) GroupMap.fromWire(m.getGroupMap());
        Optional<PoolMap> pool = m.hasPoolMap() ? Optional.of(PoolMap.fromWire(m.getPoolMap())) : Optional.empty();
        Optional<UUID> about = m.hasPoolProperties()
                ? Optional.of(Ids.uuid(m.getPoolProperties().getPool()))
                : pool.map(PoolMap::pool);
        List<UUID> gone = m.getPoolsGoneList().stream().map(Ids::uuid).toList();
        if (m.hasGroupMap()) maps.offer(m.getGroupMap());
        gone.forEach(maps::gone);
        return about.map(maps::welcomed)
                .orElseGet(Mono::empty)
                .then(Mono.fromRunnable(() -> {
                    if (m.hasPoolProperties()) maps.offer(m.getPoolProperties());
                    pool.ifPresent(maps::offer);
                }))
                // of a pool that is gone nothing has to be told again
                .onErrorResume(e -> FaultException.faultOf(e).code() == FaultCode.NONEXIST, e -> Mono.empty())
                .thenReturn(Empty.getDefaultInstance());
    }

    /** A slow subscriber misses versions in between, never the newest; what waits for it is one map of each kind. */
    private Flux<RpcMessage> stream(RpcCall.Peer peer) {
        return Flux.create(
                sink -> {
                    Subscriber s = new Subscriber(sink);
                    AutoCloseable listening = maps.listen(seenBy(peer, s, sink));
                    sink.onRequest(n -> node.loop().run(s::drain));
                    sink.onDispose(() -> close(listening));
                },
                FluxSink.OverflowStrategy.ERROR);
    }

    private Maps.Listener seenBy(RpcCall.Peer peer, Subscriber s, FluxSink<RpcMessage> sink) {
        if (peer.role() != Role.AGENT) return s;
        return new VisiblePools(s, peer.user(), system, node.loop(), sink::isCancelled);
    }

    private static void close(AutoCloseable listening) {
        try {
            listening.close();
        } catch (Exception e) {
            LOG.debug("map subscription did not close: {}", e.toString());
        }
    }

    /** Owner: management loop. */
    private static final class Subscriber implements Maps.Listener {
        private final FluxSink<RpcMessage> sink;
        private final Map<UUID, PoolMap> pools = new LinkedHashMap<>();
        private final Set<UUID> gone = new LinkedHashSet<>();
        private @Nullable GroupMap group;

        Subscriber(FluxSink<RpcMessage> sink) {
            this.sink = sink;
        }

        @Override
        public void onGroupMap(GroupMap map) {
            group = map;
            drain();
        }

        @Override
        public void onPoolMap(PoolMap map) {
            gone.remove(map.pool());
            pools.put(map.pool(), map);
            drain();
        }

        @Override
        public void onPoolGone(UUID pool) {
            pools.remove(pool);
            gone.add(pool);
            drain();
        }

        void drain() {
            while (sink.requestedFromDownstream() > 0 && !sink.isCancelled()) {
                MapPushMessage.Builder b = MapPushMessage.newBuilder();
                Iterator<PoolMap> next = pools.values().iterator();
                if (group != null) {
                    b.setGroupMap(group.toWire());
                    group = null;
                }
                if (next.hasNext()) {
                    b.setPoolMap(next.next().toWire());
                    next.remove();
                }
                gone.forEach(p -> b.addPoolsGone(Ids.bytes(p)));
                gone.clear();
                if (!b.hasGroupMap() && !b.hasPoolMap() && b.getPoolsGoneCount() == 0) return;
                sink.next(RpcMessage.of(b.build()));
            }
        }
    }
}
