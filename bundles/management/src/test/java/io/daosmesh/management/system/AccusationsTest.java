package io.daosmesh.management.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Transcripts: when, who is dead in which life, says the node of which letter; what is to be done. */
class AccusationsTest {
    private final Accusations accusations = new Accusations();

    /** Two ranks on each of the nodes a, b, c and so on, in life 5. */
    private static GroupMap nodes(int count) {
        return new GroupMap(
                "sys",
                1,
                IntStream.range(0, 2 * count)
                        .mapToObj(r -> member(r, MemberState.JOINED, 5))
                        .toList());
    }

    private static Member member(int rank, MemberState state, long incarnation) {
        String node = String.valueOf((char) ('a' + rank / 2));
        return new Member(rank, new UUID(0, rank), node, "/" + node, state, incarnation, 2, rank % 2, "", 0);
    }

    private static GroupMap with(GroupMap map, Member changed) {
        List<Member> members = map.members().stream()
                .map(m -> m.rank() == changed.rank() ? changed : m)
                .toList();
        return new GroupMap(map.system(), map.version() + 1, members);
    }

    private void transcript(GroupMap map, String expected) {
        String seen = expected.lines()
                .map(line -> {
                    String[] words = line.substring(0, line.indexOf('|')).trim().split("[ @]+");
                    long nowNs = Long.parseLong(words[0].replace("ms", "")) * 1_000_000;
                    int rank = Integer.parseInt(words[1].substring(1));
                    Accusations.Verdict v = accusations.onReport(nowNs, map, rank, Long.parseLong(words[2]), words[4]);
                    return line.substring(0, line.indexOf('|')) + "| " + v;
                })
                .collect(Collectors.joining("\n", "", "\n"));
        assertEquals(expected, seen);
    }

    @Test
    void shouldTakeTheWordOfTwoNodesOrProbe() {
        transcript(nodes(3), """
                0ms   r4@5 by a | PROBE
                10ms  r4@5 by a | WAIT
                399ms r4@5 by a | WAIT
                400ms r4@5 by a | PROBE
                500ms r4@5 by b | DEAD
                510ms r4@5 by a | DEAD
                """);
    }

    @Test
    void shouldCountTheRanksOfANodeOnceAndNodesOfEachAccusedForItself() {
        transcript(nodes(4), """
                0ms   r6@5 by b | PROBE
                100ms r6@5 by b | WAIT
                200ms r7@5 by b | PROBE
                300ms r7@5 by a | DEAD
                310ms r6@5 by c | DEAD
                """);
    }

    @Test
    void shouldTakeTheWordOfOneWhereNobodyElseCouldSayIt() {
        transcript(nodes(2), "0ms r3@5 by a | DEAD\n");

        GroupMap left = with(with(nodes(3), member(2, MemberState.EXCLUDED, 5)), member(3, MemberState.STOPPED, 5));
        transcript(left, "0ms r4@5 by a | DEAD\n");
        transcript(with(left, member(3, MemberState.JOINED, 5)), "0ms r4@5 by a | PROBE\n");
    }

    @Test
    void shouldBelieveANodeAboutItsOwnRanks() {
        transcript(nodes(3), "0ms r4@5 by c | DEAD\n");
    }

    @Test
    void shouldLeaveAloneWhoeverHasLeftOrLivesANewerLife() {
        GroupMap map = with(nodes(3), member(4, MemberState.EXCLUDED, 5));
        transcript(map, """
                0ms r4@5 by a | NOTHING
                1ms r4@5 by b | NOTHING
                2ms r5@4 by a | NOTHING
                3ms r5@0 by b | NOTHING
                4ms r77@9 by a | NOTHING
                5ms r-1@9 by b | NOTHING
                """);
        assertEquals(0, accusations.size());
    }

    @Test
    void shouldNotCountWordsAboutDifferentLivesTogether() {
        transcript(nodes(5), """
                0ms   r8@6 by a | PROBE
                100ms r8@7 by b | WAIT
                200ms r8@9 by c | WAIT
                300ms r8@7 by a | DEAD
                """);
    }

    @Test
    void shouldForgetWordsThatAreOld() {
        transcript(nodes(3), """
                0ms     r4@5 by a | PROBE
                29999ms r4@5 by a | PROBE
                59998ms r4@5 by b | DEAD
                """);
        transcript(nodes(3), """
                100000ms r4@5 by a | PROBE
                130000ms r4@5 by b | PROBE
                """);
    }

    @Test
    void shouldForgetWhoeverLeavesTheGroup() {
        transcript(nodes(3), "0ms r4@5 by a | PROBE\n");
        transcript(with(nodes(3), member(4, MemberState.EXCLUDED, 5)), "500ms r4@5 by b | NOTHING\n");
        assertEquals(0, accusations.size());

        transcript(with(nodes(3), member(4, MemberState.JOINED, 7)), "600ms r4@8 by b | PROBE\n");
    }

    @Test
    void shouldKeepNoMoreThanRanksAndAFewWordsEach() {
        GroupMap map = nodes(12);
        for (int i = 0; i < 5_000; i++) {
            String liar = String.valueOf((char) ('a' + i % 12));
            accusations.onReport(i, map, i - 100, 1000 + i, liar);
        }
        assertTrue(accusations.size() <= map.members().size(), "ranks");

        // the words of others about other lives do not keep the right ones out
        transcript(map, """
                1ms r20@5 by a | WAIT
                1ms r20@5 by b | DEAD
                """);
    }
}
