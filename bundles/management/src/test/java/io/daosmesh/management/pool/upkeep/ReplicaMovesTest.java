package io.daosmesh.management.pool.upkeep;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.Outage;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolServiceRanksMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A pool on ranks 0 to 4, one a node n0 to n4; its service on 0 (here), 1 and 2; a grace of 20. */
class ReplicaMovesTest implements ReplicaMoves.Effects {
    private final ReplicaMoves moves = new ReplicaMoves("n0:1", 20);
    private final List<String> done = new ArrayList<>();
    private final Set<Integer> out = new TreeSet<>();
    private List<Integer> recorded = List.of(0, 1, 2);
    private List<String> replicas = List.of("n0:1", "n1:1", "n2:1");
    private List<Integer> retired = List.of();
    private int wanted = 3;
    private final Map<String, String> properties = new HashMap<>();

    @Override
    public void record(List<Integer> ranks) {
        done.add("record " + ranks);
    }

    @Override
    public void move(String from, Member to, List<String> next) {
        done.add("move " + from + " to r" + to.rank() + " " + next);
    }

    @Override
    public void add(Member to, List<String> next) {
        done.add("add r" + to.rank() + " " + next);
    }

    @Override
    public void renew(String blank, List<String> old) {
        done.add("renew " + blank + " " + old);
    }

    @Override
    public void clear(Member m, boolean isNeeded) {
        done.add((isNeeded ? "keep" : "clear") + " r" + m.rank());
    }

    @Override
    public void report(PoolServiceRanksMessage news) {
        done.add("report " + news.getVersion());
    }

    private void review(long nowNs, String... expected) {
        List<PoolTarget> targets = IntStream.range(0, 5)
                .mapToObj(r -> new PoolTarget(r, r, 0, "/n" + r, TargetState.UPIN, false, 1, Outage.NONE))
                .toList();
        PoolMap map = new PoolMap(new UUID(0, 1), 1, targets);
        List<Member> members = IntStream.range(0, 5)
                .mapToObj(r -> new Member(
                        r,
                        new UUID(0, r),
                        "n" + r + ":1",
                        "/n" + r,
                        out.contains(r) ? MemberState.EXCLUDED : MemberState.JOINED,
                        1,
                        1,
                        0,
                        "",
                        0))
                .toList();
        PoolEntryMessage entry = PoolEntryMessage.newBuilder()
                .setServiceVersion(1)
                .setServiceReplicas(wanted)
                .putAllProperties(properties)
                .addAllServiceRanks(recorded)
                .build();
        moves.review(nowNs, new ReplicaMoves.Seen(entry, map, new GroupMap("s", 1, members), replicas, retired), this);
        assertEquals(List.of(expected), done);
        done.clear();
    }

    @Test
    void shouldMakeAReplicaAnewOnceItWasSeenLostTwice() {
        moves.onLost(List.of("n1:1", "n2:1"));
        review(0, "report 1");
        moves.onReported(1);
        moves.onLost(List.of("n2:1", "n4:1"));
        review(1, "renew n2:1 [n0:1, n1:1, n2:1]");

        replicas = List.of("n0:1", "n1:1");
        review(1);
        replicas = List.of("n0:1", "n1:1", "n2:1");
        moves.onDone();

        review(2);
    }

    @Test
    void shouldReportOnceALeadership() {
        review(0, "report 1");
        review(1);
        moves.onReported(0);
        review(2, "report 1");
        moves.onReported(1);
        review(3);

        moves.forget();

        review(4, "report 1");
    }

    @Test
    void shouldReplaceALostReplicaAfterTheGraceAndThenRecordIt() {
        review(0, "report 1");
        out.add(2);
        review(10);
        review(29);
        review(30, "move n2:1 to r3 [n0:1, n1:1, n3:1]");
        review(31);

        moves.onDone();
        replicas = List.of("n0:1", "n1:1", "n3:1");
        review(32, "record [0, 1, 3]");
        moves.onDone();
        recorded = List.of(0, 1, 3);
        retired = List.of(2);
        review(33);
        out.clear();
        review(34, "clear r2");
        review(35);
        moves.onCleared(2);

        review(36, "clear r2");
    }

    @Test
    void shouldGetAsManyAsAreWantedOneAfterTheOther() {
        wanted = 5;
        out.add(4);
        review(0, "report 1");
        review(1);

        out.clear();
        review(2, "add r3 [n0:1, n1:1, n2:1, n3:1]");
        review(3);
        moves.onDone();
        replicas = List.of("n0:1", "n1:1", "n2:1", "n3:1");
        review(4, "record [0, 1, 2, 3]");
        moves.onDone();
        recorded = List.of(0, 1, 2, 3);
        review(5, "add r4 [n0:1, n1:1, n2:1, n3:1, n4:1]");
        moves.onDone();
        replicas = List.of("n0:1", "n1:1", "n2:1", "n3:1", "n4:1");
        recorded = List.of(0, 1, 2, 3, 4);

        review(6);
    }

    /** Made before that was noted. */
    @Test
    void shouldGrowAPoolThatDoesNotSayHowManyItWantsToTheDefault() {
        wanted = 0;
        recorded = List.of(0);
        replicas = List.of("n0:1");

        review(0, "report 1", "add r1 [n0:1, n1:1]");
        moves.onDone();
        replicas = List.of("n0:1", "n1:1", "n2:1");
        recorded = List.of(0, 1, 2);
        moves.onReported(1);

        review(1);
    }

    /** The property is older than the note. */
    @Test
    void shouldTakeTheCountFromThePropertyWhereItIsNotNoted() {
        wanted = 0;
        properties.put("svc_rf", "0");
        recorded = List.of(0);
        replicas = List.of("n0:1");
        review(0, "report 1");
        moves.onReported(1);

        properties.put("svc_rf", "of a later release");

        review(1, "add r1 [n0:1, n1:1]");
    }

    @Test
    void shouldReplaceWhatIsLostBeforeItAddsMore() {
        wanted = 5;
        review(0, "report 1", "add r3 [n0:1, n1:1, n2:1, n3:1]");
        moves.onDone();
        out.add(2);

        review(1);
        review(21, "move n2:1 to r3 [n0:1, n1:1, n3:1]");
    }

    @Test
    void shouldNotVoteItselfOut() {
        review(0, "report 1");
        out.add(0);
        review(1);

        review(100);
    }
}
