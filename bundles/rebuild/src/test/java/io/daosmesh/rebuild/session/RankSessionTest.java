package io.daosmesh.rebuild.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.StoredObject;
import io.daosmesh.rebuild.plan.Session;
import io.daosmesh.rebuild.pull.PullQueue;
import io.daosmesh.rebuild.pull.Survey;
import io.daosmesh.rebuild.scan.Scan;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RankSessionTest {
    private static final UUID POOL = new UUID(1, 1);
    private static final UUID CONTAINER = new UUID(3, 4);
    private static final int TARGETS = 6;
    /** The target of rank 0 scans and pulls. */
    private static final int SELF = 0;

    private static final long EPOCH = 77;

    private final PoolMap map = degraded();
    private final Recorded out = new Recorded();
    private final Session wanted = session(1);
    private final RankSession session = new RankSession(wanted, 0, out);

    private static final class Recorded implements SessionEffects {
        final List<String> said = new ArrayList<>();
        final List<RankSession.Batch> batches = new ArrayList<>();
        final List<PullQueue.Attempt> attempts = new ArrayList<>();
        final List<Integer> sources = new ArrayList<>();
        final List<Integer> surveyed = new ArrayList<>();
        final List<PullQueue.Attempt> filled = new ArrayList<>();

        @Override
        public void startScan(List<PoolTarget> targets) {
            said.add("scan " + targets.size());
        }

        @Override
        public void readNext() {
            said.add("read");
        }

        @Override
        public void send(RankSession.Batch batch) {
            said.add("send " + batch.number());
            batches.add(batch);
        }

        @Override
        public void survey(List<Survey.Arrival> works) {
            surveyed.add(works.size());
        }

        @Override
        public void fill(PullQueue.Attempt attempt) {
            filled.add(attempt);
        }

        @Override
        public void clear(PullQueue.Attempt attempt, long stableEpoch) {
            said.add("clear");
            attempts.add(attempt);
        }

        @Override
        public void pull(PullQueue.Attempt attempt, Work from, long stableEpoch) {
            said.add("pull");
            attempts.add(attempt);
            sources.add(from.source());
        }

        @Override
        public void wakeAfter(long delayNs) {
            said.add("wake " + delayNs / 1_000_000);
        }

        @Override
        public void cancel() {
            said.add("cancel");
        }

        List<String> take() {
            List<String> all = List.copyOf(said);
            said.clear();
            return all;
        }
    }

    private static Session session(long generation) {
        return new Session(POOL, degraded().version(), generation, 1, "leader", "Rebuild");
    }

    private static PoolMap degraded() {
        List<PoolTarget> all = new ArrayList<>();
        for (int i = 0; i < TARGETS; i++) all.add(new PoolTarget(i, i, 0, "/r" + i, TargetState.UPIN, false, 1));
        return new PoolMap(POOL, 1, all).withStates(Set.of(TARGETS - 1), TargetState.DOWN);
    }

    private static ObjectId oid(long low) {
        return ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_3, 1, 0, low);
    }

    /** Objects with one group that this rank has to report. */
    private List<StoredObject> reported(int count) {
        return LongStream.iterate(0, i -> i + 1)
                .mapToObj(RankSessionTest::oid)
                .filter(o -> !Scan.works(map, SELF, CONTAINER, o).isEmpty())
                .limit(count)
                .map(o -> new StoredObject(CONTAINER, o))
                .toList();
    }

    /** One that this target has to pull from one of two holders. */
    private Work pulled() {
        for (long low = 0; ; low++) {
            ShardGroup g = Placement.group(map, oid(low), 0);
            if (g.missing().contains(SELF)) return new Work(CONTAINER, oid(low), 0, g.leader(), SELF);
        }
    }

    private void nothingIsHere() {
        session.onSurveyed(List.of(Change.ALL), 0);
    }

    private void moved(PullQueue.Attempt attempt) {
        session.onPulled(attempt, 5, 50, 0);
        if (!out.filled.isEmpty()) session.onFilled(out.filled.remove(0), 0);
    }

    @Test
    void shouldNotBeDoneBeforeAPullIsRemembered() {
        session.startScan(map, EPOCH, 0);
        session.accept(3, 1, List.of(pulled()), 0);
        nothingIsHere();
        session.onCleared(out.attempts.get(0));

        session.onPulled(out.attempts.get(1), 5, 50, 0);

        assertFalse(session.status().isPullDone());
        session.onFilled(out.filled.get(0), 0);
        assertTrue(session.status().isPullDone());
        assertEquals(50, session.status().bytes());
    }

    @Test
    void shouldAskForWhatItHoldsItselfAndHasToPull() {
        session.startScan(map, EPOCH, 0);

        session.onStored(SELF, List.of(new StoredObject(CONTAINER, pulled().oid())), 0);

        assertEquals(List.of(1), out.surveyed);
        assertFalse(session.status().isPullDone());
        session.onSurveyed(List.of(Change.ALL), 0);
        assertTrue(session.status().isPullDone(), "its holder has it and reports it");
    }

    @Test
    void shouldPullNothingThatHasNotChanged() {
        session.startScan(map, EPOCH, 0);
        session.accept(3, 1, List.of(pulled()), 0);
        out.take();

        session.onSurveyed(List.of(new Change(false, false, List.of())), 0);

        assertEquals(List.of(), out.take());
        assertTrue(session.status().isPullDone());
        assertEquals(1, session.status().objectsPulled());
    }

    /** All that is found is sent and acknowledged. */
    private void acknowledge() {
        for (int i = 0; i < out.batches.size(); i++) session.onSent(out.batches.get(i));
    }

    @Test
    void shouldSendWhatItFindsInFullMessages() {
        session.startScan(map, EPOCH, 0);
        assertEquals(List.of("scan 1", "read"), out.take());

        session.onStored(SELF, reported(RankSession.BATCH_MAX - 1), 0);
        assertEquals(List.of("read"), out.take(), "less than a message");
        session.onStored(SELF, reported(RankSession.BATCH_MAX), 0);
        acknowledge();
        session.onScanEnd();
        acknowledge();

        assertTrue(session.status().isScanDone());
        assertEquals(2 * RankSession.BATCH_MAX - 1, session.status().objectsFound());
        assertEquals(
                2 * RankSession.BATCH_MAX - 1,
                out.batches.stream().mapToInt(b -> b.works().size()).sum());
        assertTrue(out.batches.stream().allMatch(b -> b.works().size() <= RankSession.BATCH_MAX));
    }

    @Test
    void shouldHaveOneBatchOnItsWayWhenTheScanEndsMeanwhile() {
        session.startScan(map, EPOCH, 0);
        session.onStored(SELF, reported(RankSession.BATCH_MAX), 0);
        int sent = out.batches.size();

        session.onScanEnd();

        assertEquals(1, sent);
        assertEquals(sent, out.batches.size());
        assertFalse(session.status().isScanDone());
    }

    @Test
    void shouldRepeatABatchUntilItIsAcknowledged() {
        session.startScan(map, EPOCH, 0);
        session.onStored(SELF, reported(1), 0);
        session.onScanEnd();
        out.take();
        RankSession.Batch batch = out.batches.get(0);

        session.onSendFailed(batch, Fault.of(FaultCode.UNREACH), 0);
        session.onTick(RankSession.SEND_RETRY_MIN_NS - 1);
        assertEquals(List.of("wake 100"), out.take());
        session.onTick(RankSession.SEND_RETRY_MIN_NS);
        session.onSendFailed(batch, Fault.of(FaultCode.BUSY), 0);

        assertEquals(List.of("send 1", "wake 200"), out.take());
        session.onSent(batch);
        assertTrue(session.status().isScanDone());
    }

    @Test
    void shouldFailTheScanWhenTheNewHomeHasLostTheSession() {
        session.startScan(map, EPOCH, 0);
        session.onStored(SELF, reported(1), 0);
        session.onScanEnd();

        session.onSendFailed(out.batches.get(0), Fault.of(FaultCode.NONEXIST), 0);

        assertEquals(FaultCode.NONEXIST.number(), session.status().status());
        assertFalse(session.status().isScanDone());
    }

    @Test
    void shouldFailTheScanWhenABatchWasTriedTooOften() {
        session.startScan(map, EPOCH, 0);
        session.onStored(SELF, reported(1), 0);
        session.onScanEnd();
        RankSession.Batch batch = out.batches.get(0);

        for (int i = 1; i < RankSession.SEND_TRIES_MAX; i++)
            session.onSendFailed(batch, Fault.of(FaultCode.UNREACH), 0);
        assertEquals(0, session.status().status());
        session.onSendFailed(batch, Fault.of(FaultCode.UNREACH), 0);

        assertEquals(FaultCode.UNREACH.number(), session.status().status());
    }

    @Test
    void shouldClearOnceAndTryAnotherHolderAfterAFailure() {
        Work w = pulled();
        session.accept(3, 1, List.of(w), 0);
        assertEquals(List.of(), out.surveyed, "not before it knows the map");
        session.startScan(map, EPOCH, 0);
        nothingIsHere();
        assertEquals(List.of("scan 1", "read", "clear"), out.take());

        session.onCleared(out.attempts.get(0));
        session.onPullFailed(out.attempts.get(1), Fault.of(FaultCode.CSUM), 0);
        assertEquals(List.of("pull", "wake 200"), out.take());
        session.onTick(RankSession.PULL_RETRY_NS);
        assertEquals(List.of("pull"), out.take());
        moved(out.attempts.get(2));

        assertEquals(w.source(), out.sources.get(0));
        assertTrue(out.sources.get(1) != w.source());
        assertTrue(session.status().isPullDone());
        assertEquals(50, session.status().bytes());
    }

    @Test
    void shouldAskEachHolderForWhatItCanReadWhenNoneHasAll() {
        Work w = pulled();
        session.startScan(map, EPOCH, 0);
        session.accept(3, 1, List.of(w), 0);
        nothingIsHere();
        session.onCleared(out.attempts.get(0));
        long now = 0;
        while (!out.attempts.get(out.attempts.size() - 1).isSalvage()) {
            session.onPullFailed(out.attempts.get(out.attempts.size() - 1), Fault.of(FaultCode.CSUM), now);
            now += RankSession.PULL_RETRY_NS;
            session.onTick(now);
        }
        int first = out.sources.get(out.sources.size() - 1);
        moved(out.attempts.get(out.attempts.size() - 1));
        int second = out.sources.get(out.sources.size() - 1);
        assertFalse(session.status().isPullDone(), "the other holder may have what the first has not");
        moved(out.attempts.get(out.attempts.size() - 1));

        assertEquals(Set.copyOf(Placement.group(map, w.oid(), 0).settled()), Set.of(first, second));
        assertTrue(session.status().isPullDone());
        assertEquals(1, session.status().objectsPulled());
    }

    @Test
    void shouldTryAgainLaterWhereThereIsNoRoom() {
        session.startScan(map, EPOCH, 0);
        session.accept(3, 1, List.of(pulled()), 0);
        nothingIsHere();
        session.onCleared(out.attempts.get(0));
        out.take();

        session.onPullFailed(out.attempts.get(1), Fault.of(FaultCode.NOSPACE), 0);
        assertEquals(List.of("wake 200", "wake 5000"), out.take());
        assertEquals(1, session.status().objectsBlocked());
        session.onTick(RankSession.PULL_RETRY_NS);
        assertEquals(List.of(), out.take());
        session.onTick(PullQueue.ROOM_RETRY_NS);
        assertEquals(List.of("pull"), out.take());
        moved(out.attempts.get(2));

        assertTrue(session.status().isPullDone());
    }

    @Test
    void shouldTakeNothingForSuccessThatComesAfterItsEnd() {
        session.startScan(map, EPOCH, 0);
        session.accept(3, 1, List.of(pulled()), 0);
        nothingIsHere();
        out.take();

        session.close();
        session.onCleared(out.attempts.get(0));
        session.onStored(SELF, reported(1), 0);
        session.onScanEnd();
        session.onTick(Long.MAX_VALUE);

        assertEquals(List.of("cancel"), out.take());
        assertFalse(session.status().isScanDone() || session.status().isPullDone());
    }

    @Test
    void shouldRefuseAnotherMap() {
        PoolMap next = map.withStates(Set.of(1), TargetState.DOWN);

        FaultException e = assertThrows(FaultException.class, () -> session.startScan(next, EPOCH, 0));

        assertEquals(FaultCode.STALE, e.code());
    }
}
