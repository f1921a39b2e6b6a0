package io.daosmesh.management.rank;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.JoinReply;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Transcripts: what happens to an engine, and what is done for it. Lives are counted from 1. */
class EngineJoinTest implements EngineJoin.Effects {
    private final EngineJoin join = new EngineJoin();
    private final List<String> done = new ArrayList<>();
    private long lives;

    @Override
    public long newLife() {
        return ++lives;
    }

    @Override
    public void join(long incarnation) {
        done.add("join in life " + incarnation);
    }

    @Override
    public void wake(long pauseMs) {
        done.add("wake in " + pauseMs);
    }

    @Override
    public void publish(int rank, long incarnation) {
        done.add("publish r" + rank + "@" + incarnation);
    }

    @Override
    public void withdraw() {
        done.add("withdraw");
    }

    @Override
    public void complain(Fault why, boolean isFinal) {
        done.add((isFinal ? "event " : "complain ") + why.code());
    }

    @Override
    public void tellExcluded(int rank, long incarnation, String info) {
        done.add("r" + rank + "@" + incarnation + " is out");
    }

    private void happen(String event) {
        String[] words = event.split(" ");
        switch (words[0]) {
            case "ready" -> join.onReady(this);
            case "wake" -> join.onWake(this);
            case "reply" ->
                join.onReply(
                        JoinReply.newBuilder()
                                .setRank(3)
                                .setState(MemberState.valueOf(words[1]).toWire())
                                .build(),
                        this);
            case "refused" -> join.onRefused(Fault.of(FaultCode.valueOf(words[1])), this);
            case "map" -> join.onGroupMap(map(MemberState.valueOf(words[1]), Long.parseLong(words[2])), this);
            case "withdrawn" -> join.onWithdrawn(this);
            case "stop" -> join.onStop();
            default -> join.onStart(this);
        }
    }

    private static GroupMap map(MemberState state, long incarnation) {
        Member m = new Member(3, new UUID(0, 3), "a:1", "/a", state, incarnation, 1, 0, Departure.DIED, 0);
        return new GroupMap("sys", 9, List.of(m));
    }

    private void transcript(String expected) {
        String seen = expected.lines()
                .map(line -> {
                    String event = line.substring(0, line.indexOf('|'));
                    done.clear();
                    happen(event.trim());
                    return event + "| " + (done.isEmpty() ? "-" : String.join(", ", done));
                })
                .collect(Collectors.joining("\n", "", "\n"));
        assertEquals(expected, seen);
    }

    @Test
    void shouldJoinOnceTheStorageIsReady() {
        transcript("""
                ready        | join in life 1
                ready        | -
                reply JOINED | publish r3@1
                wake         | -
                """);
    }

    @Test
    void shouldAskAgainAndComplainOnce() {
        transcript("""
                ready               | join in life 1
                refused UNREACH     | complain UNREACH, wake in 100
                wake                | join in life 1
                refused UNREACH     | wake in 100
                refused ID_MISMATCH | event ID_MISMATCH, wake in 2000
                refused STALE       | complain STALE, wake in 100
                wake                | join in life 2
                reply EXCLUDED      | wake in 100
                wake                | join in life 3
                """);
    }

    @Test
    void shouldStopServingAndJoinAnewWhenItIsExcluded() {
        transcript("""
                ready              | join in life 1
                reply JOINED       | publish r3@1
                map JOINED 1       | -
                map EXCLUDED 0     | -
                map EXCLUDED 1     | r3@1 is out, withdraw
                map EXCLUDED 1     | -
                withdrawn          | wake in 2000
                wake               | join in life 2
                """);
    }

    @Test
    void shouldWaitForAnAdministratorWhenItsEngineHasDied() {
        transcript("""
                ready         | join in life 1
                reply JOINED  | publish r3@1
                map ERRORED 0 | -
                map ERRORED 1 | withdraw
                withdrawn     | -
                start         | join in life 2
                reply JOINED  | publish r3@2
                map ERRORED 1 | -
                """);
    }

    @Test
    void shouldStayAwayUntilToldToStart() {
        transcript("""
                ready        | join in life 1
                stop         | -
                reply JOINED | -
                wake         | -
                withdrawn    | -
                ready        | -
                start        | join in life 2
                start        | -
                """);
    }
}
