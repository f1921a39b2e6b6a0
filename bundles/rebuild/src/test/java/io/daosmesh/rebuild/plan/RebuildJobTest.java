package io.daosmesh.rebuild.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.RebuildStatus;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolTargetMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class RebuildJobTest {
    private static final long MS = 1_000_000L;

    private final Recorder out = new Recorder();
    private final PoolMap map = mapWithRankDown(2);
    private final RebuildJob job =
            new RebuildJob(new Session(map.pool(), 2, 7, 3, "n1:1", RebuildJob.operation(map)), map, 99, 0);

    @Test
    void shouldNameWhatItIsDoneFor() {
        PoolMap whole = map.afterRebuild();
        PoolMap larger = whole.extended(List.of(
                PoolTargetMessage.newBuilder().setRank(9).setFaultDomain("/n9").build()));

        assertEquals("Extend", RebuildJob.operation(larger));
        assertEquals("Reintegrate", RebuildJob.operation(larger.withStates(Set.of(2), TargetState.UP)));
        assertEquals("Extend", RebuildJob.operation(larger.withStates(Set.of(0), TargetState.DOWN)));
    }

    @Test
    void shouldAskOnlyRanksThatHoldData() {
        job.onTick(0, out);

        assertEquals(List.of("prepare 0", "prepare 1"), out.taken());
        assertEquals("Rebuild", job.session().operation());
    }

    @Test
    void shouldScanWithTheLargestClockOfAllRanks() {
        job.onTick(0, out);
        job.onPrepared(0, 50, 1, out);
        out.taken();

        job.onPrepared(1, 40, 2, out);

        assertEquals(List.of("scan 0 50", "scan 1 50"), out.taken());
    }

    @Test
    void shouldTrustPullDoneOnlyAfterEveryScanIsDone() {
        startMoving();
        job.onStatus(0, status(true, true, 1, 0, 0), 10, out);
        job.onStatus(1, status(true, true, 0, 1, 1), 11, out);

        assertTrue(
                out.taken().stream().noneMatch(e -> e.equals("commit")), "these were asked before all scans were done");

        job.onTick(1000 * MS, out);
        job.onStatus(0, status(true, true, 1, 0, 0), 1001 * MS, out);
        job.onStatus(1, status(true, true, 0, 1, 1), 1002 * MS, out);

        assertTrue(out.taken().contains("commit"));
    }

    @Test
    void shouldNotCommitWhileAnObjectWasSentButNotReceived() {
        startMoving();
        job.onStatus(0, status(true, true, 2, 0, 0), 10, out);
        job.onStatus(1, status(true, true, 0, 1, 1), 11, out);
        job.onTick(1000 * MS, out);
        job.onStatus(0, status(true, true, 2, 0, 0), 1001 * MS, out);
        job.onStatus(1, status(true, true, 0, 1, 1), 1002 * MS, out);

        assertFalse(out.taken().contains("commit"));
        assertEquals(2, job.status(0).objectsTotal());
        assertEquals(1, job.status(0).objects());
    }

    @Test
    void shouldFinishOnlyAfterTheMapIsCommitted() {
        shouldTrustPullDoneOnlyAfterEveryScanIsDone();

        job.onCommitted(2000 * MS, out);

        assertEquals(List.of("finish false"), out.taken());
        assertEquals(RebuildStatus.State.DONE, job.status(2000 * MS).state());
    }

    @Test
    void shouldStartAfreshWhenARankLostItsSession() {
        startMoving();

        job.onRankFailed(1, Fault.of(FaultCode.NONEXIST, "no session"), 10, out);

        assertEquals(List.of("finish true", "failed NONEXIST"), out.taken());
        assertEquals(RebuildJob.Phase.FAILED, job.phase());
    }

    @Test
    void shouldAskAgainAfterALostAnswer() {
        job.onTick(0, out);
        out.taken();
        job.onRankFailed(0, Fault.of(FaultCode.TIMEDOUT), 1, out);

        job.onTick(RebuildJob.RETRY_NS + 1, out);

        assertEquals(List.of("prepare 0"), out.taken());
    }

    @Test
    void shouldGiveUpWhenNothingMoves() {
        startMoving();

        job.onTick(RebuildJob.STALL_MAX_NS + 10, out);

        assertEquals(List.of("finish true", "failed TIMEDOUT"), out.taken());
    }

    /** Who waits for room is not stuck. */
    @Test
    void shouldNotGiveUpWhileANewHomeHasNoRoom() {
        startMoving();
        RankStatus full = new RankStatus(true, false, 0, 0, 0, 0, 0, 3, 0, "");
        long now = 0;
        for (int i = 0; i < 4; i++) {
            now += RebuildJob.STALL_MAX_NS / 2;
            job.onStatus(0, full, now, out);
            job.onTick(now, out);
        }

        assertEquals(RebuildJob.Phase.MOVING, job.phase());
        assertEquals(3, job.status(now).objectsBlocked());
        job.onTick(now + RebuildJob.STALL_MAX_NS + 1, out);
        assertEquals(RebuildJob.Phase.FAILED, job.phase());
    }

    @Test
    void shouldStayAbortedWhateverArrivesLater() {
        startMoving();
        job.abort(5, out);
        out.taken();

        job.onStatus(0, status(true, true, 0, 0, 0), 10, out);
        job.onTick(1000 * MS, out);
        job.onCommitted(6, out);

        assertEquals(List.of(), out.taken());
        assertEquals(RebuildJob.Phase.ABORTED, job.phase());
    }

    @Test
    void shouldBeDoneWhenTheNewerMapArrivesBeforeTheAnswerToItsCommit() {
        shouldTrustPullDoneOnlyAfterEveryScanIsDone();

        job.abort(5, out);
        job.onCommitted(6, out);

        assertEquals(List.of("finish false"), out.taken());
        assertEquals(RebuildJob.Phase.DONE, job.phase());
    }

    @Test
    void shouldFailWhenAnotherMapCameBeforeItsCommit() {
        shouldTrustPullDoneOnlyAfterEveryScanIsDone();

        job.abort(5, out);
        job.onCommitFailed(Fault.of(FaultCode.STALE), 6, out);

        assertEquals(List.of("finish true", "failed STALE"), out.taken());
        assertEquals(RebuildJob.Phase.FAILED, job.phase());
    }

    private void startMoving() {
        job.onTick(0, out);
        job.onPrepared(0, 50, 1, out);
        job.onPrepared(1, 40, 2, out);
        job.onScanStarted(0, 3);
        job.onScanStarted(1, 3);
        job.onTick(4, out);
        out.taken();
    }

    private static RankStatus status(boolean scanDone, boolean pullDone, long found, long received, long pulled) {
        return new RankStatus(scanDone, pullDone, found, received, pulled, 0, 0, 0, 0, "");
    }

    static PoolMap mapWithRankDown(int down) {
        List<PoolTarget> targets = new ArrayList<>();
        for (int r = 0; r < 3; r++) {
            targets.add(new PoolTarget(r, r, 0, "/node" + r, TargetState.UPIN, false, 1));
        }
        return new PoolMap(new UUID(1, 2), 1, targets).withStates(Set.of(down), TargetState.DOWN);
    }

    private static final class Recorder implements RebuildEffects {
        private final List<String> effects = new ArrayList<>();

        List<String> taken() {
            List<String> t = List.copyOf(effects);
            effects.clear();
            return t;
        }

        @Override
        public void sendPrepare(int rank) {
            effects.add("prepare " + rank);
        }

        @Override
        public void sendScan(int rank, long stableEpoch) {
            effects.add("scan " + rank + " " + stableEpoch);
        }

        @Override
        public void sendStatus(int rank) {
            effects.add("status " + rank);
        }

        @Override
        public void commit() {
            effects.add("commit");
        }

        @Override
        public void finish(boolean aborted) {
            effects.add("finish " + aborted);
        }

        @Override
        public void failed(Fault reason) {
            effects.add("failed " + reason.code());
        }
    }
}
