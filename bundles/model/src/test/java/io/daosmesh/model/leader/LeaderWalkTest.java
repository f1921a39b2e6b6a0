package io.daosmesh.model.leader;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

class LeaderWalkTest {
    private static final Duration MAX = Duration.ofSeconds(20);

    private final List<String> asked = new ArrayList<>();
    private final LeaderSearch search =
            new LeaderSearch(new LeaderSearch.Manner(2, 3, false, false, 1, 1), "", Fault.of(FaultCode.TIMEDOUT));

    private Mono<String> walk(Mono<List<String>> candidates, LongSupplier leftNs) {
        return new LeaderWalk(search, candidates, leftNs, Schedulers.parallel()).run((to, left) -> {
            asked.add(to);
            if (to.equals("z:1")) return Mono.just("answer");
            Fault fault = asked.size() < 4
                    ? Fault.of(FaultCode.UNREACH)
                    : Fault.of(FaultCode.NOTLEADER).with("leader", "z:1");
            return Mono.error(fault.asException());
        });
    }

    @Test
    void shouldAskRoundAfterRoundAndFollowTheHint() {
        assertEquals(
                "answer",
                walk(Mono.just(List.of("a:1", "b:1")), () -> Long.MAX_VALUE).block(MAX));
        assertEquals(List.of("a:1", "b:1", "a:1", "b:1", "z:1"), asked);
        assertEquals("z:1", search.asked());
    }

    @Test
    void shouldEndWithTheDeadline() {
        assertEquals(FaultCode.TIMEDOUT, codeOf(walk(Mono.just(List.of("a:1")), () -> 0)));
        assertEquals(List.of(), asked);
    }

    @Test
    void shouldEndWithWhatTheCandidatesEndWith() {
        Mono<List<String>> nobody = Mono.error(Fault.of(FaultCode.NONEXIST).asException());
        assertEquals(FaultCode.NONEXIST, codeOf(walk(nobody, () -> Long.MAX_VALUE)));
    }

    private static FaultCode codeOf(Mono<String> call) {
        return assertThrows(FaultException.class, () -> call.block(MAX)).code();
    }
}
