package io.daosmesh.management.node;

import io.daosmesh.management.loop.Loop;
import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.raft.RaftHost;
import io.daosmesh.management.rank.Survivors;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.port.Maps;
import io.daosmesh.model.port.Membership;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets this node ask to lead Raft groups whose leader has died, as {@link Survivors} decides. Owner: management loop; gossip may
 * call from any thread.
 */
final class LeaderDeaths implements Membership.Listener, Maps.Listener, Survivors.Effects {
    private static final Logger LOG = LoggerFactory.getLogger(LeaderDeaths.class);

    private final NodeContext node;
    private final Supplier<@Nullable RaftHost> raft;
    private final Survivors survivors;

    /** @param raft null while this node has no replicas */
    LeaderDeaths(NodeContext node, Supplier<@Nullable RaftHost> raft) {
        this.node = node;
        this.raft = raft;
        this.survivors = new Survivors(node.config().system());
    }

    @Override
    public void onAlive(int rank, long incarnation) {
        node.loop().run(() -> survivors.onAlive(rank, incarnation));
    }

    @Override
    public void onSuspect(int rank, long incarnation) {}

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        node.loop().run(() -> survivors.onDead(rank, incarnation, this));
    }

    @Override
    public void onGroupMap(GroupMap map) {
        survivors.onGroupMap(map, this);
    }

    @Override
    public void elect(String dead, Set<String> living) {
        RaftHost host = raft.get();
        if (host == null) return;
        host.electInsteadOf(dead, living)
                .subscribe(
                        group -> LOG.info("Raft group {}: asks to lead, {} is dead", group, dead),
                        e -> Loop.drop("election instead of " + dead, e));
    }
}
