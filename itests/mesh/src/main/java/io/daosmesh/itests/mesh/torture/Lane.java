package io.daosmesh.itests.mesh.torture;

import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** One client's thread: writes its own places, reads those of all, lists. Owner: its thread. */
final class Lane implements Runnable {
    private static final int READS_PERCENT = 50;
    private static final int REMOVALS_PERCENT = 6;
    private static final int LISTS_PERMILLE = 4;
    /** Nodes that start get something of the processors, too. */
    private static final int PAUSE_MS_MAX = 12;

    private static final int PAUSE_FAILED_MS = 200;

    private final List<Place> own;
    private final List<Place> all;
    private final List<Shelf> shelves;
    private final SplittableRandom random;
    private final BooleanSupplier isOver;

    Lane(List<Place> own, List<Place> all, List<Shelf> shelves, SplittableRandom random, BooleanSupplier isOver) {
        this.own = own;
        this.all = all;
        this.shelves = shelves;
        this.random = random;
        this.isOver = isOver;
    }

    @Override
    public void run() {
        while (!isOver.getAsBoolean()) {
            boolean isDone = next();
            pause(isDone ? random.nextInt(PAUSE_MS_MAX) : PAUSE_FAILED_MS);
        }
    }

    private boolean next() {
        if (random.nextInt(1000) < LISTS_PERMILLE) {
            shelves.get(random.nextInt(shelves.size())).list();
            return true;
        }
        if (random.nextInt(100) < READS_PERCENT) {
            Place p = all.get(random.nextInt(all.size()));
            return p.read(random.nextInt(3) > 0) != Place.Answer.FAILED;
        }
        Place p = own.get(random.nextInt(own.size()));
        return !p.mayWrite() || p.write(random.nextInt(100) < REMOVALS_PERCENT);
    }

    static void pause(long ms) {
        long end = System.nanoTime() + ms * 1_000_000;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) LockSupport.parkNanos(left);
    }
}
