package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.TargetState;
import java.util.List;

/** What goes wrong with ranks and maps, and when. Owner: the timeline. */
final class Trouble {
    private static final int DOWN_MAX = 2;
    private static final long STEP_MIN_NS = Timeline.ms(1_000);
    private static final long STEP_MAX_NS = Timeline.ms(5_000);
    private static final long APPEND_WAIT_NS = Timeline.ms(200);

    private final World world;
    private final long endNs;
    private int crashes;
    private int crashesInWrites;
    private int hangs;

    Trouble(World world, long forNs) {
        this.world = world;
        this.endNs = world.time.nowNs() + forNs;
        if (world.has(Hazard.HANGING_DEVICES)) repairDevices();
        if (world.has(Hazard.STOPPED_TARGETS)) restartStopped();
    }

    boolean isOver() {
        return world.time.nowNs() >= endNs;
    }

    int crashes() {
        return crashes;
    }

    /** Of them, while a batch was on its way into the log. */
    int crashesInWrites() {
        return crashesInWrites;
    }

    /** Devices that were left to hang. */
    int hangs() {
        return hangs;
    }

    void next() {
        Timeline t = world.time;
        t.after(t.between(Timeline.ms(100), Timeline.ms(1_500)), () -> {
            if (isOver()) return;
            if (world.has(Hazard.SKIPPED_MAPS) && t.happens(0.3)) succession();
            else if (world.has(Hazard.STOPPED_TARGETS) && t.happens(0.3)) stopTarget();
            else if (mayHang() && t.happens(0.6)) hang(world.nodes.get(t.below(World.RANKS)));
            else if (world.has(Hazard.CLOCK_STEPS) && t.happens(0.4)) setClock(world.nodes.get(t.below(World.RANKS)));
            else strike(world.nodes.get(t.below(World.RANKS)));
            next();
        });
    }

    private void strike(Node n) {
        List<Node> others = world.nodes.stream()
                .filter(o -> !o.disk.isHanging() && !o.disk.isFaulty())
                .toList();
        if (isDeviceLost() && !isWhole(others)) return;
        Timeline t = world.time;
        switch (t.below(7)) {
            case 0, 1, 2 -> crash(n);
            case 3 -> pause(n, t.between(Timeline.ms(50), Timeline.ms(6_000)));
            case 4 -> cutOff(n, t.between(Timeline.ms(100), Timeline.ms(6_000)));
            // also a rank that is well: the accusation may have been wrong
            case 5 -> putOut(n);
            default -> world.service.changeLeader();
        }
    }

    private boolean mayCrash(Node n) {
        return n.isUp() && world.nodes.stream().filter(o -> !o.isUp()).count() < DOWN_MAX;
    }

    private void crash(Node n) {
        if (!mayCrash(n)) return;
        Timeline t = world.time;
        boolean isLong = world.has(Hazard.EMPTIED_GROUPS) && t.happens(0.6);
        long forNs = isLong
                ? t.between(Timeline.ms(3_000), Timeline.ms(9_000))
                : t.between(Timeline.ms(50), Timeline.ms(4_000));
        crash(n, forNs);
        // as failure detection would
        long noticedNs = t.between(Timeline.ms(300), Timeline.ms(1_500));
        if (noticedNs < forNs && !t.happens(0.2)) t.after(noticedNs, () -> putOutIfSilent(n));
    }

    private void crash(Node n, long forNs) {
        if (world.time.happens(0.6)) crashInWrite(n, forNs);
        else crashNow(n, forNs);
    }

    /** While a batch is on its way into the log, if one is soon. */
    private void crashInWrite(Node n, long forNs) {
        boolean[] isDone = new boolean[1];
        Runnable crash = () -> {
            if (!isDone[0] && mayCrash(n)) crashNow(n, forNs);
            isDone[0] = true;
        };
        n.disk.onNextAppend(crash);
        world.time.after(APPEND_WAIT_NS, crash);
    }

    private void crashNow(Node n, long forNs) {
        boolean isPowerLoss = world.time.happens(0.5);
        world.note("rank " + n.rank + (isPowerLoss ? " loses power" : " is killed"));
        crashes++;
        if (n.disk.isAppending()) crashesInWrites++;
        n.crash(isPowerLoss);
        world.time.after(forNs, () -> {
            world.note("rank " + n.rank + " starts");
            n.start(new EngineLife(n, world));
        });
    }

    /** One of a pair, while the other is put out: before it, so that nothing is missed, or after it, so that something may be. */
    private void stopTarget() {
        Timeline t = world.time;
        if (world.nodes.stream().anyMatch(Node::isStopped)) return;
        ObjectId oid = world.objects.get(t.below(world.objects.size()));
        PoolMap map = world.service.map();
        List<Integer> pair =
                Placement.group(map, oid, t.below(oid.groupCount())).settled();
        if (pair.size() < 2) return;
        Node stopped = world.nodes.get(rank(map, pair.get(0)));
        Node other = world.nodes.get(rank(map, pair.get(1)));
        if (!stopped.isWell() || !other.isWell()) return;
        if (t.happens(0.5)) {
            stop(stopped);
            if (t.happens(0.7)) pause(other, t.between(Timeline.ms(50), Timeline.ms(2_000)));
            t.after(t.between(0, Timeline.ms(300)), () -> putOut(other));
        } else {
            putOut(other);
            t.after(t.between(0, Timeline.ms(1_500)), () -> stop(stopped));
        }
    }

    private void stop(Node n) {
        EngineLife life = n.life();
        if (life == null || n.isStopped()) return;
        world.note("the target of rank " + n.rank + " stops");
        life.stopTarget();
    }

    /** Its index is good again with the next start, which comes when it is out. */
    private void restartStopped() {
        Timeline t = world.time;
        t.after(t.between(Timeline.ms(1_000), Timeline.ms(4_000)), () -> {
            for (Node n : world.nodes) {
                if (!n.isStopped() || !world.service.state(n.rank).isDisabled()) continue;
                world.note("rank " + n.rank + " starts anew");
                n.crash(false);
                n.start(new EngineLife(n, world));
            }
            restartStopped();
        });
    }

    private boolean mayHang() {
        return world.has(Hazard.HANGING_DEVICES) && !isDeviceLost() && isWhole(world.nodes);
    }

    /** For good, or for a while that may be longer than it may take to answer. */
    private void hang(Node n) {
        Timeline t = world.time;
        boolean isForGood = t.happens(0.4);
        long forNs = t.between(Timeline.ms(200), Timeline.ms(12_000));
        world.note("the device of rank " + n.rank + " hangs " + (isForGood ? "for good" : forNs / 1_000_000 + " ms"));
        hangs++;
        n.disk.hang();
        if (!isForGood) t.after(forNs, n.disk::answer);
    }

    /** A device may be all that a rank has: as many may fail beside it as there are copies left then. */
    private boolean isDeviceLost() {
        return world.nodes.stream().anyMatch(o -> o.disk.isHanging() || o.disk.isFaulty());
    }

    private boolean isWhole(List<Node> nodes) {
        return nodes.stream().allMatch(o -> o.isUp() && world.service.state(o.rank) == TargetState.UPIN);
    }

    /** Somebody looks after devices that are said to be faulty, and only those. */
    private void repairDevices() {
        Timeline t = world.time;
        t.after(t.between(Timeline.ms(1_000), Timeline.ms(4_000)), () -> {
            for (Node n : world.nodes) if (n.isUp() && n.disk.isFaulty()) repairDevice(n);
            repairDevices();
        });
    }

    /** It is replaced when its target is out, with a start. Else others may need what it holds: it answers again. */
    private void repairDevice(Node n) {
        if (world.service.state(n.rank).isDisabled()) {
            world.note("the device of rank " + n.rank + " is replaced");
            n.crash(false);
            n.disk.repair();
            n.start(new EngineLife(n, world));
        } else if (n.disk.isHanging() && world.time.happens(0.3)) {
            world.note("the device of rank " + n.rank + " answers again");
            n.disk.answer();
        }
    }

    /** Forward or back; often over a restart; mended after a while, by a step the other way. */
    private void setClock(Node n) {
        if (n.isClockSet()) return;
        Timeline t = world.time;
        long aheadNs = t.between(STEP_MIN_NS, STEP_MAX_NS) * (t.happens(0.5) ? 1 : -1);
        if (mayCrash(n) && t.happens(0.6)) crash(n, t.between(Timeline.ms(50), Timeline.ms(1_000)));
        world.note("the clock of rank " + n.rank + " is set by " + aheadNs / 1_000_000 + " ms");
        n.setClock(aheadNs);
        t.after(t.between(Timeline.ms(1_500), Timeline.ms(6_000)), () -> {
            world.note("the clock of rank " + n.rank + " is mended");
            if (mayCrash(n) && t.happens(0.3)) crash(n, t.between(Timeline.ms(50), Timeline.ms(1_000)));
            n.setClock(0);
        });
    }

    private void pause(Node n, long forNs) {
        if (!n.isUp() || n.isPaused()) return;
        world.note("rank " + n.rank + " sleeps " + forNs / 1_000_000 + " ms");
        n.pause();
        maybePutOut(n, forNs);
        world.time.after(forNs, n::resume);
    }

    private void cutOff(Node n, long forNs) {
        if (n.isCutOff) return;
        world.note("rank " + n.rank + " is cut off for " + forNs / 1_000_000 + " ms");
        n.isCutOff = true;
        n.isSeenByClients = world.time.happens(0.5);
        world.time.after(forNs, () -> n.isCutOff = false);
        maybePutOut(n, forNs);
    }

    /** As failure detection would, sooner or later than it would. */
    private void maybePutOut(Node n, long silentNs) {
        if (world.time.happens(0.3)) return;
        world.time.after(world.time.between(0, silentNs), () -> putOut(n));
    }

    private void putOutIfSilent(Node n) {
        if (!n.isUp()) putOut(n);
    }

    private void putOut(Node n) {
        if (world.service.exclude(n.rank, PoolService.Push.USUAL)) world.note("rank " + n.rank + " put out");
    }

    /**
     * A leader dies, its successor leads for less than a lease, cut off from all but its clients, and the members of its
     * group never see the map that made it the leader.
     */
    private void succession() {
        Timeline t = world.time;
        ObjectId oid = world.objects.get(t.below(world.objects.size()));
        ShardGroup now = Placement.group(world.service.map(), oid, t.below(oid.groupCount()));
        if (now.settled().size() < 2) return;
        Node first = world.nodes.get(rank(world.service.map(), now.leader()));
        Node second = world.nodes.get(rank(world.service.map(), now.settled().get(1)));
        if (!mayCrash(first) || !second.isWell()) return;
        crash(first, t.between(Timeline.ms(2_000), Timeline.ms(6_000)));
        t.after(t.between(Timeline.ms(700), Timeline.ms(1_300)), () -> {
            if (!second.isWell() || !world.service.exclude(first.rank, new PoolService.Push(second.rank))) return;
            world.note("rank " + first.rank + " put out, only rank " + second.rank + " hears of it");
            PoolMap map = world.service.map();
            // who reads hears of it by its other calls
            for (Client c : world.clients)
                if (c.isWatching()) t.after(t.between(0, Timeline.ms(20)), () -> c.learn(map));
            t.after(t.between(Timeline.ms(5), Timeline.ms(100)), () -> isolate(second));
        });
    }

    private void isolate(Node n) {
        if (!n.isWell()) return;
        n.isCutOff = true;
        n.isSeenByClients = true;
        world.time.after(world.time.between(Timeline.ms(1_000), Timeline.ms(4_000)), () -> n.isCutOff = false);
        if (world.service.exclude(n.rank, PoolService.Push.FAST))
            world.note("rank " + n.rank + " put out, cut off from all but its clients");
        world.clients.forEach(Client::hurry);
    }

    private static int rank(PoolMap map, int target) {
        return map.target(target).rank();
    }
}
