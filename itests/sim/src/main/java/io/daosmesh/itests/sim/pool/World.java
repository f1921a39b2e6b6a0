package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.history.Verdict;
import io.daosmesh.itests.sim.machine.Disk;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.itests.sim.pool.PoolScenario.Plan;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Five ranks, one pool, some clients, on one timeline. Owner: the thread of the test. */
final class World {
    static final int RANKS = 5;
    static final UUID POOL = new UUID(1, 1);
    /** Longer than any deadline, lease, fence and pause between tries in the shipped classes together. */
    static final long END_MAX_NS = Timeline.ms(240_000);

    private static final int SPARES = 2;
    private static final int CLIENTS = 6;
    private static final int WATCHERS = 6;
    private static final int KEYS_OF_CLIENT = 3;
    private static final int CONTESTED_KEYS = 2;
    private static final int ODD_USERS = 2;
    private static final int HOGS = 2;
    private static final int NOTES_MAX = 400;
    private static final double BAD_BLOCKS = 0.2;
    /** What all others write takes a good part of it. */
    private static final int SMALL_BYTES = 1 << 20;

    final Plan plan;
    final Timeline time;
    final List<Node> nodes = new ArrayList<>();
    final Network network;
    final PoolService service;
    final List<ObjectId> objects = new ArrayList<>();
    final List<Register> registers = new ArrayList<>();
    final List<OddUser.Key> oddKeys = new ArrayList<>();
    final List<Client> clients = new ArrayList<>();
    final List<OddUser> oddUsers = new ArrayList<>();
    private final List<Hog> hogs = new ArrayList<>();
    final List<String> violations = new ArrayList<>();
    /** What happened, for whoever looks for the cause of a violation. */
    final List<String> notes = new ArrayList<>();

    boolean isOpen = true;
    /** Nobody does anything of their own accord any more. */
    boolean isQuiet;

    long writes;
    long reads;
    long readsOfReplicas;
    long tries;
    long resends;
    /** Calls that ended without an outcome. */
    long unknown;
    /** Calls that were refused since no holder was there. */
    long unavailable;

    /** Of them, because no copy could be read. */
    long unreadable;

    /** Damaged copies that somebody came upon. */
    long damaged;

    /** Writes that found no room. */
    long refusedAsFull;

    /** Looks at ranks that had no room for groups to be rebuilt. */
    long blocked;

    long oddRefusals;
    /** Looks of starts that found the clock behind what is stored. */
    long clockWaits;
    /** Histories that the checker could not decide. */
    int undecided;

    World(Plan plan, long seed) {
        this.plan = plan;
        time = new Timeline(seed);
        network = new Network(time, nodes, plan.loss(), has(Hazard.CLOCK_STEPS));
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < RANKS; r++) {
            nodes.add(new Node(r, time, r == 0 && has(Hazard.BAD_BLOCKS) ? BAD_BLOCKS : 0, blobBytes()));
            if (r < RANKS - spares()) targets.add(new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1));
        }
        service = new PoolService(this, new PoolMap(POOL, 1, targets));
        boolean isMixed = has(Hazard.EMPTIED_GROUPS);
        object(ObjectClass.RP_3, 2);
        object(isMixed ? ObjectClass.RP_2 : ObjectClass.RP_3, 2);
        object(isMixed ? ObjectClass.SINGLE : ObjectClass.RP_3, isMixed ? RANKS : 2);
        for (Node n : nodes) n.start(new EngineLife(n, this));
        people();
        watch();
    }

    private void object(ObjectClass of, int groups) {
        objects.add(ObjectId.of(ObjectId.Type.KEY_VALUE, of, groups, 0, time.between(1, 1L << 40)));
    }

    private void people() {
        List<Register> contested = new ArrayList<>();
        for (int k = 0; k < CONTESTED_KEYS; k++) contested.add(register(true));
        // whoever writes tells members of new maps: where they shall miss some there are not many
        boolean isQuiet = plan.hazards().equals(Set.of(Hazard.SKIPPED_MAPS));
        for (int c = 0; c < (isQuiet ? 1 : CLIENTS); c++) {
            List<Register> own = new ArrayList<>(contested.subList(c % 2, c % 2 + 1));
            for (int k = 0; k < KEYS_OF_CLIENT; k++) own.add(register(false));
            clients.add(new Client(this, c, own, null));
        }
        for (int w = 0; w < WATCHERS; w++) {
            // each object's; with somebody who writes nothing else where successions are looked for
            boolean hasOwn = has(Hazard.SKIPPED_MAPS);
            Register watched = hasOwn ? register(false) : registers.get(CONTESTED_KEYS + 2 * w);
            int number = CLIENTS + 3 * w;
            clients.add(new Client(this, number, List.of(), watched));
            if (!hasOwn) continue;
            clients.add(new Client(this, number + 1, List.of(), watched));
            clients.add(new Client(this, number + 2, List.of(watched), null));
        }
        for (int h = 0; h < (has(Hazard.FULL_TARGETS) ? HOGS : 0); h++)
            hogs.add(new Hog(this, 200 + h, objects.get(h)));
        if (!has(Hazard.ODD_INPUT)) return;
        for (ObjectId oid : objects)
            oddKeys.add(new OddUser.Key(new Caller.Place(oid, new byte[] {0, (byte) 0xff, (byte) oddKeys.size()})));
        for (int u = 0; u < ODD_USERS; u++) oddUsers.add(new OddUser(this, 100 + u, oddKeys));
    }

    private Register register(boolean isContested) {
        int id = registers.size();
        Register r = new Register(objects.get(id % objects.size()), id, isContested);
        registers.add(r);
        return r;
    }

    private int blobBytes() {
        return has(Hazard.FULL_TARGETS) ? SMALL_BYTES : Disk.BLOB_BYTES;
    }

    /** Ranks that the pool begins without. */
    private int spares() {
        return has(Hazard.EXTENSION) ? SPARES : 0;
    }

    boolean has(Hazard h) {
        return plan.hazards().contains(h);
    }

    /** Fewest copies that an object has. */
    int copiesMin() {
        return objects.stream().mapToInt(o -> o.objectClass().replicas()).min().orElseThrow();
    }

    List<User> users() {
        List<User> all = new ArrayList<>(clients);
        all.addAll(oddUsers);
        all.addAll(hogs);
        return all;
    }

    /** How long a client has patience with a call. */
    long limitNs() {
        if (has(Hazard.GIVEN_UP_CALLS)) return time.between(Timeline.ms(300), Timeline.ms(6_000));
        return has(Hazard.EMPTIED_GROUPS) || has(Hazard.BAD_BLOCKS)
                ? time.between(Timeline.ms(3_000), Timeline.ms(8_000))
                : END_MAX_NS;
    }

    /** Who reaches more than half of the ranks that run. */
    private void watch() {
        time.after(Timeline.ms(200), this::watch);
        long reachable = nodes.stream().filter(Node::isWell).count();
        for (Node n : nodes) if (n.isWell() && reachable > RANKS / 2) n.lastReachedNs = time.nowNs();
    }

    /** A call has ended without an answer: this must have a reason that the plan allows. */
    void onRefused(String call, @Nullable Fault fault) {
        if (fault != null && Caller.isCondition(fault)) return;
        boolean isLoss = fault != null && fault.code() == FaultCode.DATA_LOSS;
        boolean isOverdue = fault != null && fault.code().retry() != FaultCode.Retry.NEVER;
        if (isLoss || isOverdue) unavailable++;
        if (fault != null && fault.code() == FaultCode.CSUM && has(Hazard.BAD_BLOCKS)) unreadable++;
        boolean isFull = fault != null && fault.code() == FaultCode.NOSPACE && has(Hazard.FULL_TARGETS);
        if (isFull) refusedAsFull++;
        boolean isAllowed = isFull || isLoss && has(Hazard.EMPTIED_GROUPS) || isOverdue && plan.isHurried();
        if (!isAllowed) violate(call + ": " + (fault == null ? "no fault" : fault.message()));
    }

    /** Looks at the whole histories. */
    void judge() {
        for (Register r : registers) judge(r.name(), r.verdict());
        for (OddUser.Key k : oddKeys) judge(k.name(), k.verdict());
    }

    private void judge(String of, Verdict v) {
        if (v.result() == Verdict.Result.UNDECIDED) undecided++;
        if (v.result() == Verdict.Result.NOT_LINEARIZABLE) violate(of + " is not linearizable: " + v.detail());
    }

    void violate(String what) {
        violations.add(what);
        note("VIOLATION " + what);
    }

    void note(String what) {
        if (notes.size() == NOTES_MAX) notes.remove(0);
        notes.add(time.nowNs() / 1_000_000 - 1_000_000 + " ms: " + what);
    }

    /** A copy is not what was written. */
    void onDamage(int rank, Fault fault) {
        damaged++;
        if (rank != 0 || !has(Hazard.BAD_BLOCKS)) violate("rank " + rank + " found damaged bytes: " + fault.message());
    }

    long scrubbed() {
        long sum = 0;
        for (Node n : nodes) {
            EngineLife life = n.life();
            if (life != null) sum += life.scrubbed();
        }
        return sum;
    }

    void count(boolean isResent) {
        tries++;
        if (isResent) resends++;
    }
}
