package io.daosmesh.itests.sim.pool;

import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Five ranks, one pool, some clients, on one timeline. Owner: the thread of the test. */
final class World {
    static final int RANKS = 5;
    static final UUID POOL = new UUID(1, 1);
    private static final int CLIENTS = 6;
    private static final int WATCHERS = 6;
    private static final int KEYS_OF_CLIENT = 3;
    private static final int NOTES_MAX = 400;

    final Timeline time;
    final List<Node> nodes = new ArrayList<>();
    final Network network;
    final PoolService service;
    final List<ObjectId> objects = new ArrayList<>();
    final List<Register> registers = new ArrayList<>();
    final List<Client> clients = new ArrayList<>();
    final List<String> violations = new ArrayList<>();
    /** What happened, for whoever looks for the cause of a violation. */
    final List<String> notes = new ArrayList<>();

    boolean isOpen = true;
    long writes;
    long reads;
    long tries;
    long resends;

    World(long seed, double loss) {
        time = new Timeline(seed);
        network = new Network(time, nodes, loss);
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < RANKS; r++) {
            nodes.add(new Node(r, time));
            targets.add(new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1));
        }
        service = new PoolService(this, new PoolMap(POOL, 1, targets));
        for (int i = 0; i < 3; i++)
            objects.add(ObjectId.of(ObjectId.Type.KEY_VALUE, ObjectClass.RP_3, 2, 0, time.between(1, 1L << 40)));
        for (Node n : nodes) n.start(new EngineLife(n, this));
        for (int c = 0; c < CLIENTS; c++) {
            List<Register> own = new ArrayList<>();
            for (int k = 0; k < KEYS_OF_CLIENT; k++) {
                own.add(new Register(objects.get(k % objects.size()), registers.size() + k));
            }
            registers.addAll(own);
            clients.add(new Client(this, c, own));
        }
        for (int w = 0; w < WATCHERS; w++) clients.add(new Client(this, CLIENTS + 2 * w, List.of()));
        watch();
    }

    /** Who reaches more than half of the ranks that run. */
    private void watch() {
        time.after(Timeline.ms(200), this::watch);
        long reachable = nodes.stream()
                .filter(n -> n.isUp() && !n.isPaused() && !n.isCutOff)
                .count();
        for (Node n : nodes)
            if (n.isUp() && !n.isPaused() && !n.isCutOff && reachable > RANKS / 2) n.lastReachedNs = time.nowNs();
    }

    void violate(String what) {
        violations.add(what);
        note("VIOLATION " + what);
    }

    void note(String what) {
        if (notes.size() == NOTES_MAX) notes.remove(0);
        notes.add(time.nowNs() / 1_000_000 - 1_000_000 + " ms: " + what);
    }

    void count(boolean isResent) {
        tries++;
        if (isResent) resends++;
    }
}
