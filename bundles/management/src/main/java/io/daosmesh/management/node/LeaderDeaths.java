package io.daosmesh.management.node;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.raft.RaftHost;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When gossip says that a node is dead, the Raft groups it led need not wait for their election timeout: the first of the
 * surviving voters asks to lead at once. A false report costs an election and nothing else (docs/decisions/0018). Owner:
 * management loop; gossip may call from any thread.
 */
final class LeaderDeaths implements Membership.Listener, Maps.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderDeaths.class);

    private final NodeContext node;
    private final Supplier<@Nullable RaftHost> raft;
    /** Incarnation by rank; as many as there are ranks at most. */
    private final Map<Integer, Long> dead = new HashMap<>();

    private GroupMap map;

    /** @param raft null while this node has no replicas */
    LeaderDeaths(NodeContext node, Supplier<@Nullable RaftHost> raft) {
        this.node = node;
        this.raft = raft;
        this.map = new GroupMap(node.config().system(), 0, List.of());
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        node.loop()
                .run(() -> dead.computeIfPresent(rank, (r, died) -> Long.compare(incarnation, died) > 0 ? null : died));
    }

    @Override
    public void onSuspect(int rank, long incarnation) {}

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        node.loop().run(() -> {
            dead.merge(rank, incarnation, Math::max);
            map.member(rank).filter(m -> !lives(m) && !isStopped(m)).ifPresent(this::elect);
        });
    }

    /** A rank that is excluded leaves gossip: this node may learn of its death only so. */
    @Override
    public void onGroupMap(GroupMap newer) {
        Set<Integer> before =
                map.members().stream().filter(this::lives).map(Member::rank).collect(Collectors.toSet());
        map = newer;
        dead.entrySet()
                .removeIf(d -> newer.member(d.getKey())
                        .filter(m -> m.incarnation() <= d.getValue())
                        .isEmpty());
        newer.members().stream()
                .filter(m -> before.contains(m.rank()) && m.state() == MemberState.EXCLUDED)
                .forEach(this::elect);
    }

    /** By an administrator: its node goes on. */
    private static boolean isStopped(Member m) {
        return m.state() == MemberState.STOPPING || m.state() == MemberState.STOPPED;
    }

    private boolean lives(Member m) {
        Long died = dead.get(m.rank());
        return m.state().isInGroup() && (died == null || m.incarnation() > died);
    }

    /** A node with several engines is dead when all of them are. */
    private void elect(Member lost) {
        RaftHost host = raft.get();
        String address = lost.address();
        Set<String> living =
                map.members().stream().filter(this::lives).map(Member::address).collect(Collectors.toSet());
        if (host == null || living.contains(address)) return;
        host.electInsteadOf(address, living)
                .subscribe(
                        group -> LOG.info("Raft group {}: asks to lead, {} is dead", group, address),
                        e -> Loop.drop("election instead of " + address, e));
    }
}
