package io.daosmesh.client.hedge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Races by hand: each event, and what comes of it. */
class WatchTest {
    private static final int LEADER = 1;
    private static final int OTHER = 2;
    private static final int VERSION = 7;
    /** As long as a hedge waits while nothing is known, and a tick. */
    private static final long LATE_MS = 530;

    private final HandTimer timer = new HandTimer();
    private final LongAdder hedges = new LongAdder();
    private final LongAdder won = new LongAdder();
    private final Watch watch = new Watch(() -> timer.nowNs, timer, hedges, won);
    /** Of both requests and of the race. */
    private final List<String> log = new ArrayList<>();

    private boolean isOutdated;
    private int looks;

    private final Sent sent = new Sent() {
        @Override
        public int rank() {
            return LEADER;
        }

        @Override
        public int mapVersion() {
            return VERSION;
        }

        @Override
        public Hedging.Kind kind() {
            return Hedging.Kind.SHORT;
        }

        @Override
        public boolean isOutdated() {
            return isOutdated;
        }

        @Override
        public void look() {
            looks++;
        }
    };

    /** One request by hand. */
    private final class Asked {
        private final Sinks.One<String> sink = Sinks.one();
        private final Mono<String> request;

        Asked(String name) {
            request = sink.asMono()
                    .doOnSubscribe(s -> log.add("ask " + name))
                    .doOnCancel(() -> log.add("cancel " + name));
        }

        void answer() {
            sink.tryEmitValue("value");
        }

        void refuse(Fault fault) {
            sink.tryEmitError(fault.asException());
        }
    }

    private final Asked leader = new Asked("leader");
    private final Asked other = new Asked("other");

    private Disposable read() {
        return start(leader, new Alternative<>(OTHER, other.request));
    }

    private Disposable start(Asked first, @Nullable Alternative<String> second) {
        return watch.watch(sent, first.request, second)
                .subscribe(
                        v -> log.add("answer"),
                        e -> log.add(FaultException.faultOf(e).code().name()
                                + FaultException.faultOf(e)
                                        .argument(Watch.MAP_IS_NEW)
                                        .map(x -> " at once")
                                        .orElse("")));
    }

    private void expect(String... events) {
        assertEquals(List.of(events), log);
    }

    @AfterEach
    void shouldLeaveNothingBehind() {
        assertEquals(0, watch.openCount());
        timer.pass(2_000);
        assertEquals(0, timer.taskCount(), "the timer ends");
    }

    @Test
    void shouldAskNobodyElseWhenTheLeaderAnswersInTime() {
        read();
        timer.pass(LATE_MS - 60);
        leader.answer();
        timer.pass(1_000);

        expect("ask leader", "answer");
        assertEquals(0, hedges.sum());
    }

    @Test
    void shouldTakeTheOtherReplicasAnswerWhenItComesFirst() {
        read();
        timer.pass(LATE_MS);
        expect("ask leader", "ask other");
        other.answer();
        leader.answer();

        expect("ask leader", "ask other", "cancel leader", "answer");
        assertEquals(1, hedges.sum());
        assertEquals(1, won.sum());
    }

    @Test
    void shouldTakeTheLeadersAnswerWhenItComesFirst() {
        read();
        timer.pass(LATE_MS);
        leader.answer();
        other.answer();

        expect("ask leader", "ask other", "cancel other", "answer");
        assertEquals(0, won.sum());
    }

    @Test
    void shouldHedgeOnce() {
        read();
        timer.pass(5_000);
        expect("ask leader", "ask other");
        other.refuse(Fault.of(FaultCode.AGAIN));
        timer.pass(5_000);
        leader.answer();

        expect("ask leader", "ask other", "answer");
        assertEquals(1, hedges.sum());
    }

    @Test
    void shouldEndWhenTheOtherReplicaKnowsANewerMap() {
        read();
        timer.pass(LATE_MS);
        other.refuse(Fault.of(FaultCode.STALE).with("have", VERSION).with("need", VERSION + 1));

        expect("ask leader", "ask other", "cancel leader", "STALE");
    }

    /** An older release knows reads of the leader only. */
    @Test
    void shouldWaitForTheLeaderWhenTheOtherReplicaDoesNotUnderstand() {
        read();
        timer.pass(LATE_MS);
        other.refuse(Fault.of(FaultCode.STALE).with("have", VERSION).with("need", VERSION));
        expect("ask leader", "ask other");
        leader.answer();

        expect("ask leader", "ask other", "answer");
    }

    @Test
    void shouldEndWithTheLeadersRefusal() {
        read();
        timer.pass(LATE_MS);
        leader.refuse(Fault.of(FaultCode.NO_HDL));

        expect("ask leader", "ask other", "cancel other", "NO_HDL");
    }

    @Test
    void shouldWaitForTheOtherReplicaWhenTheLeaderIsLostMeanwhile() {
        for (FaultCode lost : List.of(FaultCode.UNREACH, FaultCode.TIMEDOUT, FaultCode.CSUM)) {
            log.clear();
            Asked first = new Asked("leader");
            Asked second = new Asked("other");
            start(first, new Alternative<>(OTHER, second.request));
            timer.pass(LATE_MS);
            first.refuse(Fault.of(lost));
            expect("ask leader", "ask other");
            second.answer();

            expect("ask leader", "ask other", "answer");
        }
    }

    @Test
    void shouldSayWhatTheLeaderSaidWhenBothAreLost() {
        read();
        timer.pass(LATE_MS);
        leader.refuse(Fault.of(FaultCode.CSUM));
        other.refuse(Fault.of(FaultCode.AGAIN));

        expect("ask leader", "ask other", "CSUM");
    }

    @Test
    void shouldAskTheOtherReplicaAtOnceWhenTheLeaderCannotBeReached() {
        read();
        leader.refuse(Fault.of(FaultCode.UNREACH));
        expect("ask leader", "ask other");
        other.answer();

        expect("ask leader", "ask other", "answer");
        assertEquals(0, hedges.sum(), "one request at a time");
    }

    @Test
    void shouldReadADamagedValueByTheLeadersEpoch() {
        read();
        leader.refuse(Fault.of(FaultCode.CSUM));

        expect("ask leader", "CSUM");
    }

    @Test
    void shouldCancelBoth() {
        Disposable call = read();
        timer.pass(LATE_MS);
        call.dispose();

        expect("ask leader", "ask other", "cancel leader", "cancel other");
    }

    @Test
    void shouldLookForNewerMapsWhileARequestIsOverdueAndLeaveARankThatLeadsNoMore() {
        start(leader, null);
        timer.pass(400);
        assertEquals(0, looks);
        timer.pass(130);
        assertTrue(looks > 0);
        expect("ask leader");
        isOutdated = true;
        timer.pass(30);

        expect("ask leader", "cancel leader", "TIMEDOUT at once");
    }

    @Test
    void shouldNotDisturbARequestThatIsNotOverdueWhenTheMapChanges() {
        isOutdated = true;
        start(leader, null);
        timer.pass(400);
        leader.answer();

        expect("ask leader", "answer");
    }

    /** Many at once when a node falls silent: the first three tell, and the others go on without a request more each. */
    @Test
    void shouldMoveWhatWaitsForARankThatIsKnownToBeSlow() {
        int count = 64;
        List<Asked> seconds = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Asked second = new Asked("other");
            seconds.add(second);
            start(new Asked("leader"), new Alternative<>(OTHER, second.request));
        }
        timer.pass(LATE_MS);
        assertTrue(hedges.sum() <= Hedging.SAVED_MAX + count / Hedging.REQUESTS_OF_HEDGE, "hedges: " + hedges.sum());

        seconds.forEach(Asked::answer);
        timer.pass(30);
        seconds.forEach(Asked::answer);

        assertEquals(count, log.stream().filter("answer"::equals).count());
        assertTrue(hedges.sum() <= Hedging.SAVED_MAX + count / Hedging.REQUESTS_OF_HEDGE, "hedges: " + hedges.sum());
    }
}
