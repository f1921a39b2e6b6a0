package io.daosmesh.itests.sim.pool;

import io.daosmesh.itests.sim.machine.Disk;
import io.daosmesh.itests.sim.machine.Timeline;
import io.daosmesh.model.pool.PoolMap;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** One rank: its disk, its clock, and the process that lives on them now. Owner: the timeline. */
final class Node {
    final int rank;
    final Disk disk;
    /** Wall clocks differ: less than the second beyond which they would be refused. */
    private final long skewNs;

    /** By how much somebody has set it forward or back. */
    private long stepNs;

    private final Deque<Runnable> backlog = new ArrayDeque<>();
    private @Nullable EngineLife life;
    private boolean isPaused;
    boolean isCutOff;
    /** Cut off from the ranks and the service only: its clients notice nothing. */
    boolean isSeenByClients;
    /** When it last could have heard the others. */
    long lastReachedNs;

    /** @param badBlocks of its device, see {@link Disk}, as {@code blobBytes} */
    Node(int rank, Timeline time, double badBlocks, int blobBytes) {
        this.rank = rank;
        this.disk = new Disk(time, badBlocks, blobBytes);
        this.skewNs = time.between(Timeline.ms(-50), Timeline.ms(50));
    }

    /** Of its wall clock, against the time of the others. */
    long clockNs() {
        return skewNs + stepNs;
    }

    boolean isClockSet() {
        return stepNs != 0;
    }

    void setClock(long aheadNs) {
        stepNs = aheadNs;
    }

    @Nullable
    EngineLife life() {
        return life;
    }

    boolean isUp() {
        return life != null;
    }

    boolean isCurrent(EngineLife other) {
        return life == other;
    }

    boolean isPaused() {
        return isPaused;
    }

    /** Its target serves nothing until the next start. */
    boolean isStopped() {
        EngineLife l = life;
        return l != null && l.isStopped();
    }

    /** Runs, and reaches the others. */
    boolean isWell() {
        return life != null && !isPaused && !isCutOff;
    }

    void start(EngineLife next) {
        life = next;
        next.open();
    }

    void crash(boolean isPowerLoss) {
        life = null;
        isPaused = false;
        backlog.clear();
        disk.crash(isPowerLoss);
    }

    void pause() {
        isPaused = life != null;
    }

    void resume() {
        isPaused = false;
        for (Runnable r = backlog.poll(); r != null && !isPaused; r = backlog.poll()) r.run();
    }

    /** Runs as the process: at once, or when it wakes; never after its death. */
    void whenAwake(EngineLife of, Runnable work) {
        if (life != of) return;
        if (isPaused) backlog.add(() -> whenAwake(of, work));
        else work.run();
    }

    void onMap(PoolMap map) {
        EngineLife l = life;
        if (l != null) whenAwake(l, () -> l.onMap(map));
    }
}
