package io.daosmesh.rebuild.pull;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.rebuild.scan.Work;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PullQueueTest {
    private final PullQueue queue = new PullQueue();
    private final Work work =
            new Work(new UUID(1, 1), ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_2, 1, 0, 1), 0, 0, 1);

    /** Nothing of them is here. */
    private static void surveyed(PullQueue queue) {
        for (var q = queue.nextSurvey(0); q.isPresent(); q = queue.nextSurvey(0))
            queue.onSurveyed(Collections.nCopies(q.get().size(), Change.ALL));
    }

    private static Change some(String... dkeys) {
        return new Change(
                false, false, Stream.of(dkeys).map(ByteString::copyFromUtf8).toList());
    }

    private Work work(long low) {
        return new Work(new UUID(1, 1), ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_2, 1, 0, low), 0, 0, 1);
    }

    @Test
    void shouldPullWhatHasChangedAlone() {
        queue.accept(0, 1, List.of(work(1), work(2), work(3)));
        assertEquals(3, queue.nextSurvey(0).orElseThrow().size());
        assertTrue(queue.nextSurvey(0).isEmpty(), "one question at a time");
        assertFalse(queue.isDone());

        queue.onSurveyed(List.of(some(), some("a", "b"), Change.ALL));

        assertEquals(1, queue.pulled(), "what has not changed is here");
        PullQueue.Attempt some = queue.next().orElseThrow();
        assertEquals(
                List.of("a", "b"),
                some.work().dkeys().stream().map(ByteString::toStringUtf8).toList());
        queue.onPulled(some, 2, 20);
        PullQueue.Attempt all = queue.next().orElseThrow();
        assertEquals(List.of(), all.work().dkeys());
        queue.onPulled(all, 5, 50);
        assertEquals(3, queue.pulled());
        assertTrue(queue.isDone());
    }

    @Test
    void shouldCountAGroupOnceHoweverManyPartsOfItArePulled() {
        String[] dkeys = IntStream.range(0, 2 * Survey.DKEYS_MAX + 1)
                .mapToObj(Integer::toString)
                .toArray(String[]::new);
        queue.accept(0, 1, List.of(work));
        queue.nextSurvey(0);

        queue.onSurveyed(List.of(some(dkeys)));

        for (int part = 0; part < 3; part++) {
            assertEquals(0, queue.pulled());
            PullQueue.Attempt a = queue.next().orElseThrow();
            assertEquals(part == 0, a.isFirst());
            queue.onPulled(a, 1, 1);
        }
        assertEquals(1, queue.pulled());
        assertTrue(queue.isDone());
    }

    @Test
    void shouldAskAgainForWhatAnAnswerDoesNotSay() {
        queue.accept(0, 1, List.of(work(1), work(2)));
        queue.nextSurvey(0);

        queue.onSurveyed(List.of(some()));

        assertEquals(work(2), queue.nextSurvey(0).orElseThrow().get(0).work());
    }

    @Test
    void shouldAskEachSourceOnceHoweverTheirGroupsAreMixed() {
        List<Work> mixed = IntStream.range(0, 3 * Survey.ASKED_MAX)
                .mapToObj(i -> work(i).from(2 + i % 3))
                .toList();
        queue.accept(0, 1, mixed);

        int questions = 0;
        for (var q = queue.nextSurvey(0); q.isPresent(); q = queue.nextSurvey(0)) {
            assertEquals(
                    1, q.get().stream().map(a -> a.work().source()).distinct().count());
            queue.onSurveyed(Collections.nCopies(q.get().size(), some()));
            questions++;
        }

        assertEquals(3, questions);
        assertEquals(mixed.size(), queue.pulled());
    }

    @Test
    void shouldPullEverythingWhenNobodySaysWhatHasChanged() {
        queue.accept(0, 1, List.of(work));
        for (int i = 0; i < Survey.TRIES_MAX; i++) {
            assertTrue(queue.nextSurvey(10L * i).isPresent());
            queue.onSurveyFailed(10L * i, 10);
            assertTrue(queue.nextSurvey(10L * i + 9).isEmpty());
        }

        assertEquals(List.of(), queue.next().orElseThrow().work().dkeys());
    }

    @Test
    void shouldClearWhatIsGoneElsewhereAndCountItNowhere() {
        queue.addOwn(List.of(work(1), work(2)));
        queue.nextSurvey(0);
        assertFalse(queue.isDone());

        queue.onSurveyed(List.of(new Change(true, false, List.of()), Change.ALL));

        PullQueue.Attempt gone = queue.next().orElseThrow();
        assertEquals(work(1), gone.work());
        queue.onPulled(gone, 0, 0);
        assertTrue(queue.next().isEmpty(), "the other one is pulled when its holder asks for it");
        assertTrue(queue.isDone());
        assertEquals(0, queue.pulled());
    }

    @Test
    void shouldPullItsOwnGapsBesideWhatHasChanged() {
        Held held = new Held(4, List.of(ByteString.copyFromUtf8("b"), ByteString.copyFromUtf8("c")));

        assertEquals(some("b", "c", "a"), Survey.missing(held, some("a", "b")));
        assertEquals(Change.ALL, Survey.missing(new Held(0, List.of()), some("a")));
        assertEquals(Change.ALL, Survey.missing(held, Change.ALL));
    }

    @Test
    void shouldCountABatchThatIsSentTwiceOnce() {
        queue.accept(3, 1, List.of(work));
        queue.accept(3, 1, List.of(work));
        queue.accept(4, 1, List.of(work));

        assertEquals(2, queue.received());
    }

    @Test
    void shouldRefuseWhatDoesNotFit() {
        queue.accept(0, 1, Collections.nCopies(PullQueue.QUEUED_MAX, work));

        FaultException e = assertThrows(FaultException.class, () -> queue.accept(0, 2, List.of(work)));

        assertEquals(FaultCode.BUSY, e.code());
        assertEquals(PullQueue.QUEUED_MAX, queue.received());
    }

    @Test
    void shouldLimitWhatIsUnderWay() {
        queue.accept(0, 1, Collections.nCopies(PullQueue.IN_FLIGHT_MAX + 1, work));
        surveyed(queue);
        for (int i = 0; i < PullQueue.IN_FLIGHT_MAX; i++)
            assertTrue(queue.next().isPresent());

        assertTrue(queue.next().isEmpty());
        assertFalse(queue.isDone());
    }

    @Test
    void shouldFailTheSessionInsteadOfDroppingAnObject() {
        queue.accept(0, 1, List.of(work));
        surveyed(queue);
        for (int i = 0; i < PullQueue.TRIES_MAX; i++) {
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.UNREACH), 0);
        }

        assertEquals(FaultCode.UNREACH.number(), queue.status());
        assertEquals(0, queue.pulled());
    }

    /** The first holder's copy is damaged, the other one waits for the outcome of an update. */
    @Test
    void shouldNotRunOutOfTriesWhileAHolderSaysNotYet() {
        queue.accept(0, 1, List.of(work));
        surveyed(queue);
        queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.CSUM), 0);
        for (int i = 0; i < 3 * PullQueue.TRIES_MAX; i++) {
            PullQueue.Attempt a = queue.next().orElseThrow();
            assertEquals(1, a.tries(), "the same holder again");
            queue.onPullFailed(a, Fault.of(FaultCode.INPROGRESS), 0);
        }

        assertEquals(0, queue.status());
        for (int i = 0; queue.status() == 0; i++) {
            assertTrue(i < PullQueue.WAITS_MAX + PullQueue.TRIES_MAX, "bounded");
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.INPROGRESS), 0);
        }
    }

    /** Nobody can read all of it: what they can comes from each, and nothing fails. */
    @Test
    void shouldSetAsideWhatNoHolderCanRead() {
        for (FaultCode code : List.of(FaultCode.CSUM, FaultCode.NVME_IO)) {
            PullQueue queue = new PullQueue();
            queue.accept(0, 1, List.of(work));
            surveyed(queue);
            surveyed(queue);
            for (int i = 0; i < PullQueue.TRIES_MAX; i++) {
                PullQueue.Attempt a = queue.next().orElseThrow();
                assertFalse(a.isSalvage());
                queue.onPullFailed(a, Fault.of(code), 0);
            }

            PullQueue.Attempt first = queue.next().orElseThrow();
            assertEquals(0, first.salvaged());
            queue.onSalvaged(first, 2, 20);
            assertEquals(0, queue.pulled());
            PullQueue.Attempt second = queue.next().orElseThrow();
            assertEquals(1, second.salvaged());
            queue.onPulled(second, 3, 30);

            assertEquals(0, queue.status());
            assertTrue(queue.isDone());
            assertEquals(1, queue.pulled());
            assertEquals(50, queue.bytes());
        }
    }

    @Test
    void shouldFailWhenAHolderIsLostDuringASalvage() {
        queue.accept(0, 1, List.of(work));
        surveyed(queue);
        for (int i = 0; i < PullQueue.TRIES_MAX; i++)
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.CSUM), 0);
        for (int i = 0; i < PullQueue.TRIES_MAX; i++)
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.UNREACH), 0);

        assertEquals(FaultCode.UNREACH.number(), queue.status());
    }

    @Test
    void shouldGoOnWithTheOthersWhileOneHasNoRoom() {
        queue.accept(0, 1, List.of(work, work));
        surveyed(queue);
        PullQueue.Attempt full = queue.next().orElseThrow();
        queue.onPullFailed(full, Fault.of(FaultCode.NOSPACE), 0);
        queue.onPulled(queue.next().orElseThrow(), 1, 10);

        assertEquals(0, queue.status());
        assertEquals(1, queue.blocked());
        assertFalse(queue.isDone(), "never dropped");
        assertTrue(queue.next().isEmpty(), "not at once");
        assertFalse(queue.retryBlocked(PullQueue.ROOM_RETRY_NS - 1));
        assertTrue(queue.retryBlocked(PullQueue.ROOM_RETRY_NS));
        assertEquals(full, queue.next().orElseThrow());
        queue.onPulled(full, 1, 10);

        assertTrue(queue.isDone());
        assertEquals(0, queue.blocked());
        assertEquals(2, queue.pulled());
    }

    @Test
    void shouldBeDoneWhenEverythingIsPulled() {
        queue.accept(0, 1, List.of(work));
        surveyed(queue);
        queue.onPulled(queue.next().orElseThrow(), 3, 4096);

        assertTrue(queue.isDone());
        assertEquals(1, queue.pulled());
        assertEquals(4096, queue.bytes());
    }
}
