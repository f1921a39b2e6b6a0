package io.daosmesh.itests.mesh.torture;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.cli.mesh.MeshSettings;
import io.daosmesh.itests.mesh.LocalMesh;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.Callable;

/**
 * One fault after the other, which and where by the seed. The next begins when the pool is whole again, so that no class has more
 * at once than it promises to survive. Owner: its thread.
 */
final class Faults {
    /** To be found out, put out and rebuilt without. */
    private static final Duration OUT_MAX = Duration.ofSeconds(150);

    /** To be back with all of its targets. */
    private static final Duration WHOLE_MAX = Duration.ofSeconds(240);

    private static final Duration EVICTED_MAX = Duration.ofSeconds(60);
    /** A device that is put out stays so: a mesh of four nodes can do without two. */
    private static final int DEVICES_LOST_MAX = 2;
    /** Of so many rounds of kills one takes all nodes. */
    private static final int ONE_IN_ALL = 8;

    private static final String DRIVER = "nvme-spdk";
    private static final List<String> BUNDLES = List.of(DRIVER, DRIVER, "engine", "rebuild", "telemetry", "control");

    private final LocalMesh mesh;
    private final Health health;
    private final Journal journal;
    private final SplittableRandom random;
    private final Set<Integer> nodesWithLoss = new HashSet<>();
    /** Its network can be cut. */
    private final boolean isApart;

    /** How likely each is among {@link #WEIGHTS}. */
    private enum Kind {
        KILL(5),
        KILL_AND_AGAIN(2),
        KILL_TWO(2),
        PAUSE_SHORT(2),
        PAUSE_LONG(2),
        STOP(1),
        EXCLUDE(1),
        DRAIN(1),
        SLOW(2),
        HANG(2),
        FLIP(3),
        LOSE_DEVICE(1),
        CUT_PAIR(3),
        CUT_FROM_NODES(3),
        CUT_OFF(2),
        SWAP(4);

        private final int weight;

        Kind(int weight) {
            this.weight = weight;
        }
    }

    private static final int WEIGHTS =
            List.of(Kind.values()).stream().mapToInt(k -> k.weight).sum();

    Faults(LocalMesh mesh, Health health, Journal journal, SplittableRandom random) {
        this.mesh = mesh;
        this.health = health;
        this.journal = journal;
        this.random = random;
        this.isApart = MeshSettings.read(mesh.dir()).network().isPresent();
    }

    /** Until then, and until the pool is whole after the last; false if it does not become so. */
    boolean run(long untilMs) {
        while (journal.nowMs() < untilMs) if (!runOne(next())) return false;
        return true;
    }

    /** Cuts the network again and again; false if the pool does not become whole after one. */
    boolean cut(int count) {
        if (!isApart) throw new IllegalStateException("the nodes of this mesh have no network of their own");
        List<Kind> kinds = List.of(Kind.CUT_PAIR, Kind.CUT_FROM_NODES, Kind.CUT_OFF);
        for (int i = 0; i < count; i++) if (!runOne(kinds.get(random.nextInt(kinds.size())))) return false;
        return true;
    }

    private boolean runOne(Kind kind) {
        try {
            begin(kind);
        } catch (RuntimeException e) {
            journal.failed("fault " + kind, e, "");
            mend();
        }
        if (!health.awaitWhole(WHOLE_MAX)) {
            journal.violation("the pool is not whole %d s after %s: %s", WHOLE_MAX.toSeconds(), kind, map());
            return false;
        }
        journal.say("whole");
        pause(500, 3_000);
        return true;
    }

    /**
     * Cuts the power of one node, or of all at the same time, again and again; false if the pool does not become whole after one.
     *
     * @param count of cuts
     */
    boolean run(PowerCuts power, int count) {
        for (int i = 1; i <= count; i++) {
            pause(1_000, 8_000);
            List<MeshRecord.Entry> nodes = new ArrayList<>(mesh.nodes());
            boolean isAll = random.nextInt(3) == 0;
            if (!isAll) nodes = List.of(nodes.get(random.nextInt(nodes.size())));
            List<Integer> numbers = nodes.stream().map(MeshRecord.Entry::number).toList();
            journal.fault("power cut", "nodes " + numbers);
            power.cut(nodes);
            if (!isAll) pause(0, 8_000);
            numbers.forEach(n -> mesh.mesh("start", Integer.toString(n)).orFail());
            if (!health.awaitWhole(WHOLE_MAX)) {
                journal.violation("the pool is not whole %d s after a power cut: %s", WHOLE_MAX.toSeconds(), map());
                return false;
            }
            journal.say("whole after power cut %d of %d", i, count);
        }
        return true;
    }

    /**
     * Kills nodes again and again, as fast as nobody loses what only they have: the same one while it comes back, all of them, or
     * the next when all is whole; false if the pool does not become so.
     *
     * @param count of processes killed
     */
    boolean kill(int count) {
        for (int killed = 0; killed < count; ) {
            pause(0, 3_000);
            List<MeshRecord.Entry> nodes = mesh.nodes();
            boolean isAll = random.nextInt(ONE_IN_ALL) == 0;
            if (!isAll) nodes = List.of(nodes.get(random.nextInt(nodes.size())));
            int times = 1 + random.nextInt(3);
            for (int t = 0; t < times && killed < count; t++) {
                killed += killAndStart(nodes);
                if (t < times - 1) pause(0, 6_000);
            }
            if (!health.awaitWhole(WHOLE_MAX)) {
                journal.violation("the pool is not whole %d s after kills: %s", WHOLE_MAX.toSeconds(), map());
                return false;
            }
            journal.say("whole after %d kills of %d", killed, count);
        }
        return true;
    }

    private int killAndStart(List<MeshRecord.Entry> nodes) {
        Set<Integer> numbers = new TreeSet<>();
        nodes.forEach(n -> numbers.add(n.number()));
        numbers.forEach(n -> journal.fault("kill", "node " + n));
        end(mesh.nodes().stream().filter(n -> numbers.contains(n.number())).toList());
        numbers.forEach(this::start);
        return numbers.size();
    }

    /** All at the same moment, without a word. */
    static void end(List<MeshRecord.Entry> nodes) {
        List<ProcessHandle> processes =
                nodes.stream().flatMap(n -> ProcessHandle.of(n.pid()).stream()).toList();
        processes.forEach(ProcessHandle::destroyForcibly);
        processes.forEach(p -> p.onExit().join());
    }

    private Kind next() {
        int at = random.nextInt(WEIGHTS);
        for (Kind k : Kind.values()) {
            at -= k.weight;
            if (at >= 0) continue;
            boolean isPossible = switch (k) {
                case LOSE_DEVICE -> nodesWithLoss.size() < DEVICES_LOST_MAX;
                case CUT_PAIR, CUT_FROM_NODES, CUT_OFF -> isApart;
                default -> true;
            };
            return isPossible ? k : Kind.KILL;
        }
        throw new IllegalStateException("weights");
    }

    private void begin(Kind kind) {
        List<MeshRecord.Entry> nodes = new ArrayList<>(mesh.nodes());
        MeshRecord.Entry node = nodes.remove(random.nextInt(nodes.size()));
        MeshRecord.Entry second = nodes.get(random.nextInt(nodes.size()));
        switch (kind) {
            case KILL -> kill(node, second);
            case KILL_AND_AGAIN -> killAndAgain(node);
            case KILL_TWO -> killTwo(node, second);
            case PAUSE_SHORT -> pauseNode(node, 500 + random.nextInt(2_500));
            case PAUSE_LONG -> pauseLong(node);
            case STOP -> stop(node);
            case EXCLUDE -> putOut(node, "exclude", "--force");
            case DRAIN -> putOut(node, "drain");
            case SLOW -> trouble(node, "slow", Integer.toString(5 + random.nextInt(300)));
            case HANG -> trouble(node, "hang");
            case FLIP -> trouble(node, "flip", "reads");
            case LOSE_DEVICE -> loseDevice(node);
            case CUT_PAIR -> cut("cut between two", node, List.of(second));
            case CUT_FROM_NODES -> cut("cut from all nodes", node, nodes);
            case CUT_OFF -> cut("cut from all nodes and clients", node, List.of());
            case SWAP -> swap(node, BUNDLES.get(random.nextInt(BUNDLES.size())));
        }
    }

    // ---------------------------------------------------------------- processes

    private void killNode(MeshRecord.Entry node, String kind) {
        journal.fault(kind, "node " + node.number() + " (rank " + node.rank() + ")");
        mesh.kill(node.number());
    }

    private void start(MeshRecord.Entry node) {
        start(node.number());
    }

    private void start(int number) {
        journal.say("start node %d", number);
        mesh.startNode(number);
    }

    private void kill(MeshRecord.Entry node, MeshRecord.Entry other) {
        killNode(node, "kill");
        if (random.nextInt(3) == 0) {
            awaitRebuilt(node);
            pause(0, 2_000);
        } else {
            pause(0, 12_000);
        }
        start(node);
        if (random.nextInt(3) == 0) {
            pause(0, 3_000);
            swap(other, DRIVER);
        }
    }

    private void killAndAgain(MeshRecord.Entry node) {
        killNode(node, "kill");
        pause(0, 15_000);
        start(node);
        pause(0, 8_000);
        killNode(node, "kill again");
        pause(0, 5_000);
        start(node);
    }

    /** The second only when everything is in its place without the first. */
    private void killTwo(MeshRecord.Entry first, MeshRecord.Entry second) {
        killNode(first, "kill");
        awaitRebuilt(first);
        pause(0, 2_000);
        killNode(second, "kill second");
        pause(0, 15_000);
        boolean isInTurn = random.nextBoolean();
        start(isInTurn ? first : second);
        pause(0, 3_000);
        start(isInTurn ? second : first);
    }

    private void pauseNode(MeshRecord.Entry node, int ms) {
        journal.fault("pause", "node " + node.number() + " for " + ms + " ms");
        mesh.mesh("pause", Integer.toString(node.number())).orFail();
        pause(ms, ms);
        mesh.mesh("resume", Integer.toString(node.number())).orFail();
    }

    private void pauseLong(MeshRecord.Entry node) {
        journal.fault("pause until out", "node " + node.number());
        mesh.mesh("pause", Integer.toString(node.number())).orFail();
        await("rank " + node.rank() + " is out", OUT_MAX, () -> health.isOut(node.rank()));
        pause(0, 8_000);
        mesh.mesh("resume", Integer.toString(node.number())).orFail();
    }

    // ---------------------------------------------------------------- the administrator

    private void stop(MeshRecord.Entry node) {
        String rank = Integer.toString(node.rank());
        journal.fault("system stop", "rank " + rank);
        mesh.dmg("system", "stop", "--ranks", rank).orFail();
        pause(2_000, 12_000);
        mesh.dmg("system", "start", "--ranks", rank).orFail();
    }

    private void putOut(MeshRecord.Entry node, String how, String... more) {
        String rank = "--ranks=" + node.rank();
        journal.fault("pool " + how, "rank " + node.rank());
        List<String> line = new ArrayList<>(List.of("pool", how, Torture.POOL, rank));
        line.addAll(List.of(more));
        mesh.dmg(line.toArray(String[]::new)).orFail();
        awaitRebuilt(node);
        pause(0, 2_000);
        mesh.dmg("pool", "reintegrate", Torture.POOL, rank).orFail();
    }

    private void swap(MeshRecord.Entry node, String bundle) {
        journal.fault("swap " + bundle, "on node " + node.number());
        mesh.mesh("console", Integer.toString(node.number()), "bundle:update io.daosmesh." + bundle)
                .orFail();
    }

    // ---------------------------------------------------------------- the network

    /** Shorter than what puts a node out, or longer. */
    private void cut(String kind, MeshRecord.Entry node, List<MeshRecord.Entry> others) {
        List<String> line = new ArrayList<>(List.of(Integer.toString(node.number())));
        others.forEach(o -> line.add(Integer.toString(o.number())));
        boolean isOneWay = random.nextInt(3) == 0;
        if (isOneWay) line.add("--one-way");
        boolean isShort = random.nextBoolean();
        int ms = isShort ? 500 + random.nextInt(3_500) : 8_000 + random.nextInt(25_000);
        journal.fault(kind + (isOneWay ? " one way" : ""), "nodes " + line + " for " + ms + " ms");
        mesh.mesh("cut", line.toArray(String[]::new)).orFail();
        pause(ms, ms);
        mesh.mesh("heal").orFail();
        journal.say("healed");
    }

    // ---------------------------------------------------------------- devices

    private void device(MeshRecord.Entry node, String device, String... words) {
        List<String> args = new ArrayList<>(List.of(Integer.toString(node.number()), device));
        args.addAll(List.of(words));
        mesh.mesh("device", args.toArray(String[]::new)).orFail();
    }

    /** Of one device or both of the node; shorter than what puts a silent one out. */
    private void trouble(MeshRecord.Entry node, String... words) {
        int which = random.nextInt(3);
        journal.fault("device " + words[0], "on node " + node.number() + (which == 2 ? " both" : " ssd" + which));
        if (which != 1) device(node, "ssd0", words);
        if (which != 0) device(node, "ssd1", words);
        pause(1_000, words[0].equals("hang") ? 6_000 : 12_000);
        device(node, "ssd0", "clear");
        device(node, "ssd1", "clear");
    }

    private void loseDevice(MeshRecord.Entry node) {
        if (!nodesWithLoss.add(node.number())) return;
        String device = "ssd" + random.nextInt(2);
        boolean isSilent = random.nextBoolean();
        int before = health.map().disabledCount();
        journal.fault("device lost", "on node " + node.number() + " " + device + (isSilent ? " hangs" : " fails"));
        device(node, device, isSilent ? "hang" : "fail");
        await("its target is out", EVICTED_MAX, () -> health.map().disabledCount() > before);
        health.acceptLoss();
        await("it is rebuilt", OUT_MAX, health::isSettled);
        device(node, device, "clear");
    }

    // ---------------------------------------------------------------- waiting

    private void awaitRebuilt(MeshRecord.Entry without) {
        await("rank " + without.rank() + " is out", OUT_MAX, () -> health.isOut(without.rank()) || isDrained(without));
        await("the pool is rebuilt without rank " + without.rank(), OUT_MAX, health::isSettled);
        journal.say("rebuilt without rank %d", without.rank());
    }

    private boolean isDrained(MeshRecord.Entry node) {
        return health.map().ofRank(node.rank()).stream().noneMatch(t -> t.isHome());
    }

    private static void await(String what, Duration max, Callable<Boolean> condition) {
        LocalMesh.await(what, max, () -> {
            Lane.pause(150);
            return condition.call();
        });
    }

    private void pause(int fromMs, int toMs) {
        Lane.pause(fromMs + random.nextInt(Math.max(1, toMs - fromMs)));
    }

    private String map() {
        try {
            return health.map().toString();
        } catch (RuntimeException e) {
            return String.valueOf(e.getMessage());
        }
    }

    /** Whatever a fault has left that could not be ended: nodes run, and devices do as they should. */
    private void mend() {
        if (isApart) mesh.mesh("heal");
        for (MeshRecord.Entry n : mesh.nodes()) {
            try {
                String number = Integer.toString(n.number());
                if (ProcessHandle.of(n.pid()).filter(ProcessHandle::isAlive).isEmpty()) mesh.mesh("start", number);
                else mesh.mesh("resume", number);
                device(n, "ssd0", "clear");
                device(n, "ssd1", "clear");
            } catch (RuntimeException e) {
                journal.failed("mend", e, "");
            }
        }
    }
}
