package io.daosmesh.engine.runtime;

import io.daosmesh.engine.migrate.YieldPace;
import io.daosmesh.engine.runtime.loop.TargetMetrics;
import io.daosmesh.engine.runtime.loop.TargetProxy;
import java.util.List;

/** The pace of a rank's rebuilds, fed by what clients of its targets wait for. Any thread; short locks. */
final class ClientWatch {
    private final YieldPace pace = new YieldPace();
    private final List<TargetProxy> targets;

    /** @param targets may be filled later, before the first look */
    ClientWatch(List<TargetProxy> targets) {
        this.targets = targets;
    }

    /** Call with the ticks of a target. */
    synchronized void look() {
        long now = System.nanoTime();
        if (!pace.isDue(now)) return;
        long[] counts = new long[TargetMetrics.KINDS];
        long[] sumNs = new long[TargetMetrics.KINDS];
        int active = 0;
        for (TargetProxy t : targets) {
            t.metrics().addEnded(counts, sumNs);
            active += t.metrics().activeCount();
        }
        pace.onLook(counts, sumNs, active, now);
    }

    /** The pause before bytes come in, which count from here on. */
    synchronized long pauseBeforeNs(long bytes) {
        long now = System.nanoTime();
        long pause = pace.pauseNs(YieldPace.Way.IN, now);
        pace.spend(YieldPace.Way.IN, bytes, now);
        return pause;
    }

    /** The pause before bytes are looked for that go out. */
    synchronized long pauseBeforeReadNs() {
        return pace.pauseNs(YieldPace.Way.OUT, System.nanoTime());
    }

    synchronized void onRead(long bytes) {
        pace.spend(YieldPace.Way.OUT, bytes, System.nanoTime());
    }

    synchronized int pieceBytes(int most) {
        return pace.pieceBytes(most);
    }

    synchronized long bytesPerSecond() {
        return pace.bytesPerSecond();
    }

    synchronized double pausedSeconds() {
        return pace.pausedNs() / 1e9;
    }
}
