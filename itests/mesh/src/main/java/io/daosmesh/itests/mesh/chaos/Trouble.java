package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.cli.mesh.MeshRecord;
import io.daosmesh.cli.mesh.MeshSettings;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.torture.Journal;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** One node at a time is killed, paused or cut off, and comes back. Owner: its thread. */
final class Trouble implements Runnable {
    private static final int CALM_POLL_MS = 100;

    private final LocalMesh mesh;
    private final Journal journal;
    private final SplittableRandom random;
    private final BooleanSupplier isCalm;
    private final BooleanSupplier isOver;
    private final boolean isApart;

    Trouble(LocalMesh mesh, Journal journal, SplittableRandom random, BooleanSupplier isCalm, BooleanSupplier isOver) {
        this.mesh = mesh;
        this.journal = journal;
        this.random = random;
        this.isCalm = isCalm;
        this.isOver = isOver;
        this.isApart = MeshSettings.read(mesh.dir()).network().isPresent();
    }

    @Override
    public void run() {
        while (!isOver.getAsBoolean()) {
            pause(2_000, 15_000);
            while (isCalm.getAsBoolean() && !isOver.getAsBoolean()) sleep(CALM_POLL_MS);
            if (isOver.getAsBoolean()) return;
            try {
                next();
            } catch (RuntimeException e) {
                journal.failed("trouble", e, "");
            }
        }
    }

    private void next() {
        List<MeshRecord.Entry> nodes = mesh.nodes();
        MeshRecord.Entry node = nodes.get(random.nextInt(nodes.size()));
        String number = Integer.toString(node.number());
        switch (random.nextInt(isApart ? 3 : 2)) {
            case 0 -> {
                journal.fault("kill", "node " + number);
                mesh.kill(node.number());
                pause(0, 8_000);
                mesh.startNode(node.number());
            }
            case 1 -> {
                journal.fault("pause", "node " + number);
                mesh.mesh("pause", number).orFail();
                pause(500, 8_000);
                mesh.mesh("resume", number).orFail();
            }
            default -> {
                journal.fault("cut off", "node " + number);
                mesh.mesh("cut", number).orFail();
                pause(500, 10_000);
                mesh.mesh("heal").orFail();
            }
        }
        journal.say("node %s is back", number);
    }

    private void pause(int fromMs, int toMs) {
        sleep(fromMs + random.nextInt(toMs - fromMs));
    }

    static void sleep(long ms) {
        long end = System.nanoTime() + ms * 1_000_000;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) LockSupport.parkNanos(left);
    }
}
