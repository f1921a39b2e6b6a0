package io.daosmesh.engine.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class QuestionsTest {
    private static final ByteString POOL = Ids.bytes(new UUID(1, 1));
    private static final ByteString OTHER_POOL = Ids.bytes(new UUID(2, 2));
    private static final ByteString CONTAINER = Ids.bytes(new UUID(3, 3));
    private static final long MS = 1_000_000L;

    private final HandleTable table = new HandleTable();
    private final Questions questions = new Questions(table);
    private final Deque<Questions.Batch> sent = new ArrayDeque<>();
    private final List<Long> wakes = new ArrayList<>();
    private final List<String> answers = new ArrayList<>();
    private long nowNs = -5 * MS;

    private final Questions.Effects effects = new Questions.Effects() {
        @Override
        public void send(Questions.Batch batch) {
            sent.add(batch);
        }

        @Override
        public void wake(ByteString pool, long delayNs) {
            wakes.add(delayNs);
        }

        @Override
        public void answer(Questions.Waiter waiter, @Nullable Grant grant, @Nullable Fault fault) {
            waiter.onAnswer(grant, fault);
        }
    };

    private static ByteString handle(long number) {
        return Ids.bytes(new UUID(7, number));
    }

    private static Grant grant(ByteString pool) {
        return new Grant(pool, CONTAINER, 3, "alice@", "host-a");
    }

    private void show(long number, String machine) {
        show(POOL, number, machine);
    }

    private void show(ByteString pool, long number, String machine) {
        Questions.Waiter waiter = (grant, fault) ->
                answers.add(number + (fault != null ? " " + fault.code() : grant != null ? " granted" : " none"));
        questions.onUnknown(pool, handle(number), machine, waiter, nowNs, effects);
    }

    private void answer(Long... known) {
        Map<ByteString, Grant> found =
                List.of(known).stream().collect(Collectors.toMap(QuestionsTest::handle, n -> grant(POOL)));
        questions.onAnswer(sent.remove(), found, nowNs, effects);
    }

    private void passMs(long ms) {
        nowNs += ms * MS;
        questions.onWake(POOL, nowNs, effects);
    }

    @Test
    void shouldAskOnceForAllWhoWait() {
        show(1, "a");
        show(1, "a");
        show(2, "b");
        show(1, "b");
        assertEquals(List.of(handle(1)), sent.peek().handles());
        answer(1L);
        assertEquals(List.of("1 granted", "1 granted", "1 granted"), answers);

        passMs(2);

        assertEquals(List.of(handle(2)), sent.peek().handles());
        answer();
        assertEquals("2 none", answers.get(3));
        assertNotNull(table.get(handle(1)));
        assertNull(table.get(handle(2)));
        assertTrue(sent.isEmpty());
    }

    @Test
    void shouldRememberForAWhileThatThereIsNoSuchHandle() {
        show(1, "a");
        answer();
        for (int i = 0; i < 100; i++) show(1, "a");
        passMs(300);
        assertEquals(101, answers.stream().filter("1 none"::equals).count());
        assertTrue(sent.isEmpty());

        show(OTHER_POOL, 1, "a");
        assertEquals(OTHER_POOL, sent.remove().pool(), "another pool may know it");
        nowNs += Questions.REFUSED_NS;
        show(1, "a");
        assertEquals(1, sent.size());
    }

    @Test
    void shouldAskLessAndLessWhenAMachineInventsHandles() {
        long number = 0;
        int askedCount = 0;
        int namedCount = 0;
        for (int ms = 0; ms < 10_000; ms++) {
            for (int i = 0; i < 50; i++) show(++number, "rogue");
            passMs(1);
            if (sent.isEmpty()) continue;
            askedCount++;
            namedCount += sent.peek().handles().size();
            answer();
        }

        assertTrue(askedCount <= 10_000 / 200 + 10, askedCount + " questions in ten seconds");
        assertTrue(namedCount <= askedCount * Questions.HANDLES_PER_MACHINE_MAX);
        show(++number, "other");
        passMs(200);
        assertTrue(sent.peek().handles().contains(handle(number)), "nobody else has to wait longer than that");
    }

    @Test
    void shouldLeaveRoomForOthersWhenAMachineFillsItsShare() {
        for (int i = 0; i <= Questions.HANDLES_PER_MACHINE_MAX; i++) show(i, "rogue");
        assertEquals(List.of(Questions.HANDLES_PER_MACHINE_MAX + " BUSY"), answers);
        show(-1, "other");
        assertEquals(1, answers.size());
        answer();
        passMs(Questions.PAUSE_MAX_NS / MS);
        assertTrue(sent.peek().handles().contains(handle(-1)));
        answer(-1L);
        assertTrue(answers.contains("-1 granted"));

        show(-2, "rogue");
        assertEquals("-1 granted", answers.get(answers.size() - 1), "its share is free again");
    }

    @Test
    void shouldBoundHandlesAndWaitersOverAll() {
        for (int i = 0; i < Questions.HANDLES_MAX; i++) show(i, "machine-" + i % 100);
        assertTrue(answers.isEmpty());
        show(-1, "one more");
        assertEquals(List.of("-1 BUSY"), answers);

        for (int i = Questions.HANDLES_MAX; i < Questions.WAITERS_MAX; i++) show(1, "machine-1");
        show(1, "machine-1");
        assertEquals(List.of("-1 BUSY", "1 BUSY"), answers);
        while (!sent.isEmpty()) {
            assertTrue(sent.peek().handles().size() <= Questions.BATCH_MAX);
            answer();
            passMs(200);
        }
        assertEquals(Questions.WAITERS_MAX + 2, answers.size());
    }

    @Test
    void shouldNotBringBackWhatHasEndedWhileTheAnswerWasOnItsWay() {
        show(1, "a");
        show(2, "a");
        answer();
        passMs(2);
        show(3, "a");

        questions.onGone(POOL, List.of(handle(2), handle(3)), nowNs, effects);
        answer(2L, 3L);
        passMs(10);

        assertEquals(List.of("1 none", "2 none", "3 none"), answers);
        assertEquals(0, table.size());
    }

    @Test
    void shouldAskAgainWhenAllMayHaveEndedWhileTheAnswerWasOnItsWay() {
        show(1, "a");
        questions.onAllGone(POOL);
        answer(1L);
        assertEquals(List.of(), answers);
        assertEquals(0, table.size());

        passMs(10);
        answer();

        assertEquals(List.of("1 none"), answers);
    }

    @Test
    void shouldForgetOnlyWhatThePoolMayName() {
        table.put(handle(1), grant(POOL));
        table.put(handle(2), grant(OTHER_POOL));
        questions.onGone(POOL, List.of(handle(1), handle(2)), nowNs, effects);
        assertNull(table.get(handle(1)));
        assertNotNull(table.get(handle(2)));

        table.put(handle(1), grant(POOL));
        questions.onAllGone(POOL);

        assertNull(table.get(handle(1)));
        assertNotNull(table.get(handle(2)));
    }

    @Test
    void shouldTellThoseWhoWaitWhenNobodyAnswers() {
        show(1, "a");
        Questions.Batch lost = sent.remove();
        show(2, "a");
        nowNs += Questions.WAIT_MAX_NS;
        questions.onFailure(lost, Fault.of(FaultCode.TIMEDOUT), nowNs, effects);
        assertEquals(List.of("1 BUSY", "2 BUSY"), answers);

        show(1, "a");
        passMs(2);
        questions.onAnswer(lost, Map.of(handle(1), grant(POOL)), nowNs, effects);

        assertEquals(2, answers.size(), "the answer to another question");
        answer(1L);
        assertEquals("1 granted", answers.get(2));
    }

    @Test
    void shouldAnswerAllWhenThePoolOrTheEngineEnds() {
        show(1, "a");
        show(OTHER_POOL, 2, "a");
        questions.onPoolGone(POOL, effects);
        questions.onClose(effects);

        assertEquals(List.of("1 NONEXIST", "2 BUSY"), answers);
    }

    @Test
    void shouldDropSomeOfAFullTable() {
        for (int i = 0; i <= HandleTable.HANDLES_MAX; i++) table.put(handle(i), grant(POOL));

        assertTrue(table.size() <= HandleTable.HANDLES_MAX);
        assertTrue(table.size() > HandleTable.HANDLES_MAX * 9 / 10);
        assertNotNull(table.get(handle(HandleTable.HANDLES_MAX)));
    }
}
