package io.daosmesh.itests.mesh.torture;

import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.MeshClient;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import java.time.Duration;

/** How whole the pool is. Owner: the thread of the faults. */
final class Health {
    /** A rank that may come back by itself has begun to by then; after many deaths it waits for a command. */
    private static final Duration RETURN_MAX = Duration.ofSeconds(20);

    private static final Duration POLL = Duration.ofMillis(200);

    private final LocalMesh mesh;
    private final MeshClient client;
    private final String pool;
    private final Journal journal;
    /** Targets whose devices were put out for good. */
    private int lostTargets;

    Health(LocalMesh mesh, MeshClient client, String pool, Journal journal) {
        this.mesh = mesh;
        this.client = client;
        this.pool = pool;
        this.journal = journal;
    }

    PoolMap map() {
        return PoolMap.fromWire(MeshClient.await(client.pool(pool).query()).getMap());
    }

    /** From now on the pool counts as whole with as many targets out as are now. */
    void acceptLoss() {
        lostTargets = map().disabledCount();
    }

    int lostTargets() {
        return lostTargets;
    }

    /** Nobody has to copy anything, and no more targets are out. */
    boolean isRebuilt(int moreTargetsOut) {
        PoolMap map = map();
        return !map.needsRebuild() && map.disabledCount() == lostTargets + moreTargetsOut;
    }

    /** Nothing is left to be copied, whoever is out. */
    boolean isSettled() {
        return !map().needsRebuild();
    }

    boolean isOut(int rank) {
        return map().disabledRanks().contains(rank);
    }

    private boolean areJoined() {
        GroupMap members = client.newestGroupMap();
        return members.members().stream().allMatch(m -> m.state() == MemberState.JOINED);
    }

    /** Waits for all ranks and all targets; false if it took too long. A rank that is kept waiting for its return is called back. */
    boolean awaitWhole(Duration max) {
        long beganNs = System.nanoTime();
        long calledNs = beganNs;
        while (System.nanoTime() - beganNs < max.toNanos()) {
            try {
                boolean areJoined = areJoined();
                if (areJoined && isRebuilt(0)) return true;
                boolean isLate = System.nanoTime() - calledNs > RETURN_MAX.toNanos();
                if (areJoined && isLate) {
                    calledNs = System.nanoTime();
                    callBack();
                }
            } catch (RuntimeException e) {
                journal.failed("pool query", e, "");
            }
            Lane.pause(POLL.toMillis());
        }
        return false;
    }

    private void callBack() {
        PoolMap map = map();
        if (map.needsRebuild()) return;
        for (int rank : map.disabledRanks()) {
            journal.say("rank %d is Joined and still out: reintegrate", rank);
            mesh.dmg("pool", "reintegrate", pool, "--ranks=" + rank);
        }
    }
}
