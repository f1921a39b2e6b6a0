package io.daosmesh.rebuild.pull;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.ObjectClass;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.rebuild.scan.Work;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PullQueueTest {
    private final PullQueue queue = new PullQueue();
    private final Work work =
            new Work(new UUID(1, 1), ObjectId.of(ObjectId.Type.ARRAY, ObjectClass.RP_2, 1, 0, 1), 0, 0, 1);

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
        for (int i = 0; i < PullQueue.IN_FLIGHT_MAX; i++)
            assertTrue(queue.next().isPresent());

        assertTrue(queue.next().isEmpty());
        assertFalse(queue.isDone());
    }

    @Test
    void shouldFailTheSessionInsteadOfDroppingAnObject() {
        queue.accept(0, 1, List.of(work));
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
            queue.onPulled(3, 30);

            assertEquals(0, queue.status());
            assertTrue(queue.isDone());
            assertEquals(1, queue.pulled());
            assertEquals(50, queue.bytes());
        }
    }

    @Test
    void shouldFailWhenAHolderIsLostDuringASalvage() {
        queue.accept(0, 1, List.of(work));
        for (int i = 0; i < PullQueue.TRIES_MAX; i++)
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.CSUM), 0);
        for (int i = 0; i < PullQueue.TRIES_MAX; i++)
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.UNREACH), 0);

        assertEquals(FaultCode.UNREACH.number(), queue.status());
    }

    @Test
    void shouldGoOnWithTheOthersWhileOneHasNoRoom() {
        queue.accept(0, 1, List.of(work, work));
        PullQueue.Attempt full = queue.next().orElseThrow();
        queue.onPullFailed(full, Fault.of(FaultCode.NOSPACE), 0);
        queue.next().orElseThrow();
        queue.onPulled(1, 10);

        assertEquals(0, queue.status());
        assertEquals(1, queue.blocked());
        assertFalse(queue.isDone(), "never dropped");
        assertTrue(queue.next().isEmpty(), "not at once");
        assertFalse(queue.retryBlocked(PullQueue.ROOM_RETRY_NS - 1));
        assertTrue(queue.retryBlocked(PullQueue.ROOM_RETRY_NS));
        assertEquals(full, queue.next().orElseThrow());
        queue.onPulled(1, 10);

        assertTrue(queue.isDone());
        assertEquals(0, queue.blocked());
        assertEquals(2, queue.pulled());
    }

    @Test
    void shouldBeDoneWhenEverythingIsPulled() {
        queue.accept(0, 1, List.of(work));
        queue.next();
        queue.onPulled(3, 4096);

        assertTrue(queue.isDone());
        assertEquals(1, queue.pulled());
        assertEquals(4096, queue.bytes());
    }
}
