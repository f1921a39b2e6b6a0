package io.daosmesh.management.maps;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.MapPushMessage;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A leader brings one map to the nodes until each has taken its newest version: at once on a change, again at each tick. A
 * node that started anew gets it again. Owner: management loop.
 */
public final class MapPusher {
    private static final Logger LOG = LoggerFactory.getLogger(MapPusher.class);
    private static final Duration ANSWER_MAX = Duration.ofSeconds(1);

    private final NodeContext node;
    /** What a node has taken: map version and the incarnations of its ranks at that time. */
    private final Map<String, Taken> taken = new HashMap<>();

    private final Set<String> underWay = new HashSet<>();

    private record Taken(int version, List<Long> lives) {}

    public MapPusher(NodeContext node) {
        this.node = node;
    }

    /** @param ranks whose nodes shall have it */
    public void push(int version, MapPushMessage message, GroupMap group, Set<Integer> ranks) {
        Map<String, List<Long>> lives = group.members().stream()
                .filter(m -> ranks.contains(m.rank()))
                .collect(Collectors.groupingBy(
                        Member::address, Collectors.mapping(Member::incarnation, Collectors.toList())));
        lives.remove(node.address());
        taken.keySet().retainAll(lives.keySet());
        lives.forEach((address, now) -> {
            Taken t = taken.get(address);
            boolean has = t != null && t.version >= version && t.lives.equals(now);
            if (!has && underWay.add(address)) send(address, new Taken(version, now), message);
        });
    }

    private void send(String address, Taken what, MapPushMessage message) {
        node.rpc()
                .call(Endpoint.node(address), RpcMethod.MAP_PUSH, RpcMessage.of(message), ANSWER_MAX, r -> true)
                .publishOn(node.loop().scheduler())
                .doFinally(s -> node.loop().run(() -> underWay.remove(address)))
                .subscribe(
                        ok -> taken.put(address, what),
                        e -> LOG.debug(
                                "map {} did not reach {}: {}",
                                what.version,
                                address,
                                FaultException.faultOf(e).message()));
    }

    /** Leadership is over: the next one starts from nothing. */
    public void forget() {
        taken.clear();
    }
}
