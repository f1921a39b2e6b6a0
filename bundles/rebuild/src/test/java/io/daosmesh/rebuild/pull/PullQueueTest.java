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
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.UNREACH));
        }

        assertEquals(FaultCode.UNREACH.number(), queue.status());
        assertEquals(0, queue.pulled());
    }

    /** The first holder's copy is damaged, the other one waits for the outcome of an update. */
    @Test
    void shouldNotRunOutOfTriesWhileAHolderSaysNotYet() {
        queue.accept(0, 1, List.of(work));
        queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.CSUM));
        for (int i = 0; i < 3 * PullQueue.TRIES_MAX; i++) {
            PullQueue.Attempt a = queue.next().orElseThrow();
            assertEquals(1, a.tries(), "the same holder again");
            queue.onPullFailed(a, Fault.of(FaultCode.INPROGRESS));
        }

        assertEquals(0, queue.status());
        for (int i = 0; queue.status() == 0; i++) {
            assertTrue(i < PullQueue.WAITS_MAX + PullQueue.TRIES_MAX, "bounded");
            queue.onPullFailed(queue.next().orElseThrow(), Fault.of(FaultCode.INPROGRESS));
        }
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
